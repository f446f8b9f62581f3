package formula

import "math"

// sum adds up without end and without drift: the rounding error of each addition
// is found and kept (Knuth's TwoSum), which is as good as 106 bits.
type sum struct{ hi, lo float64 }

func (s *sum) add(x float64) {
	t := s.hi + x
	b := t - s.hi
	s.lo += (s.hi - (t - b)) + (x - b)
	s.hi = t + s.lo
	s.lo -= s.hi - t
}

// product adds x*y, with what rounding takes from it.
func (s *sum) product(x, y float64) {
	p := x * y
	s.add(p)
	s.add(math.FMA(x, y, -p))
}

func (s *sum) value() float64 { return s.hi }
