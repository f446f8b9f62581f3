package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"streamflow"
	"streamflow/api"
	"streamflow/api/guard"
	"streamflow/functions/fleet"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/postgres"
)

// operations joins what the API shows of how the system runs. What it returns
// second ends the connection to Kafka.
func operations(s servers, js *jetstream.Client, db *postgres.DB, log *slog.Logger) (api.Operations, func(), error) {
	schemas, err := s.registryOfSchemas()
	if err != nil {
		return api.Operations{}, nil, err
	}
	k := kafka.NewDesk(s.config("api", log))
	return api.Operations{
		Functions: apiFunctions{newDesk(js)}, Streams: apiStreams{js}, Log: apiLog{k, s.topicFlags, schemas},
		Letters: letterMarks{js.Bucket(streamflow.BucketLetters)}, Table: db, Sight: sight{js, k, db, s.topicFlags}, Topic: s.Topic, By: whoAsks,
	}, k.Close, nil
}

// apiFunctions gives the desk of the functions the form that the API asks for.
type apiFunctions struct{ d *desk }

// Functions implements [api.Functions].
func (f apiFunctions) Functions(ctx context.Context) ([]api.FunctionState, error) {
	rows, err := f.d.rows(ctx)
	if err != nil {
		return nil, err
	}
	waiting, err := waitingOf(ctx, f.d.js)
	if err != nil {
		return nil, err
	}
	states := make([]api.FunctionState, 0, len(rows))
	for i := range rows {
		r := &rows[i]
		e, err := lookUp(r.Name)
		if err != nil {
			return nil, err
		}
		st := api.FunctionState{
			Name: r.Name, Does: r.Does, Reads: r.Reads, Writes: r.Writes, Sink: e.build == nil,
			Desired: r.Desired, Fault: r.Fault, Layout: r.Layout, Waiting: waiting(e),
		}
		for _, sh := range r.Shards {
			st.Shards = append(st.Shards, api.ShardState{ShardStatus: sh.ShardStatus, Generation: sh.Generation})
		}
		for _, id := range slices.Sorted(maps.Keys(r.Places)) {
			p := r.Places[id]
			st.Workers = append(st.Workers, api.FunctionWorker{ID: id, Phase: string(p.Phase), Revision: p.Revision, Fault: p.Fault})
		}
		states = append(states, st)
	}
	return states, nil
}

// waitingOf returns what tells how much waits for a function, nil where it has
// no consumer: the consumers know it also when no worker is there.
func waitingOf(ctx context.Context, js *jetstream.Client) (func(*entry) *uint64, error) {
	streams, err := js.Look(ctx)
	return func(e *entry) *uint64 {
		var n *uint64
		for _, s := range streams {
			for _, c := range s.Consumers {
				of, ours := strings.CutPrefix(c.Name, e.name+"-")
				if !ours || !e.alone && strings.Trim(of, "0123456789") != "" {
					continue
				}
				if n == nil {
					n = new(uint64)
				}
				*n += c.Pending + uint64(max(c.AckPending, 0))
			}
		}
		return n
	}, err
}

// Change implements [api.Functions].
func (f apiFunctions) Change(ctx context.Context, name string, edit func(*streamflow.Desired) error) error {
	e, err := lookUp(name)
	if err != nil {
		return &api.FunctionFault{Message: err.Error()}
	}
	_, _, err = f.d.write(ctx, e, func(d *streamflow.Desired) error {
		d.By = whoAsks(ctx)
		return edit(d)
	})
	return asFault(err)
}

// Replay implements [api.Functions].
func (f apiFunctions) Replay(ctx context.Context, name, from string) (streamflow.Replay, error) {
	r, err := newReplay(from, time.Now().UTC())
	if err != nil {
		return r, &api.FunctionFault{Message: strings.TrimPrefix(err.Error(), "--from: ")}
	}
	return r, f.Change(ctx, name, func(d *streamflow.Desired) error { d.Replay = &r; return nil })
}

// whoAsks names who has sent the request of a context.
func whoAsks(ctx context.Context) string { return guard.From(ctx).Text() }

// asFault says that an error is the fault of who asked, if it is.
func asFault(err error) error {
	var wrong *wrongDesired
	if errors.As(err, &wrong) {
		return &api.FunctionFault{Message: wrong.Error()}
	}
	return err
}

// letterMarks keeps what was done with dead letters in a bucket.
type letterMarks struct{ b markBucket }

type markBucket interface {
	fleet.Bucket
	Read(ctx context.Context, keys []string) ([]jetstream.Kept, error)
	Make(ctx context.Context, description string) error
}

// Marks implements [api.LetterMarks].
func (l letterMarks) Marks(ctx context.Context, keys []string) ([]api.LetterMark, error) {
	kept, err := l.b.Read(ctx, keys)
	if err != nil {
		return nil, err
	}
	marks := make([]api.LetterMark, len(keys))
	for i, k := range kept {
		if k.Revision == 0 {
			continue
		}
		if err := json.Unmarshal(k.Value, &marks[i]); err != nil {
			return nil, err
		}
		marks[i].Revision = k.Revision
	}
	return marks, nil
}

// make makes the bucket, unless it is there.
func (l letterMarks) make(ctx context.Context) error {
	return l.b.Make(ctx, "what people have done with dead letters")
}

// Mark implements [api.LetterMarks].
func (l letterMarks) Mark(ctx context.Context, key string, m api.LetterMark) (uint64, error) {
	data, err := json.Marshal(m)
	if err != nil {
		return 0, err
	}
	if m.Revision == 0 { // the first mark of all makes the bucket
		if err := l.make(ctx); err != nil {
			return 0, err
		}
	}
	return l.b.Update(ctx, key, data, m.Revision)
}
