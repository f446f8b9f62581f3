package formula

// Wilder's relative strength index. Where the price has stood still for so long
// that there is neither gain nor loss it is 50: neither bought nor sold. O(1).
var rsiKind = Kind{
	Name: "rsi", Title: "relative strength index",
	Formula: "100 × gain / (gain + loss), Wilder's averages of the rises and of the falls of the close; 50 without either",
	Seed:    "mean of the first n changes",
	Unit:    "0 to 100",
	Source:  "J. W. Wilder, New Concepts in Technical Trading Systems (1978), section VI",
	Params:  []Param{length("n", 14, 1)},
	warmup:  "n + 1",
	warm:    func(p []float64) []int { return []int{int(p[0]) + 1} },
	make:    func(p []float64) formula { return &rsi{gain: wilder(p[0]), loss: wilder(p[0])} },
}

type rsi struct {
	last       float64 // the close before; 0 if there was none
	gain, loss smooth
}

func (f *rsi) push(b Bar) {
	if f.last > 0 {
		change := b.Close - f.last
		f.gain.push(max(change, 0))
		f.loss.push(max(-change, 0))
	}
	f.last = b.Close
}

func (f *rsi) values() (out [maxParts]float64) {
	gain, loss := f.gain.get(), f.loss.get()
	out[0] = 100 * gain / (gain + loss)
	if gain == 0 && loss == 0 {
		out[0] = 50
	}
	return out
}

func (f *rsi) state(c *codec) {
	c.Finite(&f.last)
	c.smooth(&f.gain)
	c.smooth(&f.loss)
}
