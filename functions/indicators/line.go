package indicators

import (
	"slices"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/formula"
)

// line is the series of one symbol's candles of one interval.
//
// Where the formulas stood before recent is kept as bytes: a third of the
// memory, and nothing that the garbage collector would have to look at.
type line struct {
	before []byte        // the state of the formulas before recent
	recent []formula.Bar // the closed ones since, by time
	now    formula.Set   // behind recent
}

// output is what this room needs of a [functions.Output].
type output interface {
	Publish(subject string, data []byte)
	Scratch() []byte
}

var _ output = (*functions.Output)(nil)

// publisher is where a line's results go.
type publisher struct {
	output
	subject, symbol string
	interval        streamflow.Interval
}

func (p *publisher) publish(b *formula.Bar, values []streamflow.Value, trend streamflow.Trend, amended bool, last streamflow.Position) {
	if len(values) == 0 {
		return
	}
	p.Publish(p.subject, streamflow.Indicators{
		Symbol: p.symbol, Interval: p.interval, Time: time.UnixMicro(b.At).UTC(), Price: b.Close,
		Values: values, Trend: trend, Amended: amended, Last: last,
	}.AppendJSON(p.Scratch()))
}

// take takes in what one step has closed and amended, by time.
func (l *line) take(changes []change, w *work, out *publisher) {
	if n := len(l.recent); n > 0 && changes[0].At <= l.recent[n-1].At {
		l.again(changes, w, out)
		return
	}
	for i := range changes {
		c := &changes[i]
		l.now.Push(c.Bar)
		var trend streamflow.Trend
		w.values, trend = l.now.Values(w.values[:0])
		out.publish(&c.Bar, w.values, trend, false, c.last)
		l.recent = append(l.recent, c.Bar)
	}
}

// again goes over the recent candles twice, as they were and as they are, and
// publishes what is new or differs.
func (l *line) again(changes []change, w *work, out *publisher) {
	restore(w.old, l.before)
	restore(w.anew, l.before)
	last := changes[len(changes)-1].last
	first := changes[0].At
	w.merged = w.merged[:0]
	for rest := l.recent; len(rest) > 0 || len(changes) > 0; {
		var b formula.Bar
		was := len(rest) > 0 && (len(changes) == 0 || rest[0].At <= changes[0].At)
		if was {
			b = rest[0]
			w.old.Push(b)
			rest = rest[1:]
		}
		price, cause := b.Close, last
		if len(changes) > 0 && (!was || changes[0].At == b.At) {
			b, cause = changes[0].Bar, changes[0].last
			changes = changes[1:]
		}
		w.anew.Push(b)
		w.merged = append(w.merged, b)
		if b.At < first {
			continue
		}
		var trend streamflow.Trend
		w.values, trend = w.anew.Values(w.values[:0])
		if was {
			if w.before, _ = w.old.Values(w.before[:0]); price == b.Close && slices.Equal(w.before, w.values) {
				continue
			}
		}
		out.publish(&b, w.values, trend, was, cause)
	}
	l.recent = append(l.recent[:0], w.merged...)
	l.now, w.anew = w.anew, l.now
}

// restore reads a state that a set of the same specs has just written.
func restore(s formula.Set, state []byte) {
	if _, err := s.Decode(state); err != nil {
		panic(err) // the step fails, and is repeated from the checkpoint
	}
}

// settleBy is how many candles settle moves at once: each time costs as much as
// closing a candle does.
const settleBy = 8

// settle moves the candles that end at floor or before, and so cannot change any
// more, out of recent.
func (l *line) settle(floor int64, w *work) {
	n := 0
	for n < len(l.recent) && end(&l.recent[n]) <= floor {
		n++
	}
	if n < settleBy {
		return
	}
	restore(w.old, l.before)
	for _, b := range l.recent[:n] {
		w.old.Push(b)
	}
	l.before = w.old.Append(l.before[:0])
	l.recent = slices.Delete(l.recent, 0, n)
}
