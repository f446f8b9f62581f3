package simulate

import (
	"context"
	"fmt"
	"time"
)

// backfill sends history up to the present and returns the time up to which it
// went, where live ticks begin. To send it takes a while, and the present moves
// on: the gap is filled in the same way until it is shorter than a round.
func (r *run) backfill(ctx context.Context) (time.Time, error) {
	began := time.Now()
	p := &progress{run: r}
	to := began.Round(0).Truncate(time.Millisecond)
	from := to.Add(-r.Backfill)
	for {
		plan := Plan{Symbols: len(r.keys), From: from, To: to, Finest: r.Interval}
		p.total += plan.Total()
		for d := range plan.All() {
			if err := r.tick(ctx, d); err != nil {
				return to, err
			}
			r.counts.Backfilled++
			if r.counts.Backfilled%512 == 0 {
				if err := ctx.Err(); err != nil {
					return to, err
				}
				p.maybe()
			}
		}
		now := time.Now().Round(0).Truncate(time.Millisecond)
		if now.Sub(to) <= max(r.Interval, time.Second) {
			break
		}
		from, to = to, now
	}
	if err := r.sink.Flush(ctx); err != nil {
		return to, fmt.Errorf("simulate: store the history: %w", err)
	}
	p.tell()
	r.Logger.Info("history sent", "ticks", r.counts.Backfilled, "of", r.Backfill, "took", time.Since(began).Round(time.Millisecond))
	return to, nil
}

// progressEvery is how often a progress is told.
const progressEvery = 200 * time.Millisecond

type progress struct {
	*run
	total int64
	told  time.Time
}

func (p *progress) maybe() {
	if p.Progress != nil && time.Since(p.told) >= progressEvery {
		p.tell()
	}
}

func (p *progress) tell() {
	if p.Progress != nil {
		p.told = time.Now()
		p.Progress(p.watch.stored(), p.total)
	}
}
