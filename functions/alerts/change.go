package alerts

import (
	"math"
	"time"
)

// changeSteps is how many parts a window is kept in. More of them make it more
// exact; each costs 16 bytes a symbol.
const changeSteps = 60

// extremes are the lowest and the highest price of a window of event time that
// ends with the newest tick. They are kept by steps of a sixtieth of the window,
// so a window costs the same however many ticks it holds, and the order in which
// ticks arrive makes no difference. It reaches back by 59 to 60 steps: never
// further than the rule says.
type extremes struct {
	step   int64 // nanoseconds
	newest int64 // number of the newest step; the others are the 59 before it
	filled bool
	low    [changeSteps]float64 // by number modulo changeSteps; NaN where no tick was
	high   [changeSteps]float64
	least  float64 // of low
	most   float64 // of high
}

func newExtremes(window time.Duration) extremes {
	return extremes{step: int64(window) / changeSteps}
}

// add takes a price in; one that is too late for the window makes no difference.
func (x *extremes) add(at int64, price float64) {
	number := floorDiv(at, x.step)
	switch {
	case !x.filled:
		x.filled, x.newest = true, number
		x.clear(0, changeSteps)
	case number > x.newest:
		x.clear(x.newest+1, min(number-x.newest, changeSteps))
		x.newest = number
		x.summarize()
	case number <= x.newest-changeSteps:
		return
	}
	i := place(number)
	if !(x.low[i] <= price) {
		x.low[i] = price
	}
	if !(x.high[i] >= price) {
		x.high[i] = price
	}
	x.least, x.most = min(x.least, price), max(x.most, price)
}

// clear empties n steps from number on.
func (x *extremes) clear(number, n int64) {
	for k := range n {
		i := place(number + k)
		x.low[i], x.high[i] = math.NaN(), math.NaN()
	}
	if n == changeSteps {
		x.least, x.most = math.Inf(1), math.Inf(-1)
	}
}

// summarize finds least and most anew.
func (x *extremes) summarize() {
	x.least, x.most = math.Inf(1), math.Inf(-1)
	for i := range x.low {
		if x.low[i] < x.least {
			x.least = x.low[i]
		}
		if x.high[i] > x.most {
			x.most = x.high[i]
		}
	}
}

// change returns by how many percent price lies above the lowest or below the
// highest of the window, and the same with its sign. The window holds price.
func (x *extremes) change(d direction, price float64) (size, signed float64) {
	// In this order 105 is 5% above 100, and not a rounding error more.
	rise, fall := (price-x.least)*100/x.least, (x.most-price)*100/x.most
	if d == up || d == either && rise >= fall {
		return rise, rise
	}
	return fall, -fall
}

func place(number int64) int { return int(((number % changeSteps) + changeSteps) % changeSteps) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
