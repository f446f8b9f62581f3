package logins

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"streamflow/functions/window"
)

// Params are the settings of the function. The zero value means the defaults.
// Durations are Go's, such as "90s".
type Params struct {
	Window   string `json:"window,omitempty"`   // length of a window; "10s"
	Delay    string `json:"delay,omitempty"`    // see window.Policy; "0s"
	Lateness string `json:"lateness,omitempty"` // "90s"
	Grace    string `json:"grace,omitempty"`    // "2s"
}

const (
	defaultWindow = 10 * time.Second
	// minWindow bounds how many windows a single login can close.
	minWindow = time.Second
)

// ParseParams reads and checks params; nil are the defaults. The error names the
// field that is wrong.
func ParseParams(data json.RawMessage) (Params, error) {
	var p Params
	if len(data) > 0 {
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if err := d.Decode(&p); err != nil {
			return Params{}, fmt.Errorf("params of logins: %w", err)
		}
	}
	_, err := p.plan()
	return p, err
}

func (p Params) plan() (*window.Plan, error) {
	policy, size := window.Default, defaultWindow
	for _, f := range []struct {
		name, text string
		value      *time.Duration
	}{{"window", p.Window, &size}, {"delay", p.Delay, &policy.Delay}, {"lateness", p.Lateness, &policy.Lateness}, {"grace", p.Grace, &policy.Grace}} {
		if f.text == "" {
			continue
		}
		var err error
		if *f.value, err = time.ParseDuration(f.text); err != nil {
			return nil, fmt.Errorf("params of logins: %s %.40q: want a duration such as 10s", f.name, f.text)
		}
	}
	if size < minWindow {
		return nil, fmt.Errorf("params of logins: window %s: want %s or more", size, minWindow)
	}
	plan, err := window.NewPlan(policy, window.Length{Size: size})
	if err != nil {
		return nil, fmt.Errorf("params of logins: %w", err)
	}
	return plan, nil
}
