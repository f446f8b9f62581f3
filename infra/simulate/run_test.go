package simulate

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamflow"
)

// start runs o until stop is called, which returns what Run returned.
func start(sink Sink, o Options) (stop func() (Counts, error)) {
	ctx, cancel := context.WithCancel(context.Background())
	type result struct {
		Counts
		error
	}
	done := make(chan result, 1)
	go func() { c, err := Run(ctx, sink, o); done <- result{c, err} }()
	return func() (Counts, error) { cancel(); r := <-done; return r.Counts, r.error }
}

func TestBackfillGoesLiveWithoutAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &fakeSink{}
		var done, total []int64
		stop := start(sink, Options{Backfill: 2 * time.Hour, Logger: slog.New(slog.DiscardHandler),
			Progress: func(d, n int64) { done, total = append(done, d), append(total, n) }})
		time.Sleep(time.Minute)
		counts, err := stop()
		if err != nil {
			t.Fatal(err)
		}
		if counts.Backfilled != 5*(240+2400) || counts.Live < 200 || counts.Skipped != 0 || counts.Stored != counts.Backfilled+counts.Live {
			t.Errorf("%+v, want 13200 of history and 200 live ticks", counts)
		}
		if n := len(done); n == 0 || done[n-1] != counts.Backfilled || total[n-1] != counts.Backfilled {
			t.Errorf("progress %v of %v", done, total)
		}
		checkNoGap(t, sink.ticks)
	})
}

// checkNoGap: times increase strictly by no more than a round of that age, and
// no step of the price is out of the ordinary.
func checkNoGap(t *testing.T, ticks []streamflow.Tick) {
	t.Helper()
	last := make(map[string]streamflow.Tick)
	for i, tick := range ticks {
		l, ok := last[tick.Symbol]
		last[tick.Symbol] = tick
		if !ok {
			continue
		}
		dt := tick.Time.Sub(l.Time)
		if dt <= 0 || dt > 30*time.Second {
			t.Fatalf("tick %d: %s after %s", i, tick.Time, l.Time)
		}
		limit := 8 * 2 * 3 * DefaultVolatility * math.Sqrt(dt.Seconds()/secondsPerYear)
		if r := math.Abs(math.Log(tick.Price / l.Price)); r > limit+0.0005 {
			t.Errorf("tick %d: %s from %v to %v in %s", i, tick.Symbol, l.Price, tick.Price, dt)
		}
	}
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &fakeSink{}
		stop := start(sink, Options{Rate: 1_000, Logger: slog.New(slog.DiscardHandler)})
		time.Sleep(10*time.Second + time.Millisecond)
		counts, err := stop()
		if err != nil || counts.Live < 9_950 || counts.Live > 10_050 || counts.Skipped != 0 {
			t.Errorf("%+v, %v; want 10000 ticks", counts, err)
		}
		checkNoGap(t, sink.ticks)
	})
}

// TestSinkIsAway for ten minutes, once with room for some ticks and once
// without: it is said once, nothing is lost, and nothing old comes in a burst.
func TestSinkIsAway(t *testing.T) {
	for name, room := range map[string]int{"buffers": 1_000_000, "blocks": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sink := &fakeSink{}
				var log bytes.Buffer
				stop := start(sink, Options{Rate: 100, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				time.Sleep(10 * time.Second)
				sink.leave(room)
				time.Sleep(10 * time.Minute)
				sink.comeBack()
				time.Sleep(10 * time.Second)
				counts, err := stop()
				if err != nil || counts.Stored != counts.Live {
					t.Errorf("%+v, %v", counts, err)
				}
				if counts.Live > 2_700 || counts.Skipped < 59_000 {
					t.Errorf("%+v: want the rounds of ten minutes skipped", counts)
				}
				if n := strings.Count(log.String(), "no tick has been stored"); n != 1 {
					t.Errorf("said %d times:\n%s", n, log.String())
				}
				if n := strings.Count(log.String(), "\n"); n > 4 {
					t.Errorf("%d lines of log:\n%s", n, log.String())
				}
			})
		})
	}
}

func TestLossIsAnError(t *testing.T) {
	lost := errors.New("lost")
	for _, backfill := range []time.Duration{0, time.Hour} {
		_, err := Run(t.Context(), &fakeSink{fail: lost}, Options{Backfill: backfill, Logger: slog.New(slog.DiscardHandler)})
		if !errors.Is(err, lost) {
			t.Errorf("backfill %s: %v, want the sink's error", backfill, err)
		}
	}
}

func TestUnconfirmedAtTheEndIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &fakeSink{}
		sink.leave(10)
		stop := start(sink, Options{Logger: slog.New(slog.DiscardHandler)})
		time.Sleep(2 * time.Second)
		if _, err := stop(); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "0 confirmed") {
			t.Errorf("%v, want an error that counts", err)
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{{Rate: MaxRate + 1}, {Rate: -1}, {Interval: time.Microsecond}, {Backfill: -1},
		{Market: Config{Symbols: []string{"A", "A"}}}, {Market: Config{Symbols: []string{"not one"}}}} {
		if _, err := Run(t.Context(), &fakeSink{}, o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
