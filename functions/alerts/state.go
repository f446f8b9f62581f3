package alerts

import (
	"math"
	"slices"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/candles"
	"streamflow/functions/formula"
)

// state is what the rules of one symbol need of its past. What the plan lists has
// the same index here. All times are Unix nanoseconds.
type state struct {
	plan       *plan
	symbol     string
	seen       bool                // a tick has come
	newest     int64               // event time of the newest tick
	produced   int64               // when the newest tick was produced
	price      float64             // of the newest tick
	last       streamflow.Position // of the newest tick
	values     []float64           // by slot; NaN is not there yet
	latches    []latch             // by rule
	builders   []candles.Builder   // by interval
	ends       []int64             // by interval: end of the newest candle that was judged
	averages   []average
	indicators []*formula.Indicator
	changes    []extremes

	// Of the step under way.
	closed []streamflow.Candle
	raised []streamflow.Alert
	done   func(streamflow.Candle)
}

// before is a time before all times.
const before = math.MinInt64

func newState(s *set, symbol string) state {
	p := s.plan(symbol)
	st := state{
		plan: p, symbol: symbol, newest: before, produced: before,
		values: make([]float64, len(p.slots)), latches: make([]latch, len(p.rules)),
	}
	for i := range st.values {
		st.values[i] = math.NaN()
	}
	for _, i := range p.intervals {
		st.builders = append(st.builders, candles.NewBuilder(s.params[i], symbol))
		st.ends = append(st.ends, before)
	}
	for _, a := range p.averages {
		st.averages = append(st.averages, newAverage(a.count))
	}
	for _, x := range p.indicators {
		st.indicators = append(st.indicators, x.spec.New())
	}
	for _, x := range p.changes {
		st.changes = append(st.changes, newExtremes(x.window))
	}
	return st
}

// step takes a tick in, or looks at the clock, and publishes what was raised.
func (s *state) step(in *functions.Input, out *functions.Output) error {
	s.raised = s.raised[:0]
	if in.Message == nil {
		s.woken(in.Now, out)
	} else {
		s.tick(in, out)
	}
	for i := range s.raised {
		// One step may judge a rule several times, when a tick ends a gap in which
		// several candles ended: then there can be more than one write holds.
		if i == functions.MaxFacts {
			out.Count("dropped", int64(len(s.raised)-i))
			break
		}
		out.PublishJSON(streamflow.AlertSubject(s.symbol), &s.raised[i])
	}
	return nil
}

// tick takes a tick in.
//
// One that is older than the newest one says what the price was, not what it is:
// it counts in candles that are still open and in windows of change, and shows
// that the feed is alive, but no rule is judged by it.
func (s *state) tick(in *functions.Input, out *functions.Output) {
	produced, at := in.Produced(), nanos(in.Tick.Time)
	// The clock of a tick may be ahead: its time counts up to when it was
	// produced, lest all that follow count as late.
	now := at
	if p := nanos(produced); p >= sane {
		now = min(at, p)
	}
	s.alive(nanos(produced))
	late := at < s.newest
	if !late {
		s.price, s.last, s.newest, s.seen = in.Tick.Price, in.Message.Position, max(s.newest, now), true
	}
	s.build(&in.Tick, in.Message.Position, produced)
	s.judgeClosed(out)
	for i := range s.changes {
		s.changes[i].add(now, in.Tick.Price)
	}
	if late {
		out.Count("late", 1)
		return
	}
	s.fill(&in.Tick)
	for _, i := range s.plan.onTicks {
		if s.latches[i].judge(&s.plan.rules[i], s.values) {
			s.fire(i, occasion{at: at, now: now, cause: s.last.String()}, out)
		}
	}
}

// sane is 2011-01-01. What is said to have been produced before, when there was
// no Kafka, has no time of production.
const sane = 1293840000 * int64(time.Second)

// alive notes that a tick has come: silence begins anew.
func (s *state) alive(produced int64) {
	s.produced = max(s.produced, produced)
	for _, i := range s.plan.onSilence {
		s.latches[i].spent = false
	}
}

// fill puts the tick into the slots that follow it.
func (s *state) fill(t *streamflow.Tick) {
	s.values[slotPrice], s.values[slotVolume] = t.Price, float64(t.Volume)
	for i, x := range s.plan.indicators {
		if x.interval < 0 {
			s.indicators[i].Push(formula.OfTick(t))
			s.read(i)
		}
	}
	for i, x := range s.plan.changes {
		for _, m := range x.moves {
			s.values[m.slot], s.values[m.slot+1] = s.changes[i].change(m.move, t.Price)
		}
	}
}

