package indicators

import (
	"cmp"
	"slices"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/candles"
	"streamflow/functions/formula"
	"streamflow/functions/window"
)

// state is what the function keeps of a symbol.
type state struct {
	plan    *plan
	symbol  string
	subject string
	candles candles.Builder
	lines   []line // by the index of their interval

	ticks formula.Set // on single ticks; nil if they are not asked for
	time  time.Time   // of the newest tick in them
	price float64     // of that; 0 if there was none
	last  streamflow.Position
}

// New returns the function indicators. It panics if params are not what
// [ParseParams] accepts.
func New(params Params) *functions.Function {
	p, err := params.plan()
	if err != nil {
		panic(err)
	}
	return p.function().Build()
}

func (p *plan) function() functions.Func[state] {
	f := functions.Func[state]{
		Name:    streamflow.FunctionIndicators,
		Does:    "technical indicators on ticks and on closed candles",
		Writes:  streamflow.StreamIndicators,
		Version: p.version(),
		New:     func(symbol string) state { return newState(p, symbol) },
		Step:    step,
		Wake:    func(s *state) time.Time { return s.candles.Wake() },
	}
	if p.ticks {
		f.View = view
	}
	return f
}

func newState(p *plan, symbol string) state {
	s := state{
		plan: p, symbol: symbol, subject: streamflow.IndicatorSubject(symbol),
		candles: candles.NewBuilder(p.candles, symbol), lines: make([]line, len(p.intervals)),
	}
	for i := range s.lines {
		s.lines[i] = line{before: p.specs.New().Append(nil), now: p.specs.New()}
	}
	if p.ticks {
		s.ticks = p.specs.New()
	}
	return s
}

func step(s *state, in *functions.Input, out *functions.Output) error {
	switch s.step(in, out) {
	case window.Late:
		out.Count("late", 1)
	case window.Ahead:
		out.Count("ahead", 1)
	}
	return nil
}

func (s *state) step(in *functions.Input, out output) (verdict window.Verdict) {
	var w *work // most ticks close nothing
	done := func(c streamflow.Candle) {
		if w == nil {
			w = s.plan.take()
		}
		w.took(s.plan, &c)
	}
	if in.Message == nil {
		s.candles.Advance(in.Now, done)
	} else {
		if verdict = s.candles.Add(in.Tick, in.Message.Position, in.Produced(), done); verdict == window.Taken {
			s.tick(in)
		}
	}
	if w != nil {
		s.close(w, out)
		s.plan.work.Put(w)
	}
	return verdict
}

// tick takes a tick into the indicators on ticks, but for one that is late: what
// is live does not go back in time.
func (s *state) tick(in *functions.Input) {
	if s.ticks == nil || in.Tick.Time.Before(s.candles.Watermark()) {
		return
	}
	s.ticks.Push(formula.OfTick(&in.Tick))
	s.time, s.price, s.last = in.Tick.Time, in.Tick.Price, in.Message.Position
}

// close computes on the candles that a step has closed or amended.
func (s *state) close(w *work, out output) {
	slices.SortFunc(w.changes, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.interval, b.interval), cmp.Compare(a.At, b.At))
	})
	floor := s.candles.Floor().UnixMicro()
	for rest := w.changes; len(rest) > 0; {
		n := rest[0].interval
		until := 1
		for until < len(rest) && rest[until].interval == n {
			until++
		}
		p := publisher{output: out, subject: s.subject, symbol: s.symbol, interval: s.plan.intervals[n]}
		s.lines[n].take(rest[:until], w, &p)
		s.lines[n].settle(floor, w)
		rest = rest[until:]
	}
}

// view shows the indicators on the newest tick.
func view(s *state, _ string, out *functions.Output) {
	if s.price == 0 {
		return
	}
	values, trend := s.ticks.Values(nil)
	out.View(s.subject, streamflow.Indicators{
		Symbol: s.symbol, Interval: streamflow.IntervalTick, Time: s.time, Price: s.price,
		Values: values, Trend: trend, Last: s.last,
	}.AppendJSON(out.Scratch()))
}
