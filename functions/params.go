package functions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// DecodeParams reads the parameters of a function, of whatever form P has. None
// are the zero value, and a field that P has not is an error.
func DecodeParams[P any](function string, data json.RawMessage) (P, error) {
	var p P
	if len(data) == 0 {
		return p, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		var zero P
		return zero, fmt.Errorf("params of %s: %w", function, err)
	}
	return p, nil
}

// DurationParam is a parameter that is a duration.
type DurationParam struct {
	Name, Text string
	Value      *time.Duration // of Text; it stays as it is where that is ""
}

// ReadDurations reads durations such as "90s". The error names the first that is
// none.
func ReadDurations(function string, params ...DurationParam) error {
	for _, p := range params {
		if p.Text == "" {
			continue
		}
		d, err := time.ParseDuration(p.Text)
		if err != nil {
			return fmt.Errorf("params of %s: %s %.40q: want a duration such as 90s", function, p.Name, p.Text)
		}
		*p.Value = d
	}
	return nil
}
