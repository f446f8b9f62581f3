package api

import (
	"iter"
	"time"

	"streamflow"
)

// carried stands for a time without ticks: the close of the candle before, and
// nothing traded. That is how it is told from others.
func carried(c *streamflow.Candle, start time.Time) streamflow.Candle {
	return streamflow.Candle{
		Symbol: c.Symbol, Interval: c.Interval, Start: start, Open: c.Close, High: c.Close, Low: c.Close, Close: c.Close, VWAP: c.Close, Closed: true,
	}
}

// first is the first start of an ascending view; zero if nothing bounds it.
func (v *candleView) first() time.Time {
	length := v.interval.Duration()
	switch {
	case !v.after.IsZero() && !v.after.Before(v.from):
		return v.after.Add(length)
	case v.from.IsZero():
		return time.Time{}
	}
	start := v.from.UTC().Truncate(length)
	if start.Before(v.from) {
		start = start.Add(length)
	}
	return start
}

// last is the newest start that may be filled.
func (v *candleView) last(now time.Time) time.Time {
	length := v.interval.Duration()
	start := now.UTC().Add(-settle).Truncate(length).Add(-length)
	if !v.to.IsZero() {
		if bound := v.to.UTC().Add(-1).Truncate(length); bound.Before(start) {
			start = bound
		}
	}
	return start
}

// filledUp fills the gaps of rows, the oldest first. previous is asked for what
// stands before them.
func (v *candleView) filledUp(rows iter.Seq2[streamflow.Candle, error], previous func() (streamflow.Candle, bool, error), now time.Time) iter.Seq2[streamflow.Candle, error] {
	length, next, last := v.interval.Duration(), v.first(), v.last(now)
	return func(yield func(streamflow.Candle, error) bool) {
		known, has, err := previous()
		if err != nil {
			yield(known, err)
			return
		}
		// carry fills up to a start, and reports whether more is wanted.
		carry := func(end time.Time) bool {
			for ; has && next.Before(end) && !next.After(last); next = next.Add(length) {
				if !yield(carried(&known, next), nil) {
					return false
				}
			}
			return true
		}
		for c, err := range rows {
			if err != nil {
				yield(c, err)
				return
			}
			if !carry(c.Start) || !yield(c, nil) {
				return
			}
			known, has, next = c, true, c.Start.Add(length)
		}
		carry(last.Add(length))
	}
}

// filledDown fills the gaps of rows, the newest first. Rows go on below v.from,
// for what stands there fills the gap above it.
func (v *candleView) filledDown(rows iter.Seq2[streamflow.Candle, error], now time.Time) iter.Seq2[streamflow.Candle, error] {
	length, last := v.interval.Duration(), v.last(now)
	next := last
	if !v.after.IsZero() {
		next = v.after.Add(-length)
	}
	return func(yield func(streamflow.Candle, error) bool) {
		for c, err := range rows {
			if err != nil {
				yield(c, err)
				return
			}
			for next = earlier(next, last); next.After(c.Start) && !next.Before(v.from); next = next.Add(-length) {
				if !yield(carried(&c, next), nil) {
					return
				}
			}
			if c.Start.Before(v.from) || !yield(c, nil) {
				return
			}
			next = c.Start.Add(-length)
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
