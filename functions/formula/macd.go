package formula

import "fmt"

// Appel's moving average convergence/divergence. O(1).
var macdKind = Kind{
	Name: "macd", Title: "moving average convergence/divergence",
	Formula: "EMA(fast) − EMA(slow); signal: EMA(signal) of that; histogram: the one less the other",
	Seed:    "each EMA with the mean of its own first bars",
	Unit:    "price",
	Source:  "G. Appel, Technical Analysis: Power Tools for Active Investors (2005), ch. 8; seeded as StockCharts ChartSchool's",
	Params:  []Param{length("fast", 12, 1), length("slow", 26, 2), length("signal", 9, 1)},
	Parts:   []string{"signal", "histogram"},
	warmup:  "slow; signal and histogram slow + signal − 1",
	warm: func(p []float64) []int {
		both := int(p[1]) + int(p[2]) - 1
		return []int{int(p[1]), both, both}
	},
	check: func(p []float64) error {
		if p[0] >= p[1] {
			return fmt.Errorf("fast is %s and slow %s; want fast below slow", number(p[0]), number(p[1]))
		}
		return nil
	},
	make: func(p []float64) formula {
		return &macd{fast: exponential(p[0]), slow: exponential(p[1]), signal: exponential(p[2])}
	},
}

type macd struct{ fast, slow, signal smooth }

func (f *macd) push(b Bar) {
	f.fast.push(b.Close)
	f.slow.push(b.Close)
	if f.slow.ready() {
		f.signal.push(f.fast.value - f.slow.value)
	}
}

func (f *macd) values() (out [maxParts]float64) {
	line, signal := f.fast.get()-f.slow.get(), f.signal.get()
	out[0], out[1], out[2] = line, signal, line-signal
	return out
}

func (f *macd) state(c *codec) {
	c.smooth(&f.fast)
	c.smooth(&f.slow)
	c.smooth(&f.signal)
}
