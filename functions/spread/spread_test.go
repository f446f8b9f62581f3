package spread_test

import (
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/spread"
)

func TestSpread(t *testing.T) {
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	tick := func(after time.Duration, bid, ask float64) streamflow.Tick {
		return streamflow.Tick{Symbol: "AAPL", Price: 100, Time: noon.Add(after), Bid: bid, Ask: ask}
	}
	facts, err := spread.New().Try(functions.Ticks(
		tick(0, 100, 100.25), tick(20*time.Second, 100, 100.5), tick(30*time.Second, 0, 0),
		tick(time.Minute, 100, 101), tick(59*time.Second, 100, 109), // too late for its minute
		tick(3*time.Minute, 100, 100.25),
	)...)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"start":"2026-03-02T12:00:00Z","widest":0.5,"ticks":2}`,
		`{"start":"2026-03-02T12:01:00Z","widest":1,"ticks":1}`,
	}
	if len(facts) != len(want) {
		t.Fatalf("%d facts, want %d", len(facts), len(want))
	}
	for i, f := range facts {
		if f.Subject != "results.spread.AAPL" || string(f.Data) != want[i] {
			t.Errorf("%s: %s, want %s", f.Subject, f.Data, want[i])
		}
	}
}
