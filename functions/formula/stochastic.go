package formula

// Lane's stochastic oscillator, the slow one: %K smoothed, %D over that. With
// smooth 1 it is the fast one. Where all n bars stood at one price %K is 50. A
// push looks for the extremes of the window, O(n): 14 bars take some 20 ns.
var stochasticKind = Kind{
	Name: "stochastic", Title: "stochastic oscillator",
	Formula: "%K: mean of smooth times 100 × (close − lowest low) / (highest high − lowest low) of n bars, 50 where they are equal; d (%D): mean of d times %K",
	Seed:    "none",
	Unit:    "0 to 100",
	Source:  "G. C. Lane, Lane's Stochastics, Technical Analysis of Stocks & Commodities 2:3 (1984); StockCharts ChartSchool, Full Stochastic",
	Params:  []Param{length("n", 14, 1), length("smooth", 3, 1), length("d", 3, 1)},
	Parts:   []string{"d"},
	main:    "slow %K",
	warmup:  "n + smooth − 1; d n + smooth + d − 2",
	warm: func(p []float64) []int {
		k := int(p[0]) + int(p[1]) - 1
		return []int{k, k + int(p[2]) - 1}
	},
	make: func(p []float64) formula {
		return &stochastic{highs: ring{n: int(p[0])}, lows: ring{n: int(p[0])}, fast: ring{n: int(p[1])}, slow: ring{n: int(p[2])}}
	},
}

type stochastic struct{ highs, lows, fast, slow ring }

func (f *stochastic) push(b Bar) {
	f.highs.push(b.High)
	f.lows.push(b.Low)
	if !f.highs.full() {
		return
	}
	k, high, low := 50.0, f.highs.max(), f.lows.min()
	if high > low {
		k = 100 * ((b.Close - low) / (high - low))
	}
	if f.fast.push(k); f.fast.full() {
		f.slow.push(f.fast.mean())
	}
}

func (f *stochastic) values() (out [maxParts]float64) {
	out[0], out[1] = none, none
	if f.fast.full() {
		out[0] = f.slow.newest()
	}
	if f.slow.full() {
		out[1] = f.slow.mean()
	}
	return out
}

func (f *stochastic) state(c *codec) {
	c.ring(&f.highs)
	c.ring(&f.lows)
	c.ring(&f.fast)
	c.ring(&f.slow)
	if c.Reads() && (f.slow.v == nil && f.fast.full() || len(f.highs.v) != len(f.lows.v)) {
		c.Fail(errUneven)
	}
}
