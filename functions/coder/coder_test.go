package coder

import (
	"errors"
	"math"
	"testing"
)

// A state that is cut short, or that no formula can have, is refused.
func TestFinite(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		w := Writer(nil)
		w.Finite(&v)
		r := Reader(w.Bytes())
		if r.Finite(&v); r.End() == nil {
			t.Errorf("%v is read", v)
		}
	}
	v := 1.5
	w := Writer(nil)
	w.Finite(&v)
	r := Reader(w.Bytes()[:7])
	if r.Finite(&v); !errors.Is(r.Err(), ErrShort) || !errors.Is(r.End(), ErrShort) {
		t.Error(r.Err())
	}
	r = Reader(append(w.Bytes(), 0))
	if r.Finite(&v); v != 1.5 || r.Err() != nil || r.End() == nil {
		t.Errorf("%v, %v: something is left", v, r.End())
	}
}

func FuzzPrice(f *testing.F) {
	for _, x := range []float64{0, 187.23, 0.1 + 0.2, 1e-9, 1e300, -1, 12345.12345678, math.Copysign(0, -1), math.Inf(1)} {
		f.Add(x, 187.22, int64(math.MaxInt64))
	}
	f.Fuzz(func(t *testing.T, x, before float64, n int64) {
		c := Writer(nil)
		text := "a text"
		for _, v := range []float64{before, x, before} {
			c.Price(&v)
		}
		c.Near(&n)
		c.String(&text)
		r := Reader(c.Bytes())
		for _, want := range []float64{before, x, before} {
			var v float64
			if r.Price(&v); math.Float64bits(v) != math.Float64bits(want) {
				t.Errorf("%v reads back as %v", want, v)
			}
		}
		var m int64
		var s string
		r.Near(&m)
		if r.String(&s); m != n || s != text || r.End() != nil {
			t.Errorf("%d %q reads back as %d %q, %v", n, text, m, s, r.End())
		}
	})
}
