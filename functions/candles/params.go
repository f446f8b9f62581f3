package candles

import (
	"encoding/json"
	"fmt"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/window"
)

// Params are the settings of the function, and of all others that build candles.
// The zero value means the defaults. Durations are Go's, such as "90s".
type Params struct {
	Intervals []streamflow.Interval `json:"intervals,omitempty"` // of the candles; none is all
	Delay     string                `json:"delay,omitempty"`     // see window.Policy; "0s"
	Lateness  string                `json:"lateness,omitempty"`  // "90s"
	Grace     string                `json:"grace,omitempty"`     // "2s"
}

// ParseParams reads and checks params; nil are the defaults. The error names the
// field that is wrong.
func ParseParams(data json.RawMessage) (Params, error) {
	p, err := functions.DecodeParams[Params](streamflow.FunctionCandles, data)
	if err == nil {
		_, err = p.Plan()
	}
	return p, err
}

// Plan checks p and returns what the builders need of it.
func (p Params) Plan() (*Plan, error) {
	policy := window.Default
	err := functions.ReadDurations(streamflow.FunctionCandles, functions.DurationParam{Name: "delay", Text: p.Delay, Value: &policy.Delay},
		functions.DurationParam{Name: "lateness", Text: p.Lateness, Value: &policy.Lateness},
		functions.DurationParam{Name: "grace", Text: p.Grace, Value: &policy.Grace})
	if err != nil {
		return nil, err
	}
	plan, err := NewPlan(policy, p.Intervals...)
	if err != nil {
		return nil, fmt.Errorf("params of candles: %w", err)
	}
	return plan, nil
}
