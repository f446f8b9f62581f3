package formula

import (
	"math"

	"streamflow"
)

// The trend, a rule of our own: which of two exponential averages is on top, by
// more than a share of the average true range. The range makes the same rule
// fit ticks and days, quiet stocks and wild ones; within the dead band the averages are too close to
// mean anything, and the trend is flat. There is no memory beside that of the
// averages: who sees the same bars sees the same trend. O(1).
var trendKind = Kind{
	Name: "trend", Title: "trend",
	Formula: "1 (up) where EMA(fast) − EMA(slow) > band × ATR(atr), −1 (down) where it is < −band × ATR, else 0 (flat)",
	Seed:    "as those of ema and atr",
	Unit:    "1, 0, −1",
	Source:  "StreamFlow; after the moving average crossovers of J. J. Murphy, Technical Analysis of the Financial Markets (1999), ch. 9",
	Params: []Param{
		length("fast", 12, 1), length("slow", 26, 2), length("atr", 14, 1),
		{Name: "band", Default: 0.5, Min: 0, Max: 10},
	},
	warmup: "the larger of slow and atr + 1",
	warm:   func(p []float64) []int { return []int{max(int(p[1]), int(p[2])+1)} },
	check:  macdKind.check,
	make: func(p []float64) formula {
		return &trend{fast: exponential(p[0]), slow: exponential(p[1]), reach: atr{average: wilder(p[2])}, band: p[3]}
	},
}

type trend struct {
	fast, slow smooth
	reach      atr
	band       float64
}

func (f *trend) push(b Bar) {
	f.fast.push(b.Close)
	f.slow.push(b.Close)
	f.reach.push(b)
}

func (f *trend) values() (out [maxParts]float64) {
	apart, band := f.fast.get()-f.slow.get(), f.band*f.reach.average.get()
	switch {
	case math.IsNaN(apart) || math.IsNaN(band):
		out[0] = none
	case apart > band:
		out[0] = 1
	case apart < -band:
		out[0] = -1
	default:
		out[0] = 0
	}
	return out
}

func (f *trend) state(c *codec) {
	c.smooth(&f.fast)
	c.smooth(&f.slow)
	f.reach.state(c)
}

// Trend returns the trend of an indicator of kind trend, "" for any other and
// while there is none.
func (i *Indicator) Trend() streamflow.Trend {
	if _, ok := i.formula.(*trend); !ok {
		return ""
	}
	switch v, ok := i.Value(0); {
	case !ok:
		return ""
	case v > 0:
		return streamflow.TrendUp
	case v < 0:
		return streamflow.TrendDown
	}
	return streamflow.TrendFlat
}
