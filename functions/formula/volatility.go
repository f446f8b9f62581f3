package formula

import (
	"math"
	"time"
)

// Realised volatility, annualised: the sample standard deviation of the
// logarithmic returns (divided by n-1, as Hull has it), times the square root of
// how many bars a year of trading has. A year has 252 days of 390 minutes,
// the regular session of the New York Stock Exchange; volatility(20,365,1440) is
// for what never closes. A candle of a day or longer counts by days, a shorter
// one by minutes. A tick has no length: there it is the mean time between the
// n+1 ticks, so there is no value while they bear one and the same time.
//
// A push is O(1); a value goes over the returns anew, O(n): 20 logarithms.
var volatilityKind = Kind{
	Name: "volatility", Title: "realised volatility",
	Formula: "100 × sample standard deviation of the last n logarithmic returns × √(bars in a year of days × minutes)",
	Seed:    "none",
	Unit:    "percent a year",
	Source:  "J. C. Hull, Options, Futures, and Other Derivatives, 9th ed. (2014), section 15.4",
	Params: []Param{
		length("n", 20, 2), {Name: "days", Default: 252, Min: 1, Max: 366, Whole: true},
		{Name: "minutes", Default: 390, Min: 1, Max: 1440, Whole: true},
	},
	warmup: "n + 1",
	warm:   func(p []float64) []int { return []int{int(p[0]) + 1} },
	make: func(p []float64) formula {
		n := int(p[0]) + 1
		return &volatility{closes: ring{n: n}, times: ring{n: n}, days: p[1], minutes: p[2]}
	},
}

type volatility struct {
	closes        ring
	times         ring // of ticks only
	span          int64
	days, minutes float64
}

func (f *volatility) push(b Bar) {
	f.closes.push(b.Close)
	f.span = int64(b.Span)
	if b.Span == 0 {
		f.times.push(float64(b.At)) // exact for 285 years around 1970
	}
}

func (f *volatility) values() (out [maxParts]float64) {
	out[0] = none
	if !f.closes.full() {
		return out
	}
	n := float64(f.closes.n - 1)
	mean := math.Log(f.closes.newest()/f.closes.oldest()) / n
	squares, last := 0.0, f.closes.oldest()
	for _, half := range [2][]float64{f.closes.older(), f.closes.newer()} {
		for _, x := range half {
			d := math.Log(x/last) - mean
			squares, last = squares+d*d, x
		}
	}
	// The oldest close was paired with itself: one return of 0 too many.
	squares = math.Max(0, squares-mean*mean)
	out[0] = 100 * math.Sqrt(squares/(n-1)*f.perYear(n))
	return out
}

// perYear is how many bars there are in a year, NaN if that cannot be told.
func (f *volatility) perYear(n float64) float64 {
	span := float64(f.span)
	if f.span == 0 {
		if !f.times.full() || f.times.newest() <= f.times.oldest() {
			return none
		}
		span = (f.times.newest() - f.times.oldest()) / n * 1e3
	}
	if f.span >= int64(24*time.Hour) {
		return f.days * float64(24*time.Hour) / span
	}
	return f.days * f.minutes * float64(time.Minute) / span
}

func (f *volatility) state(c *codec) {
	c.ring(&f.closes)
	c.ring(&f.times)
	c.Int(&f.span)
}
