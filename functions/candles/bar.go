package candles

import (
	"math"

	"streamflow"
)

// bar is what a candle is made from. It holds no pointer, so that the garbage
// collector need not look at the hundred thousands of them.
type bar struct {
	first, last edge
	high, low   float64
	volume      int64 // at most MaxInt64, where it stays
	trades      int64
	sum         exact // of price*volume; of the prices as long as volume is 0
	newest      int64 // offset of the last tick to arrive
	partition   int32 // its partition
}

// edge is the tick at which a bar begins or ends.
type edge struct {
	at     int64 // Unix nanoseconds
	offset int64
	price  float64
}

// before is the order of ticks. All ticks of a symbol stand in one partition, so
// that offsets order them. Where the topic got more partitions meanwhile, two
// ticks of one time may have the same offset, and the price decides: what counts
// is that the order of arrival does not.
func (e *edge) before(o *edge) bool {
	if e.at != o.at {
		return e.at < o.at
	}
	if e.offset != o.offset {
		return e.offset < o.offset
	}
	return e.price < o.price
}

// trade is a tick as bars take it.
type trade struct {
	edge
	volume    int64
	turnover  exact
	partition int32
}

func newTrade(t streamflow.Tick, at streamflow.Position) trade {
	return trade{
		edge:   edge{at: t.Time.UnixNano(), offset: at.Offset, price: t.Price},
		volume: t.Volume, turnover: product(t.Price, float64(t.Volume)), partition: at.Partition,
	}
}

// change adds the trade to a bar.
func (x *trade) change(b *bar) {
	if b.trades == 0 {
		b.first, b.last, b.high, b.low = x.edge, x.edge, x.price, x.price
	}
	if x.before(&b.first) {
		b.first = x.edge
	}
	if b.last.before(&x.edge) {
		b.last = x.edge
	}
	b.high = max(b.high, x.price)
	b.low = min(b.low, x.price)
	switch {
	case x.volume > 0:
		if b.volume == 0 {
			b.sum = exact{}
		}
		b.sum.add(x.turnover)
	case b.volume == 0:
		b.sum.add(exact{hi: x.price})
	}
	if b.volume += x.volume; b.volume < 0 {
		b.volume = math.MaxInt64
	}
	b.trades++
	b.newest, b.partition = x.offset, x.partition
}

// vwap is the mean price by volume; of the ticks where nothing was traded. It is
// held between low and high, which rounding may leave by a bit.
func (b *bar) vwap() float64 {
	n := b.volume
	if n == 0 {
		n = b.trades
	}
	mean := b.sum.hi / float64(n)
	if b.sum.hi > math.MaxFloat64 { // the turnover is: any mean that does not depend on the order will do
		mean = b.low/2 + b.high/2
	}
	return max(b.low, min(b.high, mean))
}
