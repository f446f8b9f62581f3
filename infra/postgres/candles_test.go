package postgres

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"streamflow"
)

// candle returns a version of one candle: what it says follows from its trades.
func candle(trades int64, closed bool) streamflow.Candle {
	price := float64(trades)
	return streamflow.Candle{
		Symbol: "A", Interval: streamflow.Minute1, Start: day, Open: price, High: price + 1, Low: price / 2, Close: price + 0.5,
		Volume: trades * 10, Trades: trades, VWAP: price + 0.25, Closed: closed,
		Last: streamflow.Position{Topic: streamflow.TopicTicks, Partition: 2, Offset: trades},
	}
}

func amended(trades, times int64) streamflow.Candle {
	c := candle(trades, true)
	c.Amended = times
	return c
}

func upsertAll(t testing.TB, d *DB, candles ...streamflow.Candle) int64 {
	t.Helper()
	n, refused, err := d.UpsertCandles(t.Context(), candles)
	if err != nil || len(refused) > 0 {
		t.Fatal(err, refused)
	}
	return n
}

// candlesOf returns the minutes of symbol A.
func candlesOf(t testing.TB, d *DB) []streamflow.Candle {
	t.Helper()
	candles, err := d.Candles(t.Context(), CandlesQuery{Symbol: "A", Interval: streamflow.Minute1})
	if err != nil {
		t.Fatal(err)
	}
	return candles
}

func TestUpsertCandlesKeepsTheFullest(t *testing.T) {
	d := newDB(t)
	closed80 := candle(80, false)
	closed80.Closed = true
	for i, c := range []struct {
		send    streamflow.Candle
		written int64
		want    streamflow.Candle
	}{
		{candle(1, false), 1, candle(1, false)},
		{candle(1, false), 0, candle(1, false)}, // delivered again
		{candle(80, false), 1, candle(80, false)},
		{candle(79, false), 0, candle(80, false)}, // a paused worker's
		{candle(60, true), 1, closed80},           // computed anew after a loss: less is known, but its time is over
		{candle(61, true), 0, closed80},
		{candle(81, false), 1, candle(81, true)}, // what is closed stays closed
		{amended(81, 1), 1, amended(81, 1)},
		{candle(81, true), 0, amended(81, 1)},
		{amended(82, 2), 1, amended(82, 2)},
		{amended(81, 1), 0, amended(82, 2)},
	} {
		if n := upsertAll(t, d, c.send); n != c.written {
			t.Errorf("%d: %d rows written, want %d", i, n, c.written)
		}
		if got := candlesOf(t, d); !reflect.DeepEqual(got, []streamflow.Candle{c.want}) {
			t.Fatalf("%d:\n%+v, want\n%+v", i, got, c.want)
		}
	}
	if n := upsertAll(t, d); n != 0 {
		t.Errorf("no candles: %d rows", n)
	}
}

// versions returns what a candle looks like as it grows, with what a loss and a
// replay add: versions that know less, and that end earlier or later.
func versions(rng *rand.Rand, symbol string, interval streamflow.Interval) (all []streamflow.Candle, fullest streamflow.Candle) {
	trades := 2 + rng.Int64N(20)
	for n := int64(1); n <= trades; n++ {
		all = append(all, candle(n, false))
	}
	late := rng.Int64N(3)
	all = append(all, candle(trades, true))
	for n := range late {
		all = append(all, amended(trades+n+1, n+1))
	}
	fullest = all[len(all)-1]
	partial := rng.Int64N(trades)
	all = append(all, candle(partial, false), candle(partial, true), amended(partial, 3), candle(trades+late, false), candle(trades+late, true))
	fullest.Closed = true
	for i := range all {
		all[i].Symbol, all[i].Interval = symbol, interval
	}
	fullest.Symbol, fullest.Interval = symbol, interval
	return all, fullest
}

// Any order and repetition of versions, in any parts, by several writers at
// once, ends in the fullest one.
func TestUpsertCandlesInAnyOrder(t *testing.T) {
	d := newDB(t, WithMaxConns(4))
	for seed := range uint64(15) {
		rng := rand.New(rand.NewPCG(seed, 7))
		var all, want []streamflow.Candle
		for i := range 6 {
			v, fullest := versions(rng, fmt.Sprintf("S%d.%d", seed, i), streamflow.Intervals[i])
			all, want = append(all, v...), append(want, fullest)
		}
		var wg sync.WaitGroup
		for range 3 { // each a zombie of the others
			mine := slices.Concat(all, all[:rng.IntN(len(all))])
			rng.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
			size := 1 + rng.IntN(25)
			wg.Go(func() {
				for part := range slices.Chunk(mine, size) {
					if _, refused, err := d.UpsertCandles(t.Context(), part); err != nil || len(refused) > 0 {
						t.Error(err, refused)
					}
				}
			})
		}
		wg.Wait()
		for _, w := range want {
			got, err := d.Candles(t.Context(), CandlesQuery{Symbol: w.Symbol, Interval: w.Interval})
			if err != nil || !reflect.DeepEqual(got, []streamflow.Candle{w}) {
				t.Fatalf("seed %d:\n%+v, %v, want\n%+v", seed, got, err, w)
			}
		}
	}
}

