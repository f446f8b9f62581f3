package functions

import (
	"context"
	"time"
)

// backoff doubles the wait between tries, up to a bound.
type backoff struct{ delay time.Duration }

func (b *backoff) next() time.Duration {
	if b.delay == 0 {
		return retryFirst
	}
	return min(2*b.delay, retryAtMost)
}

func (b *backoff) wait(ctx context.Context) {
	b.delay = b.next()
	sleep(ctx, b.delay)
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
