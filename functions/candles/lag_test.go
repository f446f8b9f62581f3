package candles

import (
	"math/rand/v2"
	"testing"
	"time"

	"streamflow/functions"
)

// A bridge that is minutes behind, or is down for minutes, and brings the ticks
// by fits and starts: each time that nothing waits, the clock, which is far ahead
// of what was produced, closes what has ended. No tick is late because of it, and
// in the end all candles are those of a batch.
func TestBridgeThatLagsIsBatch(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 11))
		ticks := market(r, 1000, time.Minute)
		b, w := functions.NewBatch(New(Params{})), &wire{finals: newFinals(t)}
		lag := time.Duration(0)
		for _, a := range ticks {
			w.take(b.Step(message(a)))
			switch r.IntN(40) {
			case 0:
				lag = time.Duration(r.Int64N(int64(20 * time.Minute)))
			case 1, 2, 3:
				w.take(b.Advance(a.produced.Add(lag)))
			}
		}
		w.take(b.Advance(noon.AddDate(1, 0, 0)))
		w.equal(batch(ticks), true)
		if counts := b.Counts(); counts["late"] > 0 || w.amendments == 0 {
			t.Errorf("seed %d: counted is %v with %d amendments, want none late, and some", seed, counts, w.amendments)
		}
	}
}
