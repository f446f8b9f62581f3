//go:build unix

package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"streamflow"
)

// inProcess runs so many workers of the audited functions in this process,
// under the race detector, until the test ends.
func (w *world) inProcess(n int, names ...string) {
	w.t.Helper()
	entries, err := lookUpAll(names)
	if err != nil {
		w.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	for i := range n {
		p, err := newFleet(servers{natsFlags: natsFlags{NATS: "nats://" + w.nats}}, entries, 0, newJointMetrics(nil, nil), log.With("test_worker", i))
		if err != nil {
			w.t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); _ = p.run(ctx) }()
		w.t.Cleanup(func() { cancel(); <-done; p.close() })
	}
}

// command runs a command of the program in this process.
func (w *world) command(name string, c interface {
	Run(context.Context, *slog.Logger) error
}) {
	w.t.Helper()
	began := time.Now()
	if err := c.Run(w.t.Context(), slog.New(slog.DiscardHandler)); err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	w.t.Logf("%s: done after %s", name, time.Since(began).Round(10*time.Millisecond))
}

// TestFunctionsChangeUnderLoad scales, pauses and replays functions while ticks
// come, and compares what they publish with an undisturbed run.
func TestFunctionsChangeUnderLoad(t *testing.T) {
	w := newWorld(t)
	f := w.onlyNATS(6, 400)
	w.desire(1)
	w.inProcess(2, audited[:3]...)
	flags := waitFlags{natsFlags: natsFlags{NATS: "nats://" + w.nats}, Wait: 2 * time.Minute}
	candles, indicators := w.clockShards(streamflow.StreamCandles), w.clockShards(streamflow.StreamIndicators)
	grow := func(what string, facts *shardClock) {
		t.Helper()
		seen := facts.count()
		took := w.await(what, 2*time.Minute, func() bool { return facts.count() > seen+200 })
		t.Logf("%s after %s", what, took.Round(10*time.Millisecond))
	}
	grow("the first candles", candles)
	scale := func(name string, shards int) {
		t.Helper()
		w.command("scale", &functionsScaleCmd{Name: name, Shards: shards, waitFlags: flags})
	}
	scale(streamflow.FunctionCandles, 4)
	scale(streamflow.FunctionAlerts, 3)
	grow("candles of 4 shards", candles)
	w.command("pause", &functionsPauseCmd{Name: streamflow.FunctionIndicators, waitFlags: flags})
	rested := len(w.facts(streamflow.StreamIndicators))
	scale(streamflow.FunctionCandles, 2)
	grow("candles of 2 shards", candles)
	if n := len(w.facts(streamflow.StreamIndicators)); n != rested {
		t.Errorf("a paused function has published %d facts", n-rested)
	}
	w.command("start", &functionsStartCmd{Name: streamflow.FunctionIndicators, waitFlags: flags})
	grow("indicators after the pause", indicators)
	from := f.market.began.Add(time.Since(f.market.began) / 2).UTC().Truncate(time.Second)
	replay := func(name string) time.Time {
		t.Helper()
		w.command("replay", &functionsReplayCmd{Name: name, From: from.Format(time.RFC3339), waitFlags: flags})
		return time.Now()
	}
	began := time.Now()
	replay(streamflow.FunctionCandles)
	replay(streamflow.FunctionAlerts)
	scale(streamflow.FunctionCandles, 3) // in the midst of it
	grow("candles after the replay", candles)
	all, want, repeated := w.asUndisturbed(f)
	for id, a := range want.alerts {
		switch {
		case !a.produced.Before(from) && a.produced.Before(began.Add(-2*time.Second)) && !a.produced.IsZero() && repeated[id] == 0:
			t.Errorf("the replay leaves out alert %s: %s", id, a.data)
		case a.produced.Before(from) && !a.produced.IsZero() && repeated[id] > 0 && alertOf(t, []byte(a.data)).Rule != "silence":
			t.Errorf("the replay repeats alert %s, from before %s: %s", id, from, a.data)
		}
	}
	again := 0
	for _, x := range all.candles {
		if x.replay {
			again++
		}
	}
	t.Logf("equal to the batch: %d candles (%d facts, %d of them repeated), %d indicators (%d facts), %d alerts (%d repeated)",
		len(want.candles), len(all.candles), again, len(want.values), len(all.indicators), len(want.alerts), len(repeated))
	if again == 0 || len(repeated) == 0 {
		t.Error("the replays repeat nothing")
	}
}
