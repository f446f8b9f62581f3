package formula

import (
	"time"

	"streamflow"
)

// Bar is what an indicator takes in: a candle, or one tick.
type Bar struct {
	At               int64         // event time in Unix microseconds; of a candle, its start
	Span             time.Duration // length of the candle, 0 for a tick
	High, Low, Close float64
	VWAP             float64 // volume-weighted mean price within the bar
	Volume           int64
}

// The prices that are taken in. Far outside of what anything costs, they leave
// room for products and sums that no float64 would hold otherwise.
const (
	MinPrice = 1e-100
	MaxPrice = 1e100
)

// OfCandle returns the bar of a candle.
func OfCandle(c *streamflow.Candle) Bar {
	return Bar{
		At: c.Start.UnixMicro(), Span: c.Interval.Duration(),
		High: c.High, Low: c.Low, Close: c.Close, VWAP: c.VWAP, Volume: c.Volume,
	}
}

// OfTick returns the bar of one tick.
func OfTick(t *streamflow.Tick) Bar {
	return Bar{At: t.Time.UnixMicro(), High: t.Price, Low: t.Price, Close: t.Price, VWAP: t.Price, Volume: t.Volume}
}

// usable reports whether b can be taken in. It is written so that NaN cannot.
// The VWAP may lie a rounding error outside of low and high.
func (b *Bar) usable() bool {
	return b.Low >= MinPrice && b.Low <= b.Close && b.Close <= b.High && b.High <= MaxPrice &&
		b.VWAP >= MinPrice && b.VWAP <= MaxPrice && b.Volume >= 0
}
