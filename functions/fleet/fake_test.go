package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions/fleet"
)

// world is what the workers share: buckets and durables.
type world struct {
	mu        sync.Mutex
	functions *bucket
	rules     *bucket
	status    *bucket
	durables  map[string]*durable
	pending   map[string]uint64
	moves     []string
	tidied    []string
	built     map[string]string // params by worker
	due       bool
	moveFails int
	dead      map[string]bool
}

func newWorld() *world {
	return &world{
		functions: newBucket(), rules: newBucket(), status: newBucket(), durables: make(map[string]*durable),
		pending: make(map[string]uint64), built: make(map[string]string), dead: make(map[string]bool),
	}
}

// bucket is a fleet.Bucket in memory.
type bucket struct {
	mu       sync.Mutex
	values   map[string][]byte
	at       map[string]uint64
	revision uint64
	watchers []chan string
}

func newBucket() *bucket {
	return &bucket{values: make(map[string][]byte), at: make(map[string]uint64)}
}

func (b *bucket) set(key string, value []byte) uint64 {
	b.revision++
	b.values[key], b.at[key] = value, b.revision
	for _, w := range b.watchers {
		w <- key
	}
	return b.revision
}

func (b *bucket) put(key string, v any) uint64 {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.set(key, data)
}

func (b *bucket) get(key string, v any) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.values[key] != nil && json.Unmarshal(b.values[key], v) == nil
}

// lose is what a server that is killed does to a bucket in memory: what was in
// it is gone, and who watches it hears nothing any more.
func (b *bucket) lose() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.values)
	clear(b.at)
	b.watchers = nil
}

// door is a bucket as one worker sees it: closed once the worker is dead.
type door struct {
	*bucket
	w  *world
	id string
}

func (d door) closed() error {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	if d.w.dead[d.id] {
		return errors.New("dead")
	}
	return nil
}

func (d door) Watch(ctx context.Context, change func(string, []byte, uint64)) error {
	ch := make(chan string, 10_000)
	d.mu.Lock()
	keys := slices.Sorted(maps.Keys(d.values))
	d.watchers = append(d.watchers, ch)
	d.mu.Unlock()
	tell := func(key string) {
		d.mu.Lock()
		value, at := d.values[key], d.at[key]
		d.mu.Unlock()
		change(key, value, at)
	}
	for _, key := range keys {
		tell(key)
	}
	change("", nil, 0)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case key := <-ch:
			tell(key)
		}
	}
}

func (d door) Update(_ context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if err := d.closed(); err != nil {
		return 0, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at[key] != revision {
		return 0, streamflow.ErrFenced
	}
	return d.set(key, value), nil
}

func (d door) Put(_ context.Context, key string, value []byte) error {
	if err := d.closed(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.set(key, value)
	return nil
}

func (d door) Delete(_ context.Context, key string) error {
	if err := d.closed(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.set(key, nil)
	return nil
}

// durable delivers to the first who waits at it, as a pinned one does.
type durable struct{ waiting []*shard }

// pinTTL is that of the real one.
const pinTTL = 3 * time.Second

// shard is a fleet.Shard that only waits.
type shard struct {
	p    *program
	l    streamflow.Layout
	n    int
	name string
}

func (s *shard) Run(ctx context.Context) error {
	w := s.p.w
	w.mu.Lock()
	if w.durables[s.name] == nil {
		w.durables[s.name] = &durable{}
	}
	d := w.durables[s.name]
	d.waiting = append(d.waiting, s)
	w.mu.Unlock()
	<-ctx.Done()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead[s.p.worker] {
		return nil
	}
	d.waiting = slices.DeleteFunc(d.waiting, func(o *shard) bool { return o == s })
	return nil
}

func (s *shard) Report() fleet.Report {
	w := s.p.w
	w.mu.Lock()
	defer w.mu.Unlock()
	var r fleet.Report
	d := w.durables[s.name]
	r.Owner, r.Due = d != nil && len(d.waiting) > 0 && d.waiting[0] == s, w.due
	return r
}

// program is a fleet.Program of world w.
type program struct {
	w      *world
	worker string
	name   string
	params string
}

func (p *program) Shard(l streamflow.Layout, n int) fleet.Shard {
	return &shard{p: p, l: l, n: n, name: streamflow.Durable(p.name, n)}
}

func (p *program) Pending(_ context.Context, n int) (uint64, error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return p.w.pending[streamflow.Durable(p.name, n)], nil
}

func (p *program) Move(_ context.Context, from, to streamflow.Layout, replay *streamflow.Replay) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if p.w.moveFails > 0 {
		p.w.moveFails--
		return errors.New("the server is away")
	}
	p.w.moves = append(p.w.moves, fmt.Sprintf("%d/%d->%d/%d %v", from.Generation, from.Shards, to.Generation, to.Shards, replay != nil))
	return nil
}

func (p *program) Tidy(_ context.Context, now streamflow.Layout) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.w.tidied = append(p.w.tidied, fmt.Sprint(now.Generation))
	return nil
}

// worker runs a fleet until the returned function is called, which stops it gracefully.
func (w *world) worker(t *testing.T, id string, idle time.Duration, names ...string) (stop func()) {
	t.Helper()
	var list []fleet.Function
	for _, name := range names {
		list = append(list, fleet.Function{
			Name: name, Rules: name == "alerts", Sink: name == "archive",
			Build: func(params json.RawMessage, rules []streamflow.Rule) (fleet.Program, error) {
				if string(params) == `"bad"` || string(params) == `"bad for `+id+`"` {
					return nil, errors.New("bad parameters")
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				w.built[id] = fmt.Sprintf("%s+%d", params, len(rules))
				return &program{w: w, worker: id, name: name, params: string(params)}, nil
			},
		})
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})).With("at", id)
	f := fleet.New(fleet.Config{
		Logger: log,
		ID:     id, Functions: list, Idle: idle, Desired: door{w.functions, w, id}, Rules: door{w.rules, w, id}, Status: door{w.status, w, id},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := f.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	return func() { cancel(); <-done }
}

// kill makes a worker as good as dead: nothing that it does is seen any more,
// and the durables notice after their TTL.
func (w *world) kill(id string) {
	w.mu.Lock()
	w.dead[id] = true
	w.mu.Unlock()
	time.Sleep(pinTTL)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range w.durables {
		d.waiting = slices.DeleteFunc(d.waiting, func(s *shard) bool { return s.p.worker == id })
	}
}

// owners returns who works on each shard of a function, "" for nobody.
func (w *world) owners(name string, shards int) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]string, shards)
	for i := range list {
		if d := w.durables[streamflow.Durable(name, i)]; d != nil && len(d.waiting) > 0 {
			list[i] = d.waiting[0].p.worker
		}
	}
	return list
}

// shardReport is what bucket status has of a shard.
func (w *world) report(name string, n int) (r fleet.ShardReport) {
	w.status.get(fleet.ShardKey(name, n), &r)
	return r
}

func (w *world) place(id, name string) fleet.Place {
	var worker fleet.Worker
	w.status.get(fleet.WorkerPrefix+id, &worker)
	return worker.Functions[name]
}
