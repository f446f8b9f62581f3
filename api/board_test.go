package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"streamflow"
	"streamflow/api/live"
)

// fedIntake is an intake and what feeds it.
type fedIntake struct {
	*intake
	live *live.Server
}

// running starts an intake in a bubble.
func running(t *testing.T, feed Feed, store Store) fedIntake {
	t.Helper()
	c := &Config{Feed: feed, Store: store, Logger: slog.New(slog.DiscardHandler)}
	in := fedIntake{intake: newIntake(c, newBoard())}
	var err error
	in.live, err = live.New(live.Config{Feed: feed, Streams: []string{streamflow.StreamTicks}, Tap: in, Logger: c.Logger})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		var wg sync.WaitGroup
		wg.Go(func() { in.live.Run(ctx) })
		wg.Go(func() { in.run(ctx) })
		wg.Wait()
	}()
	t.Cleanup(func() { cancel(); <-done })
	return in
}

// check holds the board against a batch computation over all ticks.
func checkBoard(t *testing.T, b *board, all []streamflow.Mirrored) {
	t.Helper()
	now := time.Now()
	want := map[string]streamflow.Day{}
	for _, d := range batchDays(all, now.UTC().Truncate(24*time.Hour)) {
		want[d.Symbol] = d
	}
	stocks, _, ok := b.stocks(now)
	if !ok || len(stocks) != len(want) {
		t.Fatalf("board has %d stocks, seeded %v, want %d", len(stocks), ok, len(want))
	}
	value := func(p *float64) float64 {
		if p == nil {
			return 0
		}
		return *p
	}
	for i, s := range stocks {
		if i > 0 && stocks[i-1].Symbol >= s.Symbol {
			t.Fatalf("stocks are not sorted: %s before %s", stocks[i-1].Symbol, s.Symbol)
		}
		d := want[s.Symbol]
		if s.DayTicks == nil {
			t.Fatalf("%s: the day is unknown", s.Symbol)
		}
		got := fmt.Sprint(s.Price, s.Timestamp, *s.DayTicks, *s.DayVolume, value(s.Reference), value(s.Open), value(s.High), value(s.Low))
		exp := fmt.Sprint(d.Last.Price, d.Last.Time, d.Ticks, d.Volume, d.Reference, d.Open, d.High, d.Low)
		if got != exp {
			t.Fatalf("%s\n got %s\nwant %s", s.Symbol, got, exp)
		}
	}
}

// TestBoardEqualsBatch starts the board in the middle of a stream, some of it
// archived, with ticks and the archive going on meanwhile, over midnight.
func TestBoardEqualsBatch(t *testing.T) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { boardEqualsBatch(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func boardEqualsBatch(t *testing.T, r *rand.Rand) {
	// The bubble's clock stands at midnight UTC: go to some time of the day.
	time.Sleep(time.Duration(r.Int64N(int64(24*time.Hour - 20*time.Minute))))
	feed, store := newFakeFeed(), &fakeStore{}
	var k maker
	var all []streamflow.Mirrored
	symbols := []string{"A", "B", "C", "D", "BTC/USD", "E", "F"}
	archived := 0
	emit := func(n int, late bool) {
		for range n {
			at := time.Now()
			if late {
				at = at.Add(-time.Duration(r.Int64N(int64(time.Hour))))
			}
			all = append(all, k.tick(symbols[r.IntN(len(symbols))], float64(1+r.IntN(1000))/4, r.Int64N(100), at))
			feed.put(all[len(all)-1])
			time.Sleep(time.Millisecond)
		}
	}
	archive := func(n int) {
		to := min(len(all), archived+n)
		store.put(all[archived:to]...)
		archived = to
		if archived > 0 { // the floor is told late: it may be behind the database
			feed.mu.Lock()
			feed.floor = feed.log[r.IntN(archived)].Sequence
			feed.mu.Unlock()
		}
	}
	// What the database holds alone comes in order: it does not tell when its
	// opening tick was, so later ticks may not be before that.
	emit(r.IntN(200), false)
	archive(r.IntN(300))
	in := running(t, feed, store)
	for range 10 {
		emit(r.IntN(40), false)
		archive(r.IntN(60))
	}
	synctest.Wait()
	checkBoard(t, in.board, all)
	time.Sleep(36 * time.Hour) // over a midnight, and no tick on that day so far
	synctest.Wait()
	checkBoard(t, in.board, all)
	time.Sleep(12*time.Hour - time.Since(time.Now().UTC().Truncate(12*time.Hour)) + time.Minute)
	for range 10 {
		emit(r.IntN(40), true)
		time.Sleep(6 * time.Minute)
	}
	synctest.Wait()
	checkBoard(t, in.board, all)
}

func TestBoardWithoutDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Hour)
		feed, store := newFakeFeed(), &fakeStore{}
		store.fail(errors.New("connection refused"))
		var k maker
		first := k.tick("AAPL", 10, 5, time.Now())
		feed.put(first)
		in := running(t, feed, store)
		synctest.Wait()
		second := k.tick("AAPL", 11, 7, time.Now())
		feed.put(second)
		synctest.Wait()
		s, found, seeded := in.board.stock("AAPL", time.Now())
		if !found || !seeded || s.Price != 11 || s.DayVolume != nil || s.Reference != nil || s.Open != nil || s.Change != nil {
			t.Fatalf("without a database: %+v", s)
		}
		time.Sleep(time.Minute)
		store.fail(nil)
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if s, _, _ = in.board.stock("AAPL", time.Now()); s.DayVolume == nil || *s.DayVolume != 12 {
			t.Fatalf("with the database back: %+v", s)
		}
	})
}

