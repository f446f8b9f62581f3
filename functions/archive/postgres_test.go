package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"streamflow"
	"streamflow/infra/embedded"
	"streamflow/infra/postgres"
)

// database starts a PostgreSQL of its own.
func database(t *testing.T) *postgres.DB {
	t.Helper()
	dir, err := os.MkdirTemp("", "streamflow-archive")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // where tests run as root, the server's user goes in
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server, err := embedded.StartPostgres(ctx, embedded.PostgresConfig{Addr: "127.0.0.1:0", Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	db, err := postgres.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if _, err := db.Migrate(t.Context(), postgres.Retention{}); err != nil {
		t.Fatal(err)
	}
	return db
}

// Workers that do not know of each other store the same results, each from
// another place on and with views between: the tables hold every candle as it
// ended, and every alert once.
func TestZombiesAgainstPostgres(t *testing.T) {
	db := database(t)
	rng := rand.New(rand.NewPCG(1, 2))
	var candles, alerts []streamflow.Message
	var wantCandles []streamflow.Candle
	wantAlerts := map[string]streamflow.Alert{}
	for minute := range 50 {
		at := start.Add(time.Duration(minute) * time.Minute)
		trades := 1 + rng.Int64N(30)
		for n := int64(1); n < trades; n += 3 {
			candles = append(candles, view(starting(candle("A", streamflow.Minute1, n, false), at)))
		}
		closed := starting(candle("A", streamflow.Minute1, trades, true), at)
		candles = append(candles, fact(int64(len(candles)), closed))
		if rng.IntN(3) == 0 {
			closed = starting(candle("A", streamflow.Minute1, trades+1, true), at)
			closed.Amended = 1
			candles = append(candles, fact(int64(len(candles)), closed))
		}
		wantCandles = append(wantCandles, closed)
		a := streamflow.Alert{
			ID: fmt.Sprint("r/A/", minute), Rule: "r", Symbol: "A", When: "price > 1", Severity: streamflow.SeverityInfo, Time: at,
			Price: closed.Close, Values: map[string]float64{"price": closed.Close}, Text: "A is high", Position: closed.Last.String(),
		}
		wantAlerts[a.ID] = a
		alerts = append(alerts, alertFact(int64(minute), a))
	}
	open := starting(candle("A", streamflow.Minute1, 5, false), start.Add(50*time.Minute))
	wantCandles = append(wantCandles, open)
	candles = append(candles, view(open))

	var workers sync.WaitGroup
	for w := range 3 {
		sink, other := NewCandles(db, slog.New(slog.DiscardHandler), nil), NewAlerts(db, slog.New(slog.DiscardHandler), nil)
		size := 3 + 7*w
		workers.Go(func() {
			for part := range slices.Chunk(slices.Concat(candles[:len(candles)/(w+1)], candles), size) {
				if err := sink.Commit(t.Context(), part, nil, nil); err != nil {
					t.Error(err)
				}
				sink.storeViews(t.Context())
			}
		})
		workers.Go(func() {
			for part := range slices.Chunk(slices.Concat(alerts[:len(alerts)/(w+1)], alerts), size) {
				if err := other.Commit(t.Context(), part, nil, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	workers.Wait()
	got, err := db.Candles(t.Context(), postgres.CandlesQuery{Symbol: "A", Interval: streamflow.Minute1, OldestFirst: true})
	if err != nil || !reflect.DeepEqual(got, wantCandles) {
		t.Errorf("%v\n%+v, want\n%+v", err, got, wantCandles)
	}
	stored, err := db.Alerts(t.Context(), postgres.AlertsQuery{Limit: 1000})
	if err != nil || len(stored) != len(wantAlerts) {
		t.Errorf("%d alerts, want %d: %v", len(stored), len(wantAlerts), err)
	}
	for _, a := range stored {
		have, _ := json.Marshal(a.Alert)
		want, _ := json.Marshal(wantAlerts[a.ID])
		if string(have) != string(want) {
			t.Errorf("%s, want %s", have, want)
		}
	}
}

func starting(c streamflow.Candle, start time.Time) streamflow.Candle {
	c.Start = start
	return c
}
