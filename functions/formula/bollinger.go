package formula

import "math"

// Bollinger's bands. The deviation is that of the window itself (divided by n,
// not n-1), as Bollinger has it. A push is O(1); a value goes over the window
// twice, O(n), because one pass loses all digits where prices are large and
// move little.
var bollingerKind = Kind{
	Name: "bollinger", Title: "Bollinger bands",
	Formula: "mean of the last n closes; upper and lower: sigmas population standard deviations above and below",
	Seed:    "none",
	Unit:    "price",
	Source:  "J. Bollinger, Bollinger on Bollinger Bands (2001)",
	Params:  []Param{length("n", 20, 2), {Name: "sigmas", Default: 2, Min: 0.1, Max: 10}},
	Parts:   []string{"upper", "lower"},
	main:    "the middle band",
	warmup:  "n",
	warm:    func(p []float64) []int { return []int{int(p[0]), int(p[0]), int(p[0])} },
	make:    func(p []float64) formula { return &bollinger{closes: ring{n: int(p[0])}, sigmas: p[1]} },
}

type bollinger struct {
	closes ring
	sigmas float64
}

func (f *bollinger) push(b Bar) { f.closes.push(b.Close) }

func (f *bollinger) values() (out [maxParts]float64) {
	out[0], out[1], out[2] = none, none, none
	if !f.closes.full() {
		return out
	}
	mean := f.closes.mean()
	band := f.sigmas * math.Sqrt(f.closes.squares(mean)/float64(f.closes.n))
	out[0], out[1], out[2] = mean, mean+band, mean-band
	return out
}

func (f *bollinger) state(c *codec) { c.ring(&f.closes) }
