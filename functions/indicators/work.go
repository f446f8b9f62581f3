package indicators

import (
	"slices"

	"streamflow"
	"streamflow/functions/formula"
)

// end is the first instant behind a candle, in Unix microseconds.
func end(b *formula.Bar) int64 { return b.At + b.Span.Microseconds() }

// change is a candle that was closed or amended by a step.
type change struct {
	formula.Bar
	interval int
	last     streamflow.Position
}

// work is what a step that closes candles needs for itself. It is shared by all
// symbols: few steps do.
type work struct {
	changes   []change
	old, anew formula.Set
	merged    []formula.Bar
	values    []streamflow.Value
	before    []streamflow.Value
}

func (p *plan) take() *work {
	w := p.work.Get().(*work)
	w.changes = w.changes[:0]
	return w
}

// took keeps a candle until the builder has handed all of them out. A candle
// that is there already is replaced: a step publishes each at most once.
func (w *work) took(p *plan, c *streamflow.Candle) {
	n := slices.Index(p.intervals, c.Interval)
	if n < 0 {
		return
	}
	x := change{Bar: formula.OfCandle(c), interval: n, last: c.Last}
	for i := range w.changes {
		if w.changes[i].interval == n && w.changes[i].At == x.At {
			w.changes[i] = x
			return
		}
	}
	w.changes = append(w.changes, x)
}
