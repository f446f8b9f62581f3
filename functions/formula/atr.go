package formula

import "math"

// Wilder's average true range. The first true range is that of the second bar:
// it needs the close before. O(1).
var atrKind = Kind{
	Name: "atr", Title: "average true range",
	Formula: "Wilder's average of the true range: the largest of high − low, |high − close before|, |low − close before|",
	Seed:    "mean of the first n true ranges",
	Unit:    "price",
	Source:  "J. W. Wilder, New Concepts in Technical Trading Systems (1978), section III",
	Params:  []Param{length("n", 14, 1)},
	warmup:  "n + 1",
	warm:    func(p []float64) []int { return []int{int(p[0]) + 1} },
	make:    func(p []float64) formula { return &atr{average: wilder(p[0])} },
}

type atr struct {
	last    float64 // the close before; 0 if there was none
	average smooth
}

func (f *atr) push(b Bar) {
	if f.last > 0 {
		f.average.push(trueRange(b, f.last))
	}
	f.last = b.Close
}

func trueRange(b Bar, last float64) float64 { return math.Max(b.High, last) - math.Min(b.Low, last) }

func (f *atr) values() (out [maxParts]float64) {
	out[0] = f.average.get()
	return out
}

func (f *atr) state(c *codec) {
	c.Finite(&f.last)
	c.smooth(&f.average)
}
