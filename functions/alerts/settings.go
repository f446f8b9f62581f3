package alerts

import (
	"fmt"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/candles"
	"streamflow/functions/window"
)

// Settings are the parameters of the function, those of the function candles:
// rules should see the candles that people see. Durations are Go's; "" is the
// default of window.Default.
type Settings struct {
	Delay    string `json:"delay,omitempty"`
	Lateness string `json:"lateness,omitempty"`
	Grace    string `json:"grace,omitempty"`
}

// settings are Settings that were read: how candles of each interval are made.
type settings map[streamflow.Interval]*candles.Plan

// parseSettings reads params. After an error the defaults are returned with it.
func parseSettings(params []byte) (settings, error) {
	policy, err := readPolicy(params)
	plans, bad := newSettings(policy)
	if err == nil {
		err = bad
	}
	if err != nil {
		plans, _ = newSettings(window.Default)
	}
	return plans, err
}

func readPolicy(params []byte) (window.Policy, error) {
	policy := window.Default
	s, err := functions.DecodeParams[Settings](streamflow.FunctionAlerts, params)
	if err == nil {
		err = functions.ReadDurations(streamflow.FunctionAlerts, functions.DurationParam{Name: "delay", Text: s.Delay, Value: &policy.Delay},
			functions.DurationParam{Name: "lateness", Text: s.Lateness, Value: &policy.Lateness},
			functions.DurationParam{Name: "grace", Text: s.Grace, Value: &policy.Grace})
	}
	if err != nil {
		return policy, err
	}
	if err = policy.Check(); err != nil {
		err = fmt.Errorf("params of %s: %w", streamflow.FunctionAlerts, err)
	}
	return policy, err
}

// newSettings makes a plan for each interval by itself, so that candles survive
// when rules bring another interval into play or take one out. A rule is not
// judged again when a candle is amended, so none is kept for long after it was
// closed: late ticks are taken as long as they may belong to an open one.
func newSettings(policy window.Policy) (settings, error) {
	s := make(settings)
	for _, i := range streamflow.Intervals {
		p := policy
		p.Lateness = min(p.Lateness, i.Duration())
		plan, err := candles.NewPlan(p, i)
		if err != nil {
			return nil, err
		}
		s[i] = plan
	}
	return s, nil
}
