// Package coder writes the states of functions in few bytes, and reads them.
package coder

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Coder writes a state in few bytes, or reads it. What is coded names its fields
// once for both ways, so that they cannot differ: each method writes what it is
// given, or sets it to what was written. After the first error nothing is read.
type Coder struct {
	data  []byte
	reads bool
	err   error
	near  int64   // the last number of Near
	price float64 // the last one of Price
}

// Writer returns a Coder that appends to b.
func Writer(b []byte) *Coder { return &Coder{data: b} }

// Reader returns a Coder that reads data.
func Reader(data []byte) *Coder { return &Coder{data: data, reads: true} }

// Bytes returns what was written, or what is left to read.
func (c *Coder) Bytes() []byte { return c.data }

// Reads reports whether the Coder reads.
func (c *Coder) Reads() bool { return c.reads }

// Err returns the first error of reading.
func (c *Coder) Err() error { return c.err }

// Restart forgets the last number of Near and the last price.
func (c *Coder) Restart() { c.near, c.price = 0, 0 }

// End returns the first error of reading; that something is left is one.
func (c *Coder) End() error {
	if c.err == nil && c.reads && len(c.data) > 0 {
		return fmt.Errorf("%d bytes are left behind its end", len(c.data))
	}
	return c.err
}

// ErrShort is the error of reading more than was written.
var ErrShort = errors.New("it ends too early")

// Fail ends reading: what was read cannot be.
func (c *Coder) Fail(err error) {
	if c.err == nil {
		c.err, c.data = err, nil
	}
}

// Int codes a whole number, the smaller the shorter.
func (c *Coder) Int(v *int64) {
	if !c.reads {
		c.data = binary.AppendVarint(c.data, *v)
		return
	}
	x, n := binary.Varint(c.data)
	if n <= 0 {
		c.Fail(ErrShort)
		return
	}
	*v, c.data = x, c.data[n:]
}

// Uint codes a whole number from 0.
func (c *Coder) Uint(v *uint64) {
	if !c.reads {
		c.data = binary.AppendUvarint(c.data, *v)
		return
	}
	x, n := binary.Uvarint(c.data)
	if n <= 0 {
		c.Fail(ErrShort)
		return
	}
	*v, c.data = x, c.data[n:]
}

// Near codes a whole number that is near to the last one that it coded, such as
// an offset.
func (c *Coder) Near(v *int64) {
	step := *v - c.near
	c.Int(&step)
	c.near += step
	*v = c.near
}

// Finite codes a float64 in eight bytes; that what is read is no number, or
// infinite, is an error.
func (c *Coder) Finite(v *float64) {
	if c.Float(v); c.reads && *v-*v != 0 {
		c.Fail(fmt.Errorf("it holds %v", *v))
	}
}

// Float codes any float64 in eight bytes.
func (c *Coder) Float(v *float64) {
	if !c.reads {
		c.data = binary.LittleEndian.AppendUint64(c.data, math.Float64bits(*v))
		return
	}
	if len(c.data) < 8 {
		c.Fail(ErrShort)
		return
	}
	*v, c.data = math.Float64frombits(binary.LittleEndian.Uint64(c.data)), c.data[8:]
}

// String codes a short text.
func (c *Coder) String(v *string) {
	n := uint64(len(*v))
	c.Uint(&n)
	switch {
	case !c.reads:
		c.data = append(c.data, *v...)
	case n > uint64(len(c.data)):
		c.Fail(ErrShort)
	default:
		*v, c.data = string(c.data[:n]), c.data[n:]
	}
}

// The forms of a price, in the lowest two bits of its first number.
const (
	cents  = iota // the step from the last price, in hundredths
	fine          // the same, in 10^-8
	asItIs        // what follows is a float64
)

var units = [...]float64{cents: 1e2, fine: 1e8}

// Price codes a price that is near to the last one that it coded. Most have two
// decimals and take two bytes; those of eight decimals take a few more, and
// whatever does not read back as the same float64 takes nine.
func (c *Coder) Price(v *float64) {
	form, step := uint64(asItIs), int64(0)
	if !c.reads {
		for f, unit := range units {
			if n, ok := whole(*v, unit); ok && float64(n)/unit == *v {
				form, step = uint64(f), n-c.base(unit)
				break
			}
		}
	}
	x := (uint64(step)<<1^uint64(step>>63))<<2 | form // zigzag: a small step is a small number
	c.Uint(&x)
	if c.reads {
		form, step = x&3, int64(x>>3)^-int64(x>>2&1)
	}
	switch {
	case form < uint64(len(units)):
		if c.reads {
			*v = float64(c.base(units[form])+step) / units[form]
		}
	case form == asItIs:
		c.Float(v)
	default:
		c.Fail(fmt.Errorf("form %d of a price is none", form))
	}
	c.price = *v
}

// base is the last price in a unit, 0 if it is too large.
func (c *Coder) base(unit float64) int64 {
	n, _ := whole(c.price, unit)
	return n
}

// whole returns the number of units nearest to v, and whether float64 has all
// whole numbers of that size; 0 if not.
func whole(v, unit float64) (int64, bool) {
	n := math.Round(v * unit)
	if !(math.Abs(n) <= 1<<53) || n == 0 && math.Signbit(v) {
		return 0, false
	}
	return int64(n), true
}
