package simulate

import (
	"context"
	"fmt"
	"time"
)

const (
	// slice is how often the sender looks what is due: at 200,000 ticks a second
	// 1,000 ticks, for one timer and one look at the clock.
	slice = 5 * time.Millisecond

	skipLogEvery = time.Minute
)

// live sends ticks from start on until ctx ends.
func (r *run) live(ctx context.Context, start time.Time) error {
	beat := newBeat(start, len(r.keys), r.Interval, r.Rate)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var skips skips
	for {
		from, to, skipped := beat.take(time.Now())
		r.counts.Skipped += skipped
		skips.add(r, skipped)
		for k := from; k < to; k++ {
			if err := r.next(ctx, beat.at(k)); err != nil {
				return err
			}
			r.counts.Live++
		}
		if r.watch.stalled.Load() {
			// The sink still has room, but nothing of it arrives. More would
			// come out as a burst of old ticks later: wait until it is back.
			if err := r.sink.Flush(ctx); err != nil {
				return fmt.Errorf("simulate: wait until ticks are stored: %w", err)
			}
		}
		timer.Reset(max(beat.wait(time.Now()), slice))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// skips puts skipped ticks into the log, at most once in a while.
type skips struct {
	told    time.Time
	pending int64
}

func (s *skips) add(r *run, skipped int64) {
	s.pending += skipped
	if s.pending == 0 || time.Since(s.told) < skipLogEvery {
		return
	}
	r.Logger.Warn("live ticks skipped: the sink, or this machine, did not keep up", "ticks", s.pending)
	s.told, s.pending = time.Now(), 0
}
