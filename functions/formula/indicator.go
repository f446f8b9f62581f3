package formula

import (
	"fmt"
	"math"

	"streamflow"
	"streamflow/functions/coder"
)

// Indicator is one indicator of one series of bars. It is not safe for
// concurrent use.
type Indicator struct {
	spec    *Spec
	formula formula
}

// formula is what each file of this package brings.
type formula interface {
	push(b Bar)
	// values returns the value of each part, in their order; NaN where there is
	// none. What stands behind the parts has no meaning.
	values() [maxParts]float64
	// state reads or writes all that push changes.
	state(c *codec)
}

// Parse reads the text of an indicator, such as "macd(12,26,9)" or "sma". The
// error says what is wrong and what there is.
func Parse(spec string) (*Indicator, error) {
	s, err := ParseSpec(spec)
	if err != nil {
		return nil, err
	}
	return s.New(), nil
}

// Spec returns what it was made from.
func (i *Indicator) Spec() *Spec { return i.spec }

// Push takes the next bar in. A bar with prices outside of [MinPrice] to
// [MaxPrice], or with a close outside of low and high, is left out.
func (i *Indicator) Push(b Bar) {
	if b.usable() {
		i.formula.push(b)
	}
}

// Values appends the values that have warmed up, the main one first.
func (i *Indicator) Values(to []streamflow.Value) []streamflow.Value {
	all := i.formula.values()
	for n, v := range all[:len(i.spec.names)] {
		// v-v is 0 for what is finite, NaN for what is not.
		if v-v == 0 {
			to = append(to, streamflow.Value{Name: i.spec.names[n], Value: v})
		}
	}
	return to
}

// Value returns the value of a part, the main one for 0, and whether there is one.
func (i *Indicator) Value(part int) (float64, bool) {
	v := i.formula.values()[part]
	return v, v-v == 0
}

// Append appends the state to b.
func (i *Indicator) Append(b []byte) []byte {
	c := codec{*coder.Writer(b)}
	i.formula.state(&c)
	return c.Bytes()
}

// Decode reads a state that an indicator of the same spec has appended and
// returns what stands behind it. After an error the indicator is of no use.
func (i *Indicator) Decode(data []byte) ([]byte, error) {
	c := codec{*coder.Reader(data)}
	i.formula.state(&c)
	if c.Err() != nil {
		return nil, fmt.Errorf("state of %s: %w", i.spec.text, c.Err())
	}
	return c.Bytes(), nil
}

// none is the value of a part that has not warmed up.
var none = math.NaN()
