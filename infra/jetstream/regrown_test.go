package jetstream_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"streamflow"
	"streamflow/infra/jetstream"
)

// A follower that was away while the stream was made anew is told, though its
// sequence is one of the new stream too.
func TestFollowerThatWasAwayIsToldOfARebuild(t *testing.T) {
	direct, server := start(t)
	commit(t, direct.Ticks(), streamflow.Start, 0, 99)
	b := newBreaker(t, server)
	c := connect(t, b.url)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	all, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		n := 0
		ended <- c.Follow(ctx, streamflow.StreamTicks, 0, func(batch []streamflow.Message) error {
			if n += len(batch); n == 100 {
				close(all)
			}
			return nil
		})
	}()
	select {
	case <-all:
	case <-ctx.Done():
		t.Fatal("not all ticks came")
	}
	b.away.Store(true)
	b.cut()
	if err := direct.DeleteStreams(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := direct.Ensure(ctx, jetstream.DefaultLimits); err != nil {
		t.Fatal(err)
	}
	commit(t, direct.Ticks(), streamflow.Start, 0, 499)
	b.away.Store(false)
	if err := <-ended; !errors.Is(err, streamflow.ErrRebuilt) {
		t.Errorf("it ends with %v", err)
	}
}
