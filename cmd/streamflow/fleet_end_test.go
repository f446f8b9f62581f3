package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/fleet"
	"streamflow/functions/spread"
	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
)

// fleetRig is a NATS server, two workers that run the function spread, and
// ticks for it.
type fleetRig struct {
	t     *testing.T
	js    *jetstream.Client
	desk  *desk
	flags waitFlags
	kills []func() // of the workers: as kill -9, for all that the others can see
	cur   streamflow.Cursor
	sent  []streamflow.Message
}

func newFleetRig(t *testing.T) *fleetRig {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	server, err := embedded.StartNATS(embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: t.TempDir(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	r := &fleetRig{t: t, cur: streamflow.Start, flags: waitFlags{natsFlags: natsFlags{NATS: server.URL()}, Wait: 2 * time.Minute}}
	if r.js, err = r.flags.connect("test", quiet); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.js.Close)
	limits := jetstream.DefaultLimits
	limits.Functions = writers()
	if _, err := r.js.Ensure(t.Context(), limits); err != nil {
		t.Fatal(err)
	}
	r.desk = newDesk(r.js)
	for i := range 2 {
		r.work(slog.New(slog.NewTextHandler(t.Output(), nil)).With("test_worker", i))
	}
	return r
}

// work starts a worker, which stops with the test.
func (r *fleetRig) work(log *slog.Logger) {
	r.t.Helper()
	entries, err := lookUpAll([]string{"spread"})
	if err != nil {
		r.t.Fatal(err)
	}
	p, err := newFleet(servers{natsFlags: r.flags.natsFlags}, entries, 0, newJointMetrics(nil, nil), log)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = p.run(ctx) }()
	r.kills = append(r.kills, p.close)
	r.t.Cleanup(func() { cancel(); <-done; p.close() })
}

// send stores so many rounds of ticks of 20 symbols, 10 s apart.
func (r *fleetRig) send(rounds int) {
	r.t.Helper()
	began := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for range rounds {
		n := len(r.sent)
		var batch []streamflow.Tick
		for i := range 20 {
			batch = append(batch, streamflow.Tick{
				Symbol: fmt.Sprintf("S%02d", i), Price: 100, Time: began.Add(time.Duration(n/20) * 10 * time.Second),
				Bid: 100, Ask: 100 + float64((n+i*i)%97)/64,
			})
		}
		messages := functions.Ticks(batch...)
		for i := range messages {
			m := &messages[i]
			m.Position.Offset, m.Previous, m.Sequence = int64(n+i), int64(n+i-1), 0
		}
		r.cur.Next, r.cur.Last = int64(n+len(messages)), int64(n+len(messages)-1)
		fence, err := r.js.Ticks().Commit(r.t.Context(), streamflow.Partition{Topic: streamflow.TopicTicks}, messages, r.cur)
		if err != nil {
			r.t.Fatal(err)
		}
		r.cur.Fence, r.sent = fence, append(r.sent, messages...)
	}
}

func (r *fleetRig) change(what string, edit func(*streamflow.Desired)) {
	r.t.Helper()
	err := r.flags.change(r.t.Context(), slog.New(slog.DiscardHandler), "spread", func(d *streamflow.Desired) error { edit(d); return nil })
	if err != nil {
		r.t.Fatalf("%s: %v", what, err)
	}
}

// facts returns what the stream of results has, by subject in order; those that
// a replay repeats apart.
func (r *fleetRig) facts() (first, repeated map[string][]string) {
	r.t.Helper()
	first, repeated = make(map[string][]string), make(map[string][]string)
	err := r.js.Scan(r.t.Context(), streamflow.StreamResults, streamflow.SubjectAllResults, false, func(m *streamflow.Message) error {
		if m.Position.Topic == "" {
			return nil
		}
		to := first
		if slices.ContainsFunc(m.Headers, func(h streamflow.Header) bool { return h.Key == streamflow.HeaderReplay }) {
			to = repeated
		}
		to[m.Subject] = append(to[m.Subject], string(m.Data))
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return first, repeated
}

// want is what an undisturbed run over all ticks publishes.
func (r *fleetRig) want() map[string][]string {
	r.t.Helper()
	facts, err := spread.New().Try(r.sent...)
	if err != nil {
		r.t.Fatal(err)
	}
	want := make(map[string][]string)
	for _, m := range facts {
		want[m.Subject] = append(want[m.Subject], string(m.Data))
	}
	return want
}

func equalFacts(a, b map[string][]string) bool {
	return maps.EqualFunc(a, b, func(x, y []string) bool { return slices.Equal(x, y) })
}

// until waits for what must come to be.
func (r *fleetRig) until(what string, limit time.Duration, is func() bool) {
	r.t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	timeout := time.After(limit)
	for !is() {
		select {
		case <-look.C:
		case <-timeout:
			r.t.Fatalf("%s: not after %s", what, limit)
		}
	}
}

// One function is scaled, paused, resumed, taken over and replayed, and its
// results are those of an undisturbed run.
func TestFleetAgainstARealServer(t *testing.T) {
	r := newFleetRig(t)
	same := func() bool { first, _ := r.facts(); return equalFacts(first, r.want()) }
	r.send(20)
	r.change("start", func(d *streamflow.Desired) { d.State = streamflow.StateRunning })
	r.until("the first results", 2*time.Minute, same)
	r.send(10)
	r.change("scale to 4", func(d *streamflow.Desired) { d.Shards = 4 })
	r.send(10)
	r.until("results of 4 shards", 2*time.Minute, same)
	r.change("pause", func(d *streamflow.Desired) { d.State = streamflow.StatePaused })
	before, _ := r.facts()
	r.send(20)
	r.change("start", func(d *streamflow.Desired) { d.State = streamflow.StateRunning })
	r.until("results after the pause", 2*time.Minute, same)
	if after, _ := r.facts(); equalFacts(before, after) {
		t.Error("there is nothing new after the pause")
	}
	r.change("scale to 2", func(d *streamflow.Desired) { d.Shards = 2 })
	r.send(10)
	r.until("results of 2 shards", 2*time.Minute, same)

	r.kills[0]()
	began := time.Now()
	r.send(10)
	r.until("results after a worker died", 2*time.Minute, same)
	t.Logf("taken over after %s", time.Since(began).Round(10*time.Millisecond))
	r.until("the dead worker is given up", 2*time.Minute, func() bool {
		status, err := read(t.Context(), r.desk.status)
		if err != nil {
			t.Fatal(err)
		}
		row := functionRow{Name: "spread", Layout: streamflow.Layout{Shards: 2}, Places: make(map[string]fleet.Place)}
		row.fill(status)
		return len(row.Shards) == 2 && row.Shards[0].Worker != "" && row.Shards[0].Worker == row.Shards[1].Worker
	})

	r.change("replay", func(d *streamflow.Desired) { d.Replay = &streamflow.Replay{ID: "again", From: r.sent[0].Stored} })
	r.send(10)
	done := len(r.sent) - 200
	r.until("the replay", 2*time.Minute, func() bool {
		_, repeated := r.facts()
		n := 0
		for _, list := range repeated {
			n += len(list)
		}
		return n >= done/20/6*20-20 && same()
	})
}
