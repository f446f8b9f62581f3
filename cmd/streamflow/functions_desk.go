package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"streamflow"
	"streamflow/functions/fleet"
	"streamflow/infra/jetstream"
)

// desk is where people see and change what functions do: the buckets.
type desk struct {
	js        *jetstream.Client
	functions fleet.Bucket
	rules     fleet.Bucket
	status    statusBucket
}

// statusBucket is what the workers write into every second.
type statusBucket interface {
	fleet.Bucket
	Read(ctx context.Context, keys []string) ([]jetstream.Kept, error)
}

func openDesk(ctx context.Context, f natsFlags, log *slog.Logger) (*desk, error) {
	js, err := f.connect("functions", log)
	if err != nil {
		return nil, err
	}
	return newDesk(js), nil
}

func newDesk(js *jetstream.Client) *desk {
	return &desk{js: js, functions: js.Bucket(streamflow.BucketFunctions), rules: js.Bucket(streamflow.BucketRules), status: js.Bucket(streamflow.BucketStatus)}
}

func (d *desk) close() { d.js.Close() }

// told is one value of a bucket.
type told struct {
	value    []byte
	revision uint64
}

// errRead ends a watch when all that was there is told.
var errRead = errors.New("all is read")

// read returns what a bucket holds now.
func read(ctx context.Context, b fleet.Bucket) (map[string]told, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	all := make(map[string]told)
	err := b.Watch(ctx, func(key string, value []byte, revision uint64) {
		switch {
		case ctx.Err() != nil:
		case key == "":
			cancel(errRead)
		default:
			all[key] = told{value, revision}
		}
	})
	if context.Cause(ctx) == errRead {
		return all, nil
	}
	return nil, err
}

// byCommand stands for those who change what is desired by a command.
const byCommand = "a command of streamflow"

// write stores what edit makes of the desired state of a function. Two who do
// it at once do not undo each other's change.
func (d *desk) write(ctx context.Context, e *entry, edit func(*streamflow.Desired) error) (uint64, streamflow.Desired, error) {
	fn := e.function(nil)
	for {
		all, err := read(ctx, d.functions)
		if err != nil {
			return 0, streamflow.Desired{}, err
		}
		now := all[e.name]
		desired, err := fn.Parse(now.value)
		if err != nil {
			desired, _ = fn.Parse(nil) // what is there is no good: begin with the default
		}
		desired.By = byCommand // unless edit names somebody
		if err := e.change(&desired, edit); err != nil {
			return 0, desired, &wrongDesired{err}
		}
		data, err := json.Marshal(desired)
		if err != nil {
			return 0, desired, err
		}
		revision, err := d.functions.Update(ctx, e.name, data, now.revision)
		if !errors.Is(err, streamflow.ErrFenced) {
			return revision, desired, err
		}
	}
}

// wrongDesired is a desired state that is no good: the fault of who asked for it.
type wrongDesired struct{ error }

func (w *wrongDesired) Unwrap() error { return w.error }

// change makes a change and says what is wrong with what follows.
func (e *entry) change(d *streamflow.Desired, edit func(*streamflow.Desired) error) error {
	if err := edit(d); err != nil {
		return err
	}
	if err := e.function(nil).Check(*d); err != nil {
		return err
	}
	if err := e.check(d.Params); err != nil {
		return fmt.Errorf("parameters of %s: %w", e.name, err)
	}
	return nil
}

// hush is how long a worker may be silent before nobody waits for it.
const hush = 5 * time.Second

// await waits until every worker that runs a function has come to rest at a
// place that is meant, and returns the places; none if no worker runs it.
func (d *desk) await(ctx context.Context, name string, limit time.Duration, meant func(fleet.Place) bool) (map[string]fleet.Place, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	type beat struct {
		id    string
		value []byte
	}
	beats := make(chan beat)
	failed := make(chan error, 1)
	go func() {
		failed <- d.status.Watch(ctx, func(key string, value []byte, _ uint64) {
			if id, ok := strings.CutPrefix(key, fleet.WorkerPrefix); ok {
				select {
				case beats <- beat{id, value}:
				case <-ctx.Done():
				}
			}
		})
	}()
	heard, places := make(map[string]time.Time), make(map[string]fleet.Place)
	began, look := time.Now(), time.NewTicker(100*time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return places, late(places, limit)
		case err := <-failed:
			if ctx.Err() != nil {
				return places, late(places, limit)
			}
			return places, err
		case b := <-beats:
			var w fleet.Worker
			delete(places, b.id)
			if b.value == nil || json.Unmarshal(b.value, &w) != nil {
				continue
			}
			if p, runs := w.Functions[name]; runs {
				heard[b.id], places[b.id] = time.Now(), p
			}
		case now := <-look.C:
			maps.DeleteFunc(places, func(id string, _ fleet.Place) bool { return now.Sub(heard[id]) > hush })
			if rest, err := rested(places, meant); rest && (len(places) > 0 || now.Sub(began) > 2*time.Second) {
				return places, err
			}
		}
	}
}

