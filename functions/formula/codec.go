package formula

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// coder reads or writes a state. A formula names its fields once for both ways,
// so that they cannot differ.
type coder struct {
	data  []byte
	reads bool
	err   error
}

var (
	errShort  = errors.New("it ends too early")
	errUneven = errors.New("its windows do not fit each other")
)

func (c *coder) fail(err error) {
	if c.err == nil {
		c.err, c.data = err, nil
	}
}

func (c *coder) float(v *float64) {
	if !c.reads {
		c.data = binary.LittleEndian.AppendUint64(c.data, math.Float64bits(*v))
		return
	}
	if len(c.data) < 8 {
		c.fail(errShort)
		return
	}
	*v = math.Float64frombits(binary.LittleEndian.Uint64(c.data))
	c.data = c.data[8:]
	if *v-*v != 0 {
		c.fail(fmt.Errorf("it holds %v", *v))
	}
}

func (c *coder) int(v *int64) {
	if !c.reads {
		c.data = binary.AppendVarint(c.data, *v)
		return
	}
	x, n := binary.Varint(c.data)
	if n <= 0 {
		c.fail(errShort)
		return
	}
	*v, c.data = x, c.data[n:]
}

// count is a number from 0 to most.
func (c *coder) count(v *int, most int) {
	x := int64(*v)
	c.int(&x)
	if x < 0 || x > int64(most) {
		c.fail(fmt.Errorf("it counts %d where there are 0 to %d", x, most))
		return
	}
	*v = int(x)
}

func (c *coder) sum(s *sum) {
	c.float(&s.hi)
	c.float(&s.lo)
}

func (c *coder) smooth(s *smooth) {
	c.count(&s.count, s.n)
	if s.count > 0 {
		c.float(&s.value)
	} else {
		s.value = 0
	}
}

// maxDecimals is how many decimals of a price are tried.
const maxDecimals = 6

// ring writes the window, the oldest number first. Prices have few decimals and
// move little: their steps in units of the last decimal take a byte or two each
// where the numbers would take eight.
func (c *coder) ring(r *ring) {
	n := len(r.v)
	c.count(&n, r.n)
	form := maxDecimals + 1
	if !c.reads {
		form = decimals(r.v)
	}
	c.count(&form, maxDecimals+1)
	if c.reads && c.err == nil {
		r.v, r.next = r.v[:0], 0
		if n > len(c.data) { // each takes a byte at least
			c.fail(errShort)
			return
		}
	}
	unit := math.Pow10(form)
	var last int64
	for i := 0; i < n && c.err == nil; i++ {
		var x float64
		if !c.reads {
			x = r.v[(r.next+i)%n]
		}
		if form > maxDecimals {
			c.float(&x)
		} else {
			step := int64(math.Round(x*unit)) - last
			c.int(&step)
			last += step
			x = float64(last) / unit
		}
		if c.reads {
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
