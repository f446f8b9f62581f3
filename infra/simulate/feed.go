package simulate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// DefaultFeedRate is the rate of a feed that names none, in records a second.
const DefaultFeedRate = 5

// Source makes the records of a feed, one behind the other. What it makes
// follows from its seed and the times that it is given.
type Source interface {
	// Next returns the record of something that happens at that time. The sink
	// keeps both.
	Next(at time.Time) (key, value []byte)
}

// Feed sends records of source at a rate of up to [MaxRate] a second until ctx
// ends, as [Run] sends live ticks: it waits for a sink that is away, and leaves
// out what was due meanwhile.
func Feed(ctx context.Context, sink Sink, source Source, rate int, logger *slog.Logger) (Counts, error) {
	if rate == 0 {
		rate = DefaultFeedRate
	}
	if rate < 0 || rate > MaxRate {
		return Counts{}, fmt.Errorf("simulate: a rate of %d: want 1 to %d", rate, MaxRate)
	}
	if logger == nil {
		logger = slog.Default()
	}
	// The schedule is that of one symbol: it has a record in each round.
	r := &run{Options: Options{Rate: rate, Logger: logger}, sink: sink, watch: newWatch(sink, logger), keys: make([][]byte, 1)}
	r.next = func(ctx context.Context, d Due) error {
		key, value := source.Next(d.At)
		r.watch.sent.Add(1)
		if err := sink.Send(ctx, key, value); err != nil {
			return fmt.Errorf("simulate: send a record: %w", err)
		}
		return nil
	}
	err := r.until(ctx, func(ctx context.Context) error { return r.live(ctx, time.Now()) })
	return r.counts, err
}

// until runs send until ctx ends, and then waits until all is stored.
func (r *run) until(ctx context.Context, send func(context.Context) error) error {
	watching, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); r.watch.run(watching) }()

	err := send(ctx)
	stop()
	<-done
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil // the end was asked for
	}
	if err == nil {
		err = r.settle(ctx)
	}
	r.counts.Stored = r.watch.stored()
	return err
}
