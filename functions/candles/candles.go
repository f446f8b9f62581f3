package candles

import (
	"strings"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/window"
)

// state is what the function keeps of a symbol.
type state struct {
	Builder
	subjects []string // of the candles, by the index of their interval: no step makes them anew
}

// New returns the function candles: each candle once when it is closed, again
// whenever late ticks amend it, and what grows as views. It panics if params are
// not what [ParseParams] accepts.
func New(params Params) *functions.Function {
	plan, err := params.Plan()
	if err != nil {
		panic(err)
	}
	return functions.Func[state]{
		Name:    streamflow.FunctionCandles,
		Does:    "candles of ticks, " + names(plan, ", "),
		Writes:  streamflow.StreamCandles,
		Version: "1:" + names(plan, ","), // a state holds the windows of these intervals, and no others
		New:     func(symbol string) state { return newState(plan, symbol) },
		Step:    step,
		Wake:    func(s *state) time.Time { return s.Wake() },
		View:    view,
	}.Build()
}

func names(p *Plan, between string) string {
	var b strings.Builder
	for n, i := range p.intervals {
		if n > 0 {
			b.WriteString(between)
		}
		b.WriteString(string(i))
	}
	return b.String()
}

func newState(p *Plan, symbol string) state {
	s := state{Builder: NewBuilder(p, symbol)}
	for _, i := range p.intervals {
		s.subjects = append(s.subjects, streamflow.CandleSubject(i, symbol))
	}
	return s
}

func step(s *state, in *functions.Input, out *functions.Output) error {
	publish := func(n int, c streamflow.Candle) { out.Publish(s.subjects[n], c.AppendJSON(out.Scratch())) }
	if in.Message == nil {
		s.advance(in.Now, publish)
		return nil
	}
	switch s.add(in.Tick, in.Message.Position, in.Produced(), publish) {
	case window.Late:
		out.Count("late", 1)
	case window.Ahead:
		out.Count("ahead", 1)
	}
	return nil
}

func view(s *state, _ string, out *functions.Output) {
	for n, subject := range s.subjects {
		if c, ok := s.growing(n); ok {
			out.View(subject, c.AppendJSON(out.Scratch()))
		}
	}
}
