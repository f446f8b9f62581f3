package formula

import (
	"errors"
	"fmt"
	"math"

	"streamflow/functions/coder"
)

// codec codes a state with what formulas are made of.
type codec struct{ coder.Coder }

var errUneven = errors.New("its windows do not fit each other")

// count is a number from 0 to most.
func (c *codec) count(v *int, most int) {
	x := int64(*v)
	c.Int(&x)
	if x < 0 || x > int64(most) {
		c.Fail(fmt.Errorf("it counts %d where there are 0 to %d", x, most))
		return
	}
	*v = int(x)
}

func (c *codec) sum(s *sum) {
	c.Finite(&s.hi)
	c.Finite(&s.lo)
}

func (c *codec) smooth(s *smooth) {
	c.count(&s.count, s.n)
	if s.count > 0 {
		c.Finite(&s.value)
	} else {
		s.value = 0
	}
}

// maxDecimals is how many decimals of a price are tried.
const maxDecimals = 6

// ring writes the window, the oldest number first. Prices have few decimals and
// move little: their steps in units of the last decimal take a byte or two each
// where the numbers would take eight.
func (c *codec) ring(r *ring) {
	n := len(r.v)
	c.count(&n, r.n)
	form := maxDecimals + 1
	if !c.Reads() {
		form = decimals(r.v)
	}
	c.count(&form, maxDecimals+1)
	if c.Reads() && c.Err() == nil {
		r.v, r.next = r.v[:0], 0
		if n > len(c.Bytes()) { // each takes a byte at least
			c.Fail(coder.ErrShort)
			return
		}
	}
	unit := math.Pow10(form)
	var last int64
	for i := 0; i < n && c.Err() == nil; i++ {
		var x float64
		if !c.Reads() {
			x = r.v[(r.next+i)%n]
		}
		if form > maxDecimals {
			c.Finite(&x)
		} else {
			step := int64(math.Round(x*unit)) - last
			c.Int(&step)
			last += step
			x = float64(last) / unit
		}
		if c.Reads() {
			r.push(x)
		}
	}
}

// decimals returns how many decimals the numbers have, more than maxDecimals if
// they cannot be written as such: each must read back as the same float64.
func decimals(v []float64) int {
	for form := 0; form <= maxDecimals; form++ {
		if exact(v, math.Pow10(form)) {
			return form
		}
	}
	return maxDecimals + 1
}

func exact(v []float64, unit float64) bool {
	for _, x := range v {
		n := math.Round(x * unit)
		if math.Abs(n) > 1<<53 || n/unit != x {
			return false
		}
	}
	return true
}