// read puts the values of an indicator into their slots.
func (s *state) read(indicator int) {
	for _, part := range s.plan.indicators[indicator].parts {
		v, ok := s.indicators[indicator].Value(part.part)
		if !ok {
			v = math.NaN()
		}
		s.values[part.slot] = v
	}
}

// build adds the tick to the candles and notes which are closed.
func (s *state) build(t *streamflow.Tick, at streamflow.Position, produced time.Time) {
	for i := range s.builders {
		s.builders[i].Add(*t, at, produced, s.noting())
	}
}

// noting returns close, which is bound once: a step should not allocate.
func (s *state) noting() func(streamflow.Candle) {
	if s.done == nil {
		s.done = s.close
	}
	return s.done
}

// close notes a candle that is done. One that was amended, or that only late
// ticks have made, was not there when rules were judged, and is left alone.
func (s *state) close(c streamflow.Candle) {
	i := slices.Index(s.plan.intervals, c.Interval)
	if end := nanos(c.End()); c.Amended == 0 && end > s.ends[i] {
		s.ends[i] = end
		s.closed = append(s.closed, c)
	}
}

// judgeClosed takes the closed candles in, in the order of their ends. Candles of
// several intervals that end at the same time are taken in together before any
// rule is judged: it may compare them.
func (s *state) judgeClosed(out *functions.Output) {
	if len(s.closed) == 0 {
		return
	}
	slices.SortStableFunc(s.closed, func(a, b streamflow.Candle) int { return a.End().Compare(b.End()) })
	for i := 0; i < len(s.closed); {
		end, ended := s.closed[i].End(), uint8(0)
		for ; i < len(s.closed) && s.closed[i].End().Equal(end); i++ {
			ended |= s.take(&s.closed[i])
		}
		for _, r := range s.plan.onCandles {
			if p := &s.plan.rules[r]; p.intervals&ended != 0 && s.latches[r].judge(p, s.values) {
				s.fire(r, occasion{at: nanos(end), now: nanos(end), cause: "candle " + end.Format(time.RFC3339Nano)}, out)
			}
		}
	}
	s.closed = s.closed[:0]
}

// take puts a closed candle into the slots of its interval, and returns the
// interval's bit.
func (s *state) take(c *streamflow.Candle) uint8 {
	interval := slices.Index(s.plan.intervals, c.Interval)
	for _, x := range s.plan.candles {
		if x.interval == interval {
			s.values[x.slot] = field(c, x.field)
		}
	}
	for i, x := range s.plan.averages {
		if x.interval == interval {
			s.values[x.slot] = s.averages[i].push(c.Volume)
		}
	}
	for i, x := range s.plan.indicators {
		if x.interval == interval {
			s.indicators[i].Push(formula.OfCandle(c))
			s.read(i)
		}
	}
	return 1 << interval
}

func field(c *streamflow.Candle, name string) float64 {
	switch name {
	case "open":
		return c.Open
	case "high":
		return c.High
	case "low":
		return c.Low
	case "close":
		return c.Close
	}
	return float64(c.Volume)
}

// wake returns when there is something to do that no tick causes: a candle to
// close, or a silence that has lasted long enough.
func (s *state) wake() time.Time {
	var next time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for i := range s.builders {
		sooner(s.builders[i].Wake())
	}
	for _, i := range s.plan.onSilence {
		if s.seen && !s.latches[i].spent {
			sooner(s.due(i))
		}
	}
	return next
}

// due is when the feed counts as stale for a rule.
func (s *state) due(rule int) time.Time {
	return time.Unix(0, s.produced).Add(s.plan.rules[rule].condition.stale).UTC()
}

// woken does what wake has announced.
func (s *state) woken(now time.Time, out *functions.Output) {
	for i := range s.builders {
		s.builders[i].Advance(now, s.noting())
	}
	s.judgeClosed(out)
	for _, i := range s.plan.onSilence {
		due := s.due(i)
		if !s.seen || s.latches[i].spent || now.Before(due) {
			continue
		}
		s.latches[i].spent = true
		s.fire(i, occasion{at: nanos(due), now: nanos(due), cause: "silence " + due.Format(time.RFC3339Nano)}, out)
	}
}

// nanos returns t as Unix nanoseconds, held within what they can express.
func nanos(t time.Time) int64 {
	const most = 9_000_000_000 // seconds: the years 1685 to 2255
	return max(-most, min(t.Unix(), most))*int64(time.Second) + int64(t.Nanosecond())
}