// rested says whether all are where they were meant to go, and what refused it.
func rested(places map[string]fleet.Place, meant func(fleet.Place) bool) (bool, error) {
	for _, id := range slices.Sorted(maps.Keys(places)) {
		p := places[id]
		if !meant(p) || p.Phase == fleet.PhaseChanging {
			return false, nil
		}
		if p.Phase == fleet.PhaseRefused {
			return true, fmt.Errorf("worker %s refuses it: %s", id, p.Fault)
		}
	}
	return true, nil
}

func late(places map[string]fleet.Place, limit time.Duration) error {
	var words []string
	for _, id := range slices.Sorted(maps.Keys(places)) {
		words = append(words, id+" is "+string(places[id].Phase))
	}
	return fmt.Errorf("not all workers have made it so after %s (%s); they go on with it: `streamflow functions` shows how far they are", limit, strings.Join(words, ", "))
}

// functionRow is all that is known of a function.
type functionRow struct {
	Name    string                 `json:"name"`
	Does    string                 `json:"does"`
	Reads   string                 `json:"reads"`
	Writes  string                 `json:"writes"`
	Desired streamflow.Desired     `json:"desired"`
	Fault   string                 `json:"fault,omitempty"` // of the desired state
	Layout  streamflow.Layout      `json:"layout"`
	Shards  []fleet.ShardReport    `json:"shards"`
	Places  map[string]fleet.Place `json:"workers"`
}

// rows reads the buckets, in the order of the registry.
func (d *desk) rows(ctx context.Context) ([]functionRow, error) {
	desired, err := read(ctx, d.functions)
	if err != nil {
		return nil, err
	}
	status, err := read(ctx, d.status)
	if err != nil {
		return nil, err
	}
	var rows []functionRow
	for _, e := range registry {
		r := functionRow{Name: e.name, Does: e.does, Reads: e.reads, Writes: e.writes, Places: make(map[string]fleet.Place)}
		fn := e.function(nil)
		if r.Desired, err = fn.Parse(desired[e.name].value); err != nil {
			r.Fault = err.Error()
		}
		_ = json.Unmarshal(desired[e.name+".layout"].value, &r.Layout) // none yet is the zero layout
		rows = append(rows, r)
	}
	if err := d.lookAgain(ctx, rows, status); err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i].fill(status)
	}
	return rows, nil
}

// lookAgain reads what a watch may have missed: a report that is replaced while
// the watch is being told of it falls between the two, and what runs would look
// as if nobody ran it.
func (d *desk) lookAgain(ctx context.Context, rows []functionRow, status map[string]told) error {
	read := func(keys []string) error {
		keys = slices.DeleteFunc(keys, func(key string) bool { return status[key].value != nil })
		if len(keys) == 0 {
			return nil
		}
		kept, err := d.status.Read(ctx, keys)
		for i, k := range kept {
			if k.Value != nil {
				status[keys[i]] = told{k.Value, k.Revision}
			}
		}
		return err
	}
	var shards, workers []string
	for i := range rows {
		for shard := range max(rows[i].Layout.Shards, 1) {
			shards = append(shards, fleet.ShardKey(rows[i].Name, shard))
		}
	}
	if err := read(slices.Clone(shards)); err != nil {
		return err
	}
	for _, key := range shards {
		var s fleet.ShardReport
		if json.Unmarshal(status[key].value, &s) == nil && s.Worker != "" {
			workers = append(workers, fleet.WorkerPrefix+s.Worker)
		}
	}
	slices.Sort(workers)
	return read(slices.Compact(workers))
}

// fill takes what the workers say of the function.
func (r *functionRow) fill(status map[string]told) {
	for i := range max(r.Layout.Shards, 1) {
		var s fleet.ShardReport
		if t, ok := status[fleet.ShardKey(r.Name, i)]; ok && json.Unmarshal(t.value, &s) == nil {
			r.Shards = append(r.Shards, s)
		}
	}
	for key, t := range status {
		var w fleet.Worker
		if strings.HasPrefix(key, fleet.WorkerPrefix) && json.Unmarshal(t.value, &w) == nil {
			if p, runs := w.Functions[r.Name]; runs {
				r.Places[w.ID] = p
				if p.Fault != "" {
					r.Fault = p.Fault
				}
			}
		}
	}
}

// owners names who works on what: "a:0,2 b:1".
func (r *functionRow) owners() string {
	by := make(map[string][]string)
	for _, s := range r.Shards {
		who := s.Worker
		if s.Asleep {
			who = "asleep"
		}
		if who != "" {
			by[who] = append(by[who], strconv.Itoa(s.Shard))
		}
	}
	var parts []string
	for _, id := range slices.Sorted(maps.Keys(by)) {
		if len(r.Shards) == 1 {
			parts = append(parts, id)
		} else {
			parts = append(parts, id+":"+strings.Join(by[id], ","))
		}
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, " ")
}
