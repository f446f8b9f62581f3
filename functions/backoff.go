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
	timer := time.NewTimer(b.delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
