package formula

// The simple moving average: a push is O(1); a value sums the window anew, O(n),
// which costs some 10 ns for 20 bars and cannot drift.
var smaKind = Kind{
	Name: "sma", Title: "simple moving average",
	Formula: "mean of the last n closes",
	Seed:    "none",
	Unit:    "price",
	Source:  "S. B. Achelis, Technical Analysis from A to Z, 2nd ed. (2000), p. 207",
	Params:  []Param{length("n", 20, 1)},
	warmup:  "n",
	warm:    func(p []float64) []int { return []int{int(p[0])} },
	make:    func(p []float64) formula { return &sma{ring{n: int(p[0])}} },
}

type sma struct{ closes ring }

func (f *sma) push(b Bar) { f.closes.push(b.Close) }

func (f *sma) values() (out [maxParts]float64) {
	out[0] = none
	if f.closes.full() {
		out[0] = f.closes.mean()
	}
	return out
}

func (f *sma) state(c *codec) { c.ring(&f.closes) }
