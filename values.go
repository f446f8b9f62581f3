package streamflow

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// values reads a JSON object of numbers in the order of its text.
type values []Value

// UnmarshalJSON reads {"name":number,...}.
func (v *values) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("values: want an object of numbers, not %.40s", data)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return fmt.Errorf("values: %w", err)
		}
		var number float64
		if err := d.Decode(&number); err != nil {
			return fmt.Errorf("values: %v: %w", name, err)
		}
		*v = append(*v, Value{Name: name.(string), Value: number})
	}
	return nil
}
