package simulate

import (
	"math"
	"time"
)

const (
	sizeSpread = 0.9    // standard deviation of the logarithm of a size
	tradeValue = 20_000 // of a middling trade, in units of currency
	roundLot   = 100    // shares
)

// medianSize returns how many shares change hands in a middling trade: fewer
// of what is dear.
func medianSize(price float64) float64 { return max(1, tradeValue/price) }

// size returns a log-normal volume from a standard normal number and some
// chance. Two of three trades that are large enough are in round lots.
func size(median, normal float64, chance uint64) int64 {
	v := median * math.Exp(sizeSpread*normal)
	if v >= roundLot/2 && chance%3 != 0 {
		return int64(math.Round(v/roundLot)) * roundLot
	}
	return max(1, int64(math.Round(v)))
}

// The hours of the New York exchange in winter, by UTC. Daylight saving is left
// out: it would need a time zone database on every machine.
const (
	opening = 14*time.Hour + 30*time.Minute
	closing = 21 * time.Hour
)

// activity returns by which factor trades are larger at that time of the day:
// a U over the hours of the exchange, from 2 at the bell through 0.8 at noon
// and back, and a thin 0.5 for the rest of the day. The market itself never
// closes, or else its charts would stand still for most visitors.
func activity(at time.Time) float64 {
	day := time.Duration(at.Unix()%(24*3600)) * time.Second
	if day < opening || day >= closing {
		return 0.5
	}
	u := 2*float64(day-opening)/float64(closing-opening) - 1 // -1 to 1
	return 0.8 + 1.2*u*u
}
