package main

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"streamflow"
	"streamflow/infra/jetstream"
	"streamflow/infra/postgres"
)

// stocks answers what is asked over NATS, out of the stream and the database.
type stocks struct {
	js *jetstream.Client
	db *postgres.DB

	mu   sync.Mutex
	list []streamflow.Tick
	when time.Time // of list
}

// Last implements [jetstream.Stocks]: what the stream no longer keeps the
// database has.
func (s *stocks) Last(ctx context.Context, symbol string) (streamflow.Tick, bool, error) {
	m, ok, err := s.js.LastTick(ctx, symbol)
	if ok || err != nil {
		return m.Tick, ok, err
	}
	rows, err := s.db.Ticks(ctx, postgres.TicksQuery{Symbol: symbol, Limit: 1})
	if err != nil || len(rows) == 0 {
		return streamflow.Tick{}, false, err
	}
	return rows[0].Tick, true, nil
}

// Candles implements [jetstream.Stocks].
func (s *stocks) Candles(ctx context.Context, symbol string, i streamflow.Interval, from, to time.Time, limit int) ([]streamflow.Candle, error) {
	found, err := s.db.Candles(ctx, postgres.CandlesQuery{Symbol: symbol, Interval: i, From: from, To: to, Limit: limit})
	slices.Reverse(found)
	return found, err
}

// listFor is how long a list is given out again: to make one reads a message of
// every symbol.
const listFor = time.Second

// List implements [jetstream.Stocks].
func (s *stocks) List(ctx context.Context) ([]streamflow.Tick, error) {
	s.mu.Lock() // many who ask at once read it once
	defer s.mu.Unlock()
	if time.Since(s.when) < listFor {
		return s.list, nil
	}
	newest, _, err := s.js.Feed().Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	s.list = make([]streamflow.Tick, len(newest))
	for i := range newest {
		s.list[i] = newest[i].Tick
	}
	slices.SortFunc(s.list, func(a, b streamflow.Tick) int { return cmp.Compare(a.Symbol, b.Symbol) })
	s.when = time.Now()
	return s.list, nil
}
