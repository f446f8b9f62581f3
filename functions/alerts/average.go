package alerts

import "math"

// average is the mean volume of the n closed candles before the newest one. The
// volumes are whole, so the sum is exact in whatever order it came about.
type average struct {
	ring []int64 // of n
	at   int     // where the next one goes
	full bool
	sum  int64
}

func newAverage(n int) average { return average{ring: make([]int64, n)} }

// push takes the volume of a closed candle in and returns the mean of those
// before it, NaN as long as there are fewer than n.
func (a *average) push(volume int64) float64 {
	mean := math.NaN()
	if a.full {
		mean = float64(a.sum) / float64(len(a.ring))
	}
	a.sum += volume - a.ring[a.at]
	a.ring[a.at] = volume
	if a.at++; a.at == len(a.ring) {
		a.at, a.full = 0, true
	}
	return mean
}
