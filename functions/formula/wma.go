package formula

// The linearly weighted moving average. As for the SMA a push is O(1) and a
// value O(n): the usual running form would gather rounding errors without end.
var wmaKind = Kind{
	Name: "wma", Title: "weighted moving average",
	Formula: "mean of the last n closes, the newest with weight n, the oldest with 1",
	Seed:    "none",
	Unit:    "price",
	Source:  "S. B. Achelis, Technical Analysis from A to Z, 2nd ed. (2000), p. 213",
	Params:  []Param{length("n", 20, 1)},
	warmup:  "n",
	warm:    func(p []float64) []int { return []int{int(p[0])} },
	make:    func(p []float64) formula { return &wma{ring{n: int(p[0])}} },
}

type wma struct{ closes ring }

func (f *wma) push(b Bar) { f.closes.push(b.Close) }

func (f *wma) values() (out [maxParts]float64) {
	out[0] = none
	if !f.closes.full() {
		return out
	}
	base, sum, weight := f.closes.newest(), 0.0, 0.0
	for _, half := range [2][]float64{f.closes.older(), f.closes.newer()} {
		for _, x := range half {
			weight++
			sum += weight * (x - base)
		}
	}
	out[0] = base + sum/(weight*(weight+1)/2)
	return out
}

func (f *wma) state(c *codec) { c.ring(&f.closes) }
