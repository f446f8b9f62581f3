package formula

// The exponential moving average, seeded as the charts of StockCharts and TA-Lib
// are: not with the first close, which would weigh on it for long.
var emaKind = Kind{
	Name: "ema", Title: "exponential moving average",
	Formula: "EMA + 2/(n+1) × (close − EMA)",
	Seed:    "SMA of the first n closes",
	Unit:    "price",
	Source:  "StockCharts ChartSchool, Moving Averages: Simple and Exponential",
	Params:  []Param{length("n", 20, 1)},
	warmup:  "n",
	warm:    func(p []float64) []int { return []int{int(p[0])} },
	make:    func(p []float64) formula { return &ema{exponential(p[0])} },
}

type ema struct{ average smooth }

func (f *ema) push(b Bar) { f.average.push(b.Close) }
func (f *ema) values() (out [maxParts]float64) {
	out[0] = f.average.get()
	return out
}
func (f *ema) state(c *codec) { c.smooth(&f.average) }
