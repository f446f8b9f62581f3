package candles

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"streamflow"
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
	var p Params
	if len(data) == 0 {
		return p, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Params{}, fmt.Errorf("params of candles: %w", err)
	}
	_, err := p.Plan()
	return p, err
}

// Plan checks p and returns what the builders need of it.
func (p Params) Plan() (*Plan, error) {
	policy := window.Default
	for _, f := range []struct {
		name, text string
		value      *time.Duration
	}{{"delay", p.Delay, &policy.Delay}, {"lateness", p.Lateness, &policy.Lateness}, {"grace", p.Grace, &policy.Grace}} {
		if f.text == "" {
			continue
		}
		var err error
		if *f.value, err = time.ParseDuration(f.text); err != nil {
			return nil, fmt.Errorf("params of candles: %s %.40q: want a duration such as %s", f.name, f.text, "90s")
		}
	}
	plan, err := NewPlan(policy, p.Intervals...)
	if err != nil {
		return nil, fmt.Errorf("params of candles: %w", err)
	}
	return plan, nil
}
