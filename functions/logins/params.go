package logins

import (
	"encoding/json"
	"fmt"
	"time"

	"streamflow"
	"streamflow/functions"
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
	p, err := functions.DecodeParams[Params](streamflow.FunctionLogins, data)
	if err == nil {
		_, err = p.plan()
	}
	return p, err
}

func (p Params) plan() (*window.Plan, error) {
	policy, size := window.Default, defaultWindow
	err := functions.ReadDurations(streamflow.FunctionLogins, functions.DurationParam{Name: "window", Text: p.Window, Value: &size},
		functions.DurationParam{Name: "delay", Text: p.Delay, Value: &policy.Delay},
		functions.DurationParam{Name: "lateness", Text: p.Lateness, Value: &policy.Lateness},
		functions.DurationParam{Name: "grace", Text: p.Grace, Value: &policy.Grace})
	if err != nil {
		return nil, err
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
