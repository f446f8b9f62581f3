package api

import (
	"context"
	"slices"
	"time"

	"streamflow"
)

// usual is how many candles are taken where nothing says since when.
const usual = 500

// history returns the candles of a span, the oldest first. If there are more
// than most it refuses, and says what to ask instead: half a series would be
// taken for the whole.
func (s *Server) history(ctx context.Context, symbol string, i streamflow.Interval, span SpanParams, most int) ([]streamflow.Candle, error) {
	wanted := most + 1
	if span.From.IsZero() {
		wanted = min(usual, most)
	}
	v := candleView{symbol: symbol, interval: i, from: span.From, to: span.To, descending: true, rows: wanted}
	candles := make([]streamflow.Candle, 0, min(wanted, usual))
	for c, err := range s.candles(ctx, v) {
		if err != nil {
			return nil, err
		}
		if candles = append(candles, c); len(candles) == wanted {
			break
		}
	}
	if len(candles) > most {
		since := candles[most-1].Start.UTC().Format(time.RFC3339)
		return nil, badField("query.from", span.From,
			"%s has more than %d candles of %s in that time: ask from %s on, or for a longer interval", symbol, most, i, since)
	}
	if len(candles) == 0 {
		if err := s.mustKnow(symbol); err != nil {
			return nil, err
		}
	}
	slices.Reverse(candles)
	return candles, nil
}

// maxLead bounds what is read to warm up: a day of the shortest candles, and some.
const maxLead = 100_000

// lead returns the last candles before a start, the oldest first: n of them or,
// where whole UTC days are wanted, all of that day if these are more.
func (s *Server) lead(ctx context.Context, symbol string, i streamflow.Interval, start time.Time, n int, daily bool) ([]streamflow.Candle, error) {
	midnight := start.UTC().Truncate(24 * time.Hour)
	var candles []streamflow.Candle
	rows := n
	if daily {
		rows = max(n, min(int(start.Sub(midnight)/i.Duration()), chunk)) + 1
	}
	if rows == 0 {
		return nil, nil
	}
	v := candleView{symbol: symbol, interval: i, to: start, descending: true, rows: rows}
	for c, err := range s.candles(ctx, v) {
		if err != nil {
			return nil, err
		}
		if len(candles) >= n && (!daily || c.Start.Before(midnight)) || len(candles) == maxLead {
			break
		}
		if candles = append(candles, c); !daily && len(candles) == n {
			break
		}
	}
	slices.Reverse(candles)
	return candles, nil
}