// TestBoardCountsRebuiltStreamOnce shows ticks again, under new sequences.
func TestBoardCountsRebuiltStreamOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Hour)
		feed := newFakeFeed()
		in := running(t, feed, &fakeStore{})
		var k maker
		ticks := []streamflow.Mirrored{k.tick("A", 1, 10, time.Now()), k.tick("A", 2, 10, time.Now()), k.tick("A", 3, 10, time.Now())}
		feed.put(ticks...)
		synctest.Wait()
		feed.put(ticks[1:]...)
		synctest.Wait()
		checkBoard(t, in.board, ticks)
	})
}

// TestReplayEndsWhereLiveBegan replays a stream that was rebuilt meanwhile, so
// that a tick which is counted live stands below the old last sequence.
func TestReplayEndsWhereLiveBegan(t *testing.T) {
	b := newBoard()
	var k maker
	now := time.Date(2025, 11, 21, 12, 0, 0, 0, time.UTC)
	all := []streamflow.Mirrored{k.tick("A", 1, 10, now), k.tick("A", 2, 10, now), k.tick("A", 3, 10, now)}
	for i := range all {
		all[i].Sequence = uint64(10 + i)
	}
	b.seed(all[:2])
	_, upTo := b.begin(nil, nil)
	b.apply(all[2:])
	b.recount(all, 100, upTo)
	b.finish()
	if s, _, _ := b.stock("A", now); *s.DayTicks != 3 {
		t.Errorf("%d ticks counted, want 3", *s.DayTicks)
	}
}

// TestBoardReloadsAfterMidnight loads while a clock ahead of ours has begun the
// next day already.
func TestBoardReloadsAfterMidnight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(24*time.Hour - 2*time.Minute)
		feed, store := newFakeFeed(), &fakeStore{}
		var k maker
		all := []streamflow.Mirrored{k.tick("A", 1, 10, time.Now()), k.tick("A", 2, 10, time.Now().Add(3*time.Minute))}
		feed.put(all...)
		store.put(all...)
		feed.floor = 2
		in := running(t, feed, store)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		checkBoard(t, in.board, all)
	})
}

func TestLateTickDoesNotMoveThePriceBack(t *testing.T) {
	b := newBoard()
	var k maker
	now := time.Date(2025, 11, 21, 12, 0, 0, 0, time.UTC)
	b.seed([]streamflow.Mirrored{k.tick("A", 10, 1, now)})
	b.apply([]streamflow.Mirrored{k.tick("A", 5, 1, now.Add(-time.Minute))})
	if s, _, _ := b.stock("A", now); s.Price != 10 {
		t.Fatalf("price %v, want 10", s.Price)
	}
}

func TestRoundTo(t *testing.T) {
	for _, c := range []struct{ a, b, want float64 }{
		{187.23, 185.5, 1.73}, {0.3, 0.1, 0.2}, {64000.1, 64000, 0.1}, {0.00001234, 0.00001233, 1e-8}, {1e-320, 1e-321, 1e-320 - 1e-321},
	} {
		if got := roundTo(c.a-c.b, c.a); got != c.want {
			t.Errorf("%v - %v: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestBoardDoesNotAllocate(t *testing.T) {
	b, batch := newBoard(), benchBatch(500)
	b.seed(batch)
	if n := testing.AllocsPerRun(20, func() { b.apply(batch) }); n > 0 {
		t.Errorf("%v allocations for a batch", n)
	}
}
