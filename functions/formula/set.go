package formula

import (
	"fmt"

	"streamflow"
	"streamflow/functions/coder"
)

// MaxSpecs is how many indicators a set may hold.
const MaxSpecs = 64

// Defaults are the indicators that traders expect, with their usual numbers.
func Defaults() []string {
	return []string{
		"sma(20)", "sma(50)", "ema(12)", "ema(26)", "wma(20)", "rsi(14)", "macd(12,26,9)", "bollinger(20,2)",
		"vwap", "atr(14)", "stochastic(14,3,3)", "obv", "adx(14)", "roc(12)", "volatility(20,252,390)", "trend(12,26,14,0.5)",
	}
}

// Specs are indicators that are computed side by side, in a fixed order.
type Specs []*Spec

// ParseSpecs reads a list of texts. The error names the one that is wrong, or
// that is there twice.
func ParseSpecs(texts []string) (Specs, error) {
	if len(texts) == 0 || len(texts) > MaxSpecs {
		return nil, fmt.Errorf("%d indicators; want 1 to %d", len(texts), MaxSpecs)
	}
	var specs Specs
	seen := make(map[string]string)
	for _, text := range texts {
		s, err := ParseSpec(text)
		if err != nil {
			return nil, err
		}
		if other, ok := seen[s.text]; ok {
			return nil, fmt.Errorf("indicator %.60q is the same as %.60q", text, other)
		}
		seen[s.text] = text
		specs = append(specs, s)
	}
	return specs, nil
}

// WarmUp returns how many bars it takes until all values are there.
func (s Specs) WarmUp() int {
	longest := 0
	for _, spec := range s {
		longest = max(longest, spec.WarmUp())
	}
	return longest
}

// New returns the indicators before their first bar.
func (s Specs) New() Set {
	all := make(Set, len(s))
	for i, spec := range s {
		all[i] = *spec.New()
	}
	return all
}

// Set is a list of indicators of one series of bars.
type Set []Indicator

// Push takes the next bar in, as [Indicator.Push] does.
func (s Set) Push(b Bar) {
	if !b.usable() {
		return
	}
	for i := range s {
		s[i].formula.push(b)
	}
}

// Values appends what has warmed up, and returns the trend: that of the first
// indicator of kind trend, "" if there is none yet.
func (s Set) Values(to []streamflow.Value) ([]streamflow.Value, streamflow.Trend) {
	var trend streamflow.Trend
	for i := range s {
		to = s[i].Values(to)
		if trend == "" {
			trend = s[i].Trend()
		}
	}
	return to, trend
}

// Append appends the state of all to b.
func (s Set) Append(b []byte) []byte {
	c := codec{*coder.Writer(b)}
	for i := range s {
		s[i].formula.state(&c)
	}
	return c.Bytes()
}

// Decode reads what a set of the same specs has appended and returns what stands
// behind it. After an error the set is of no use.
func (s Set) Decode(data []byte) (rest []byte, err error) {
	c := codec{*coder.Reader(data)}
	for i := range s {
		if s[i].formula.state(&c); c.Err() != nil {
			return nil, fmt.Errorf("state of %s: %w", s[i].spec.text, c.Err())
		}
	}
	return c.Bytes(), nil
}
