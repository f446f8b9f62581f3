// Package spread is an example of a function of one's own, and of some use: the
// widest spread between bid and ask of each symbol and minute.
package spread

import (
	"time"

	"streamflow"
	"streamflow/functions"
)

// minute is what is kept of a symbol, and what is published of it.
type minute struct {
	Start  time.Time `json:"start"`
	Widest float64   `json:"widest"` // ask - bid, in the symbol's currency
	Ticks  int       `json:"ticks"`  // that told both
}

// New returns the function.
func New() *functions.Function {
	return functions.Func[minute]{
		Name: "spread", Does: "widest spread of bid and ask, by symbol and minute", Version: "1", Step: step,
	}.Build()
}

// step takes a tick in. The first one of a minute publishes the minute before.
func step(m *minute, in *functions.Input, out *functions.Output) error {
	start := in.Tick.Time.Truncate(time.Minute)
	switch {
	case in.Tick.Bid == 0 || in.Tick.Ask == 0:
		return nil
	case start.Before(m.Start):
		out.Count("late", 1)
		return nil
	case start.After(m.Start) && m.Ticks > 0:
		out.PublishJSON(streamflow.ResultSubject("spread", in.Key), m)
		*m = minute{}
	}
	*m = minute{Start: start, Widest: max(m.Widest, in.Tick.Ask-in.Tick.Bid), Ticks: m.Ticks + 1}
	return nil
}
