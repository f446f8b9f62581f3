package formula

import "math"

// Wilder's directional movement. His sums over n (first the plain sum, then less
// one nth plus the new) are n times his averages, so the ratios are the same.
// Where nothing moved both directions are 0, and so is the index. O(1).
var adxKind = Kind{
	Name: "adx", Title: "average directional index",
	Formula: "Wilder's average of DX = 100 × |plus − minus| / (plus + minus); plus and minus (+DI, −DI): 100 × Wilder's average of the rises of the high, or the falls of the low, the larger of the two only, by that of the true range",
	Seed:    "mean of the first n of each",
	Unit:    "0 to 100",
	Source:  "J. W. Wilder, New Concepts in Technical Trading Systems (1978), section IV",
	Params:  []Param{length("n", 14, 1)},
	Parts:   []string{"plus", "minus"},
	warmup:  "2 n; plus and minus n + 1",
	warm:    func(p []float64) []int { n := int(p[0]); return []int{2 * n, n + 1, n + 1} },
	make: func(p []float64) formula {
		return &adx{span: wilder(p[0]), plus: wilder(p[0]), minus: wilder(p[0]), dx: wilder(p[0])}
	},
}

type adx struct {
	high, low, last       float64 // of the bar before; 0 if there was none
	span, plus, minus, dx smooth
}

func (f *adx) push(b Bar) {
	if f.last > 0 {
		up, down := b.High-f.high, f.low-b.Low
		plus, minus := 0.0, 0.0
		if up > down {
			plus = math.Max(up, 0)
		} else if down > up {
			minus = math.Max(down, 0)
		}
		f.span.push(trueRange(b, f.last))
		f.plus.push(plus)
		f.minus.push(minus)
		if f.span.ready() {
			f.dx.push(100 * share(math.Abs(f.plus.value-f.minus.value), f.plus.value+f.minus.value))
		}
	}
	f.high, f.low, f.last = b.High, b.Low, b.Close
}

// share is part/whole, 0 where there is nothing to share.
func share(part, whole float64) float64 {
	if whole > 0 {
		return part / whole
	}
	return 0
}

func (f *adx) values() (out [maxParts]float64) {
	out[0], out[1], out[2] = f.dx.get(), none, none
	if f.span.ready() {
		out[1] = 100 * share(f.plus.value, f.span.value)
		out[2] = 100 * share(f.minus.value, f.span.value)
	}
	return out
}

func (f *adx) state(c *codec) {
	c.Finite(&f.high)
	c.Finite(&f.low)
	c.Finite(&f.last)
	c.smooth(&f.span)
	c.smooth(&f.plus)
	c.smooth(&f.minus)
	c.smooth(&f.dx)
}
