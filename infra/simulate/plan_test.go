package simulate

import (
	"testing"
	"time"
)

func TestPlanOfThirtyDays(t *testing.T) {
	p := Plan{Symbols: 5, From: epoch.Add(-30 * 24 * time.Hour), To: epoch, Finest: DefaultInterval}
	if n := p.Total(); n != 248_400 {
		t.Errorf("30 days of 5 symbols are %d ticks, want 248400", n)
	}
	checkPlan(t, p)
}

func TestPlansOfAllLengths(t *testing.T) {
	for _, symbols := range []int{1, 3, 7, 50} {
		for _, length := range []time.Duration{0, time.Millisecond, 1700 * time.Millisecond, 59 * time.Minute,
			90*time.Minute + 7*time.Second, 25*time.Hour + 11*time.Second} {
			for _, fine := range []time.Duration{time.Millisecond, DefaultInterval, time.Minute, 2 * time.Minute} {
				checkPlan(t, Plan{Symbols: symbols, From: epoch.Add(-length), To: epoch, Finest: fine})
			}
		}
	}
}

// checkPlan: as many as Total says, within the bounds, in order, and each
// symbol's last tick no more than a round from the end.
func checkPlan(t *testing.T, p Plan) {
	t.Helper()
	last := make([]time.Time, p.Symbols)
	var count int64
	previous := p.From
	for d := range p.All() {
		count++
		if d.At.Before(p.From) || !d.At.Before(p.To) || d.At.Before(previous) || !d.At.After(last[d.Symbol]) {
			t.Fatalf("%+v: tick %d of symbol %d at %s after %s and %s", p, count, d.Symbol, d.At, previous, last[d.Symbol])
		}
		previous, last[d.Symbol] = d.At, d.At
	}
	if count != p.Total() {
		t.Fatalf("%+v: %d ticks, Total says %d", p, count, p.Total())
	}
	round := max(p.Finest, time.Second)
	if p.To.Sub(p.From) < round {
		return
	}
	for i, at := range last {
		if p.To.Sub(at) > 2*round {
			t.Errorf("%+v: the last tick of symbol %d is %s before the end", p, i, p.To.Sub(at))
		}
	}
}

func TestPlanCanBeLeft(t *testing.T) {
	for range (Plan{Symbols: 2, From: epoch.Add(-time.Hour), To: epoch}).All() {
		break
	}
}
