package alerts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"streamflow"
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
		err = fmt.Errorf("params of alerts: %w", err)
		plans, _ = newSettings(window.Default)
	}
	return plans, err
}

func readPolicy(params []byte) (window.Policy, error) {
	policy := window.Default
	if len(params) == 0 {
		return policy, nil
	}
	var s Settings
	d := json.NewDecoder(bytes.NewReader(params))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return policy, err
	}
	for _, f := range []struct {
		name, text string
		value      *time.Duration
	}{{"delay", s.Delay, &policy.Delay}, {"lateness", s.Lateness, &policy.Lateness}, {"grace", s.Grace, &policy.Grace}} {
		if f.text == "" {
			continue
		}
		v, err := time.ParseDuration(f.text)
		if err != nil {
			return policy, fmt.Errorf("%s %.40q: want a duration such as 90s", f.name, f.text)
		}
		*f.value = v
	}
	return policy, policy.Check()
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
