package bridge

import (
	"context"
	"time"
)

const (
	retryFirst  = 50 * time.Millisecond
	retryAtMost = 2 * time.Second
)

// backoff doubles the wait between tries, up to a bound.
type backoff struct{ delay time.Duration }

// next is how long wait will wait.
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

// sleep waits and reports whether the time passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
