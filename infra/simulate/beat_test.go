package simulate

import (
	"testing"
	"time"
)

func TestRoundsAreSpread(t *testing.T) {
	b := newBeat(epoch, 5, 1500*time.Millisecond, 0)
	for k := range int64(12) {
		d := b.at(k)
		if want := epoch.Add(time.Duration(k) * 300 * time.Millisecond); d.Symbol != int(k%5) || !d.At.Equal(want) {
			t.Errorf("tick %d: %+v, want symbol %d at %s", k, d, k%5, want)
		}
	}
	if w := b.wait(epoch.Add(-time.Second)); w != time.Second {
		t.Errorf("the first tick is due in %s, want 1s", w)
	}
}

// TestTakeTakesEveryTickOnce at any rate, however the looks at the clock fall.
func TestTakeTakesEveryTickOnce(t *testing.T) {
	for _, c := range []struct{ symbols, rate int }{{1, 1}, {5, 200_000}, {7, 33}, {500, 150_000}, {3, 199_999}, {100, 7}} {
		b := newBeat(epoch, c.symbols, 0, c.rate)
		last := make([]time.Time, c.symbols)
		var next int64
		now := epoch
		for step := 0; now.Sub(epoch) < time.Second; step++ {
			now = now.Add(time.Duration(step%13) * time.Millisecond)
			from, to, skipped := b.take(now)
			if from != next || skipped != 0 {
				t.Fatalf("%+v: from %d, skipped %d; want from %d", c, from, skipped, next)
			}
			for k := from; k < to; k++ {
				d := b.at(k)
				if d.At.After(now) || !d.At.After(last[d.Symbol]) {
					t.Fatalf("%+v: tick %d at %s, after %s, now %s", c, k, d.At, last[d.Symbol], now)
				}
				last[d.Symbol] = d.At
			}
			if next = to; !b.at(next).At.After(now) {
				t.Fatalf("%+v: tick %d is due and was not taken", c, next)
			}
		}
		want := now.Sub(epoch).Seconds() * float64(c.rate)
		if got := float64(next); got < 0.999*want-1 || got > 1.001*want+float64(c.symbols) {
			t.Errorf("%+v: %v ticks, want %.0f", c, got, want)
		}
	}
}

func TestLateRoundsAreSkipped(t *testing.T) {
	b := newBeat(epoch, 5, 1500*time.Millisecond, 0)
	b.take(epoch.Add(1400 * time.Millisecond)) // round 0
	from, to, skipped := b.take(epoch.Add(time.Hour + 700*time.Millisecond))
	if round := int64(time.Hour / (1500 * time.Millisecond)); from != 5*round || to != 5*round+3 || skipped != 5*round-5 {
		t.Errorf("after an hour ticks %d to %d, %d skipped", from, to, skipped)
	}
	if _, _, skipped := b.take(epoch.Add(time.Hour + 2*time.Second)); skipped != 0 {
		t.Errorf("%d skipped although on time", skipped)
	}
}

func TestClockSetBack(t *testing.T) {
	b := newBeat(epoch, 2, time.Second, 0)
	_, last, _ := b.take(epoch.Add(time.Hour))
	if from, to, _ := b.take(epoch.Add(time.Hour - 10*time.Second)); from != to {
		t.Error("a small correction of the clock must not repeat times")
	}
	now := epoch.Add(-24 * time.Hour)
	b.take(now)
	from, to, skipped := b.take(now.Add(time.Second))
	if from != last || to == from || skipped != 0 {
		t.Errorf("the clock was set back by a day: ticks %d to %d, %d skipped; want them to go on from %d", from, to, skipped, last)
	}
	if d := b.at(to - 1).At.Sub(now); d < -time.Second || d > 2*time.Second {
		t.Errorf("the last tick is %s from the new time", d)
	}
}
