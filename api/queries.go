package api

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// queryTimeout is how long the database may take for one answer.
const queryTimeout = 10 * time.Second

// chunk is how many rows are read at once: a long answer holds no more than
// that in memory, and no connection of the database while it is sent.
const chunk = 5000

// storedTicks yields what q asks for; q.Limit bounds how many are read at once,
// not how many there are. An error, ready for the client, is the last.
func (s *Server) storedTicks(ctx context.Context, q TicksQuery) iter.Seq2[streamflow.Mirrored, error] {
	return func(yield func(streamflow.Mirrored, error) bool) {
		if !streamflow.ValidSymbol(q.Symbol) {
			return // or the database would say so, in its words
		}
		q.Limit = min(q.Limit, chunk)
		pages(ctx, s, q.Limit, func(ctx context.Context) ([]streamflow.Mirrored, error) { return s.config.Store.Ticks(ctx, q) },
			func(last *streamflow.Mirrored) {
				q.After = &TickCursor{last.Tick.Time, last.Position.Partition, last.Position.Offset}
			}, yield)
	}
}

// storedCandles does for candles what storedTicks does for ticks.
func (s *Server) storedCandles(ctx context.Context, q CandlesQuery) iter.Seq2[streamflow.Candle, error] {
	return func(yield func(streamflow.Candle, error) bool) {
		store := s.config.Market.Candles
		if store == nil {
			yield(streamflow.Candle{}, notJoined("candles"))
			return
		}
		if !streamflow.ValidSymbol(q.Symbol) {
			return
		}
		q.Limit = min(q.Limit, chunk)
		pages(ctx, s, q.Limit, func(ctx context.Context) ([]streamflow.Candle, error) { return store.Candles(ctx, q) },
			func(last *streamflow.Candle) { q.After = last.Start }, yield)
	}
}

// pages yields the rows of one query after the other, until one has fewer than
// limit; goOn moves the query behind the last row of a page.
func pages[T any](ctx context.Context, s *Server, limit int, query func(context.Context) ([]T, error), goOn func(last *T), yield func(T, error) bool) {
	for {
		rows, err := within(ctx, query)
		if err != nil {
			var none T
			yield(none, s.storeFault(ctx, err))
			return
		}
		for i := range rows {
			if !yield(rows[i], nil) {
				return
			}
		}
		if len(rows) < limit {
			return
		}
		goOn(&rows[len(rows)-1])
	}
}

// within bounds the time of one query.
func within[T any](ctx context.Context, query func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	v, err := query(ctx)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errors.Join(err, context.DeadlineExceeded) // whatever the driver calls it
	}
	return v, err
}

// storeFault is the answer where the database did not give one.
func (s *Server) storeFault(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return unavailable("the client has gone") // nobody reads it
	case errors.Is(err, context.DeadlineExceeded):
		return huma.Error504GatewayTimeout("the database did not answer within " + queryTimeout.String() +
			": ask for a shorter time (from, to) or for less (limit)")
	}
	s.log.Warn("the database cannot be read", "error", err)
	return unavailable("the database cannot be read: %v", err)
}

// notJoined is the answer where the server was started without a part.
func notJoined(part string) error { return unavailable("this server is not joined to the %s", part) }
