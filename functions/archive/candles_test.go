package archive

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"streamflow"
	"streamflow/functions"
)

var _ = []functions.Sink{&Sink{}, &Candles{}, &Alerts{}}

var start = time.Date(2025, 3, 4, 0, 0, 0, 0, time.UTC)

func candle(symbol string, i streamflow.Interval, trades int64, closed bool) streamflow.Candle {
	price := float64(trades)
	return streamflow.Candle{
		Symbol: symbol, Interval: i, Start: start, Open: price, High: price, Low: price, Close: price, VWAP: price,
		Volume: trades, Trades: trades, Closed: closed, Last: streamflow.Position{Topic: streamflow.TopicTicks, Offset: trades},
	}
}

// fact returns the n-th message of the function candles; view one without a place.
func fact(n int64, c streamflow.Candle) streamflow.Message {
	m := view(c)
	m.Position = streamflow.Position{Topic: "candles.x", Offset: n}
	return m
}

func view(c streamflow.Candle) streamflow.Message {
	return streamflow.Message{Subject: streamflow.CandleSubject(c.Interval, c.Symbol), Data: c.AppendJSON(nil), Cause: c.Last}
}

type key struct {
	symbol   string
	interval streamflow.Interval
}

// table is a database in memory, which keeps the candle with the most trades.
type table struct {
	mu      sync.Mutex
	rows    map[key]streamflow.Candle
	calls   int
	fail    error
	refused []error
}

func newTable() *table { return &table{rows: map[key]streamflow.Candle{}} }

func (t *table) UpsertCandles(_ context.Context, candles []streamflow.Candle) (written int64, refused []error, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls++
	if t.fail != nil {
		return 0, nil, t.fail
	}
	for _, c := range candles {
		k := key{c.Symbol, c.Interval}
		if have, ok := t.rows[k]; !ok || c.Trades > have.Trades || c.Trades == have.Trades && c.Closed && !have.Closed {
			t.rows[k] = c
			written++
		}
	}
	return written, t.refused, nil
}

func (t *table) get(symbol string, i streamflow.Interval) streamflow.Candle {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rows[key{symbol, i}]
}

func (t *table) called() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls
}

func (t *table) failWith(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fail = err
}

func TestCandlesStoresFacts(t *testing.T) {
	r, store := prometheus.NewRegistry(), newTable()
	s := NewCandles(store, slog.New(slog.DiscardHandler), NewMetrics(r))
	if at, err := s.Load(t.Context()); at != nil || err != nil {
		t.Fatal(at, err)
	}
	broken := fact(1, streamflow.Candle{})
	broken.Data = []byte(`{"symbol":"A","interval":"2m"}`)
	batch := []streamflow.Message{
		fact(0, candle("A", streamflow.Minute1, 3, true)), broken, view(candle("B", streamflow.Day1, 3, false)),
		fact(2, candle("A", streamflow.Second1, 2, true)),
	}
	for range 2 { // the second time it is a redelivery
		if err := s.Commit(t.Context(), batch, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(store.rows) != 2 || store.get("A", streamflow.Minute1) != candle("A", streamflow.Minute1, 3, true) {
		t.Errorf("%+v", store.rows)
	}
	store.refused = []error{errors.New("too big")}
	if err := s.Commit(t.Context(), batch[:1], nil, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := counts(t, r), (map[string]float64{"written": 2, "kept": 2, "unreadable": 2, "refused": 1}); !maps.Equal(got, want) {
		t.Errorf("metrics %v, want %v", got, want)
	}
	store.fail = errors.New("gone")
	if err := s.Commit(t.Context(), batch, nil, nil); !errors.Is(err, store.fail) {
		t.Errorf("error %v", err)
	}
	calls := store.calls
	if err := s.Commit(t.Context(), batch[1:3], nil, nil); err != nil || store.calls != calls {
		t.Errorf("nothing to store: %v, %d calls", err, store.calls-calls)
	}
}

// counts reads the metrics by outcome.
func counts(t *testing.T, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil || len(families) != 1 {
		t.Fatal(families, err)
	}
	all := map[string]float64{}
	for _, m := range families[0].GetMetric() {
		all[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue() // labels are sorted: outcome, table
	}
	return all
}

// Views come to the table every few seconds, the newest of each candle; a fact
// at once; and what the database could not take comes later.
func TestCandlesThatGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newTable()
		s := NewCandles(store, slog.New(slog.DiscardHandler), nil)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		grow := func(n int64) {
			for _, i := range streamflow.Intervals {
				m := view(candle("A", i, n, false))
				s.View([]streamflow.Message{m})
				clear(m.Data) // the caller uses it again
			}
		}
		for n := range int64(40) {
			grow(n)
			time.Sleep(100 * time.Millisecond)
		}
		if n := store.called(); n > 0 {
			t.Errorf("after 4 s: %d calls", n)
		}
		time.Sleep(2 * time.Second)
		if got := slices.Sorted(maps.Keys(intervals(store))); len(got) != 5 || slices.Contains(got, streamflow.Second1) || store.called() != 1 {
			t.Errorf("after 6 s: %v in %d calls", got, store.called())
		}
		if got := store.get("A", streamflow.Day1); got != candle("A", streamflow.Day1, 39, false) {
			t.Errorf("%+v", got)
		}
		store.failWith(errors.New("gone"))
		grow(50)
		time.Sleep(6 * time.Second)
		s.View([]streamflow.Message{view(candle("A", streamflow.Hour1, 60, false))})
		store.failWith(nil)
		time.Sleep(6 * time.Second)
		if day, hour := store.get("A", streamflow.Day1), store.get("A", streamflow.Hour1); day.Trades != 50 || hour.Trades != 60 {
			t.Errorf("after an outage: %+v, %+v", day, hour)
		}
		calls := store.called()
		time.Sleep(time.Minute)
		if n := store.called(); n != calls {
			t.Errorf("%d calls for nothing", n-calls)
		}
		grow(70)
		stop()
		if err := <-done; err != nil || store.get("A", streamflow.Day1).Trades != 70 {
			t.Errorf("stopped: %v, %+v", err, store.get("A", streamflow.Day1))
		}
	})
}

func intervals(t *table) map[streamflow.Interval]bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := map[streamflow.Interval]bool{}
	for k := range t.rows {
		all[k.interval] = true
	}
	return all
}

// A database that is slow is not asked all the time.
func TestViewsOfASlowDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &slow{table: newTable(), takes: 3 * time.Second}
		s := NewCandles(store, slog.New(slog.DiscardHandler), nil)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		rng := rand.New(rand.NewPCG(1, 1))
		for n := range int64(3000) {
			s.View([]streamflow.Message{view(candle("A", streamflow.Day1, n+rng.Int64N(3), false))})
			time.Sleep(100 * time.Millisecond)
		}
		if n := store.called(); n < 9 || n > 11 { // after 5 s, then every 30 s
			t.Errorf("%d calls in 5 minutes", n)
		}
		stop()
		<-done
	})
}

type slow struct {
	*table
	takes time.Duration
}

func (s *slow) UpsertCandles(ctx context.Context, candles []streamflow.Candle) (int64, []error, error) {
	time.Sleep(s.takes)
	return s.table.UpsertCandles(ctx, candles)
}

func BenchmarkView(b *testing.B) {
	s := NewCandles(newTable(), slog.New(slog.DiscardHandler), nil)
	m := []streamflow.Message{view(candle("AAPL", streamflow.Minute1, 10, false))}
	b.ReportAllocs()
	for b.Loop() {
		s.View(m)
	}
}
