package candles

import (
	"cmp"
	"math"
	"math/big"
	"slices"

	"streamflow"
)

// exactBits hold any sum of products of float64 without rounding: prices from
// 2^-1074 to 2^1024, volumes to 2^63, and 2^63 of them.
const exactBits = 2240

// FromTicks returns the candles of an interval that ticks of one symbol, in
// whatever order, make: what the function publishes last of each once all of
// them have been taken in. It sorts and adds up, and shares nothing with the
// [Builder], so that one can be checked against the other.
//
// A candle is Closed if a tick stands behind its end. Last is the position of
// its tick with the highest offset, which is the last to arrive.
func FromTicks(ticks []streamflow.Mirrored, i streamflow.Interval) []streamflow.Candle {
	sorted := slices.Clone(ticks)
	slices.SortStableFunc(sorted, func(a, b streamflow.Mirrored) int {
		return cmp.Or(a.Tick.Time.Compare(b.Tick.Time), cmp.Compare(a.Position.Offset, b.Position.Offset), cmp.Compare(a.Tick.Price, b.Tick.Price))
	})
	var all []streamflow.Candle
	for len(sorted) > 0 {
		start := sorted[0].Tick.Time.UTC().Truncate(i.Duration())
		n := slices.IndexFunc(sorted, func(m streamflow.Mirrored) bool { return !m.Tick.Time.Before(start.Add(i.Duration())) })
		closed := n >= 0
		if !closed {
			n = len(sorted)
		}
		c := fold(sorted[:n])
		c.Interval, c.Start, c.Closed = i, start, closed
		all = append(all, c)
		sorted = sorted[n:]
	}
	return all
}

// fold sums up the ticks of one candle, the oldest first.
func fold(ticks []streamflow.Mirrored) streamflow.Candle {
	first := ticks[0]
	c := streamflow.Candle{
		Symbol: first.Tick.Symbol, Trades: int64(len(ticks)), Last: first.Position,
		Open: first.Tick.Price, High: first.Tick.Price, Low: first.Tick.Price, Close: ticks[len(ticks)-1].Tick.Price,
	}
	turnover, prices := new(big.Float).SetPrec(exactBits), new(big.Float).SetPrec(exactBits)
	for _, m := range ticks {
		price := big.NewFloat(m.Tick.Price)
		prices.Add(prices, price)
		turnover.Add(turnover, new(big.Float).SetPrec(exactBits).Mul(price, big.NewFloat(float64(m.Tick.Volume))))
		c.High, c.Low = max(c.High, m.Tick.Price), min(c.Low, m.Tick.Price)
		if c.Volume > math.MaxInt64-m.Tick.Volume {
			c.Volume = math.MaxInt64
		} else {
			c.Volume += m.Tick.Volume
		}
		if m.Position.Offset > c.Last.Offset {
			c.Last = m.Position
		}
	}
	sum, _ := turnover.Float64()
	n := c.Volume
	if n == 0 {
		sum, _ = prices.Float64()
		n = c.Trades
	}
	if math.IsInf(sum, 0) {
		c.VWAP = c.Low/2 + c.High/2
	} else {
		c.VWAP = sum / float64(n)
	}
	c.VWAP = max(c.Low, min(c.High, c.VWAP))
	return c
}
