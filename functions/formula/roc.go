package formula

// The rate of change. O(1).
var rocKind = Kind{
	Name: "roc", Title: "rate of change",
	Formula: "100 × (close − close n bars ago) / close n bars ago",
	Seed:    "none",
	Unit:    "percent",
	Source:  "StockCharts ChartSchool, Rate of Change (ROC)",
	Params:  []Param{length("n", 12, 1)},
	warmup:  "n + 1",
	warm:    func(p []float64) []int { return []int{int(p[0]) + 1} },
	make:    func(p []float64) formula { return &roc{ring{n: int(p[0]) + 1}} },
}

type roc struct{ closes ring }

func (f *roc) push(b Bar) { f.closes.push(b.Close) }

func (f *roc) values() (out [maxParts]float64) {
	out[0] = none
	if f.closes.full() {
		then := f.closes.oldest()
		out[0] = 100 * ((f.closes.newest() - then) / then)
	}
	return out
}

func (f *roc) state(c *codec) { c.ring(&f.closes) }
