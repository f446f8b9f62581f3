package buckets

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"streamflow"
	"streamflow/functions"
)

// Params are the bounds of the classes, in whatever currency a price is. Prices
// below Medium are low, those from High on are high. 0 is the default.
type Params struct {
	Medium float64 `json:"medium,omitempty"` // 20
	High   float64 `json:"high,omitempty"`   // 100
}

const (
	defaultMedium = 20
	defaultHigh   = 100
)

// ParseParams reads and checks params; nil are the defaults. The error names the
// field that is wrong.
func ParseParams(data json.RawMessage) (Params, error) {
	p, err := functions.DecodeParams[Params](streamflow.FunctionBuckets, data)
	if err == nil {
		err = p.check()
	}
	return p, err
}

func (p Params) bounds() (medium, high float64) {
	medium, high = p.Medium, p.High
	if medium == 0 {
		medium = defaultMedium
	}
	if high == 0 {
		high = max(defaultHigh, medium)
	}
	return medium, high
}

func (p Params) check() error {
	medium, high := p.bounds()
	switch {
	case !(medium > 0) || math.IsInf(medium, 0):
		return fmt.Errorf("params of buckets: medium %v: want a price above 0, from which on prices are medium", p.Medium)
	case !(high >= medium) || math.IsInf(high, 0):
		return errors.New("params of buckets: high " + number(high) + ": want a price from medium (" + number(medium) + ") on, from which on prices are high")
	}
	return nil
}

// String tells the classes: "low < 20 <= medium < 100 <= high".
func (p Params) String() string {
	medium, high := p.bounds()
	return "low < " + number(medium) + " <= medium < " + number(high) + " <= high"
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// Class returns the class of a price.
func (p Params) Class(price float64) Class {
	medium, high := p.bounds()
	switch {
	case price < medium:
		return Low
	case price < high:
		return Medium
	}
	return High
}
