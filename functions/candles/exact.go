package candles

import "math"

// exact is a number of twice the precision of a float64: hi is the float64
// nearest to it, lo what is missing.
//
// A plain sum of turnovers depends on the order in which they are added, in its
// last bits, and then so does the VWAP: a candle made from ticks that came in
// another order, or by a batch, would differ. Error-free transforms keep what
// rounding loses (T. J. Dekker, 1971; D. E. Knuth, The Art of Computer
// Programming, vol. 2, 4.2.2; the addition is algorithm 6, AccurateDWPlusDW, of
// M. Joldes, J.-M. Muller and V. Popescu, ACM TOMS 44, 2017).
//
// Where all summands are multiples of some u and the sum stays below 2^104*u,
// each step is exact, so that the order is of no matter at all: prices between
// $100 and $1000 with all their 53 bits have room for $10^17 a candle. Beyond
// that the relative error of an addition is below 3*2^-106, which shows in hi
// only if the sum is that near to the middle between two float64.
type exact struct{ hi, lo float64 }

// product is a*b without a rounding error. The conversion forbids the compiler
// to fuse the product with an operation behind it: it would not be rounded, and
// the error that math.FMA finds would be that of another number.
func product(a, b float64) exact {
	p := float64(a * b)
	return exact{hi: p, lo: math.FMA(a, b, -p)}
}

// add adds y to x. Without a product there is nothing in it that a compiler
// could fuse; the order of operations is the algorithm.
func (x *exact) add(y exact) {
	s, e := twoSum(x.hi, y.hi)
	t, f := twoSum(x.lo, y.lo)
	s, e = quickTwoSum(s, e+t)
	x.hi, x.lo = quickTwoSum(s, e+f)
	if !(math.Abs(x.hi) <= math.MaxFloat64) { // beyond float64, and there it stays
		*x = exact{hi: math.Inf(1)}
	}
}

// twoSum returns a+b rounded, and what rounding has lost.
func twoSum(a, b float64) (sum, lost float64) {
	sum = a + b
	t := sum - a
	return sum, (a - (sum - t)) + (b - t)
}

// quickTwoSum is twoSum for |a| >= |b|.
func quickTwoSum(a, b float64) (sum, lost float64) {
	sum = a + b
	return sum, b - (sum - a)
}
