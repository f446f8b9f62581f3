package formula

// Granville's on-balance volume. Where it begins is anybody's choice: 0 with the
// first bar, as StockCharts has it; only its way counts. O(1); whole numbers are
// exact up to 2^106.
var obvKind = Kind{
	Name: "obv", Title: "on-balance volume",
	Formula: "plus the volume where the close is above the one before, minus where it is below",
	Seed:    "0 with the first bar",
	Unit:    "volume",
	Source:  "J. E. Granville, New Key to Stock Market Profits (1963); StockCharts ChartSchool, On Balance Volume",
	warmup:  "2",
	warm:    func([]float64) []int { return []int{2} },
	make:    func([]float64) formula { return &obv{} },
}

type obv struct {
	bars  int     // 0, 1 or 2 for more
	last  float64 // the close before
	total sum
}

func (f *obv) push(b Bar) {
	if f.bars > 0 {
		switch volume := float64(b.Volume); {
		case b.Close > f.last:
			f.total.add(volume)
		case b.Close < f.last:
			f.total.add(-volume)
		}
	}
	f.bars, f.last = min(f.bars+1, 2), b.Close
}

func (f *obv) values() (out [maxParts]float64) {
	out[0] = none
	if f.bars == 2 {
		out[0] = f.total.value()
	}
	return out
}

func (f *obv) state(c *codec) {
	c.count(&f.bars, 2)
	c.Finite(&f.last)
	c.sum(&f.total)
}
