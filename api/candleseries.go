package api

import (
	"context"
	"iter"
	"time"

	"streamflow"
)

// candleView asks for candles as they are shown: the stored ones, the one that
// grows and, where that is wanted, something for the times without ticks.
type candleView struct {
	symbol     string
	interval   streamflow.Interval
	from, to   time.Time // half-open; zero is open
	after      time.Time // go on after the candle of this start
	descending bool
	fill       bool
	rows       int // how many will do
}

// settle is how long after its end a candle without ticks is believed to have
// none: late ticks, the function and the archive have had their time by then.
const settle = 10 * time.Second

// candles yields what v asks for. It holds one chunk of rows at a time.
func (s *Server) candles(ctx context.Context, v candleView) iter.Seq2[streamflow.Candle, error] {
	q := CandlesQuery{
		Symbol: v.symbol, Interval: v.interval, From: v.from, To: v.to, After: v.after, Limit: v.rows, Descending: v.descending,
	}
	if v.fill && v.descending {
		q.From = time.Time{} // the last candle before from fills what follows it
	}
	rows := s.storedCandles(ctx, q)
	if c, ok := s.growing(&v); ok {
		rows = withNewest(rows, c, v.descending)
	}
	switch {
	case v.fill && v.descending:
		return v.filledDown(rows, time.Now())
	case v.fill:
		return v.filledUp(rows, s.before(ctx, &v), time.Now())
	}
	return rows
}

// growing returns the newest candle of the live stream, if v asks for its time.
func (s *Server) growing(v *candleView) (c streamflow.Candle, ok bool) {
	if s.config.Market.Newest == nil {
		return c, false
	}
	data, ok := s.config.Market.Newest.Newest(streamflow.CandleSubject(v.interval, v.symbol))
	if !ok || c.UnmarshalJSON(data) != nil || c.Symbol != v.symbol || c.Interval != v.interval {
		return c, false
	}
	switch {
	case c.Start.Before(v.from), !v.to.IsZero() && !c.Start.Before(v.to):
		return c, false
	case v.after.IsZero():
		return c, true
	case v.descending:
		return c, c.Start.Before(v.after)
	}
	return c, c.Start.After(v.after)
}

// withNewest puts the newest candle in its place among the stored ones. The
// table may hold an older version of it, or a newer one if the stream lags.
func withNewest(rows iter.Seq2[streamflow.Candle, error], newest streamflow.Candle, descending bool) iter.Seq2[streamflow.Candle, error] {
	return func(yield func(streamflow.Candle, error) bool) {
		placed := false
		for c, err := range rows {
			if err != nil {
				yield(c, err)
				return
			}
			switch order := newest.Start.Compare(c.Start); {
			case placed:
			case order == 0:
				placed = true
				if newest.Trades > c.Trades || newest.Trades == c.Trades && newest.Closed {
					c = newest
				}
			case order > 0 == descending:
				placed = true
				if !yield(newest, nil) {
					return
				}
			}
			if !yield(c, nil) {
				return
			}
		}
		if !placed {
			yield(newest, nil)
		}
	}
}

// before returns the last stored candle before those of v, to fill with.
func (s *Server) before(ctx context.Context, v *candleView) func() (streamflow.Candle, bool, error) {
	return func() (streamflow.Candle, bool, error) {
		first := v.first()
		if first.IsZero() {
			return streamflow.Candle{}, false, nil
		}
		q := CandlesQuery{Symbol: v.symbol, Interval: v.interval, To: first, Limit: 1, Descending: true}
		for c, err := range s.storedCandles(ctx, q) {
			return c, err == nil, err
		}
		return streamflow.Candle{}, false, nil
	}
}