// What one call merges is what the table would have merged.
func TestFullestIsWhatTheTableDoes(t *testing.T) {
	d := newDB(t)
	rng := rand.New(rand.NewPCG(1, 9))
	for range 100 {
		some := make([]streamflow.Candle, 4)
		for i := range some {
			some[i] = candle(rng.Int64N(3), rng.IntN(2) == 0)
			some[i].Amended, some[i].Last.Offset = rng.Int64N(2), rng.Int64N(2)
			some[i].Open, some[i].Close = float64(some[i].Last.Offset), float64(some[i].Amended)
		}
		if _, err := d.pool.Exec(t.Context(), "TRUNCATE candles"); err != nil {
			t.Fatal(err)
		}
		for _, c := range some {
			upsertAll(t, d, c)
		}
		single := candlesOf(t, d)
		if _, err := d.pool.Exec(t.Context(), "TRUNCATE candles"); err != nil {
			t.Fatal(err)
		}
		upsertAll(t, d, some...)
		if got := candlesOf(t, d); !reflect.DeepEqual(got, single) {
			t.Fatalf("at once\n%+v, one by one\n%+v, of\n%+v", got, single, some)
		}
	}
}

func TestUpsertCandlesRefuses(t *testing.T) {
	d := newDB(t)
	other := candle(1, true)
	other.Last.Topic = "other"
	n, refused, err := d.UpsertCandles(t.Context(), []streamflow.Candle{other, candle(2, true)})
	if n != 1 || len(refused) != 1 || err != nil {
		t.Fatal(n, refused, err)
	}
	t.Log(refused)
	// What the server refuses is found among its neighbours.
	if _, err := d.pool.Exec(t.Context(), "ALTER TABLE candles ADD CHECK (trades <> 13)"); err != nil {
		t.Fatal(err)
	}
	all := manyCandles(6000, 1, 1)
	all[17].Trades, all[5500].Trades = 13, 13
	n, refused, err = d.UpsertCandles(t.Context(), all)
	if n != 5998 || len(refused) != 2 || err != nil {
		t.Fatal(n, refused, err)
	}
	// What is no fault of a row is an error.
	if _, err := d.pool.Exec(t.Context(), "ALTER TABLE candles RENAME TO gone"); err != nil {
		t.Fatal(err)
	}
	if n, refused, err = d.UpsertCandles(t.Context(), all); n != 0 || len(refused) != 0 || err == nil {
		t.Fatal(n, refused, err)
	}
}

func TestCandlesPages(t *testing.T) {
	d := newDB(t)
	var all []streamflow.Candle // the oldest first, with gaps
	for i := range 100 {
		if i%7 != 3 {
			c := candle(int64(i+1), i < 98)
			c.Start = day.Add(time.Duration(i) * time.Minute)
			all = append(all, c)
		}
	}
	upsertAll(t, d, all...)
	upsertAll(t, d, manyCandles(50, 1, 1)...)
	at := func(m int) time.Time { return day.Add(time.Duration(m) * time.Minute) }
	for _, q := range []CandlesQuery{
		{}, {OldestFirst: true}, {From: at(10), To: at(20)}, {From: at(10).Add(1), To: at(20).Add(1), OldestFirst: true}, {ClosedOnly: true},
	} {
		var want, got []streamflow.Candle
		for _, c := range all {
			if !c.Start.Before(q.From) && (q.To.IsZero() || c.Start.Before(q.To)) && (c.Closed || !q.ClosedOnly) {
				want = append(want, c)
			}
		}
		if !q.OldestFirst {
			slices.Reverse(want)
		}
		q.Symbol, q.Interval, q.Limit = "A", streamflow.Minute1, 6
		for {
			page, err := d.Candles(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, page...)
			if len(page) < q.Limit {
				break
			}
			q.After = page[len(page)-1].Start
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: %d candles, want %d, or another order", q, len(got), len(want))
		}
	}
	for _, q := range []CandlesQuery{{Symbol: "A"}, {Interval: streamflow.Day1}, {Symbol: "A", Interval: streamflow.IntervalTick}} {
		if _, err := d.Candles(t.Context(), q); err == nil {
			t.Errorf("%+v: no error", q)
		}
	}
}

func TestPruneCandles(t *testing.T) {
	d := newDB(t)
	for round := range 10 {
		upsertAll(t, d, manyCandles(50, round, 1)...)
	}
	if n, err := d.PruneCandles(t.Context(), day.Add(5*time.Minute), 1000, streamflow.Minute1); n != 50 || err != nil {
		t.Errorf("minutes: %d, %v", n, err)
	}
	for _, want := range []int64{30, 10, 0} { // those of the first start
		if n, err := d.PruneCandles(t.Context(), day.Add(1), 30); n != want || err != nil {
			t.Errorf("%d, %v, want %d", n, err, want)
		}
	}
}
