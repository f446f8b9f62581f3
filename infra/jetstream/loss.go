package jetstream

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

var errLost = errors.New("the connection to NATS was lost before the answer came")

// loss tells whoever waits for an answer that the connection which was to bring
// it is gone. The library would let them wait for the whole of their time, and
// who waits for a commit can do nothing else meanwhile.
type loss struct {
	mu   sync.Mutex
	gone chan struct{} // closed with the connection; then there is another one
}

func newLoss() *loss { return &loss{gone: make(chan struct{})} }

func (l *loss) happens() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.gone)
	l.gone = make(chan struct{})
}

// within returns a context that also ends with the connection, because of
// [errLost].
func (l *loss) within(ctx context.Context) (context.Context, func()) {
	l.mu.Lock()
	gone := l.gone
	l.mu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-gone:
			cancel(errLost)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// answer sends a question and waits for its answer, for as long as there is the
// connection on which it would come, and ctx.
func (c *Client) answer(ctx context.Context, question *nats.Msg) (*nats.Msg, error) {
	ctx, done := c.lost.within(ctx)
	defer done()
	answer, err := c.nc.RequestMsgWithContext(ctx, question)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	return answer, err
}

const (
	askAgain = 2 * time.Second
	askTimes = 5
)

// ask repeats a question that is not answered. One that is sent while a stream
// has no leader is lost: whoever becomes the leader has not heard it.
func ask[T any](ctx context.Context, question func(context.Context) (T, error)) (answer T, err error) {
	for range askTimes {
		once, cancel := context.WithTimeout(ctx, askAgain)
		answer, err = question(once)
		cancel()
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, nats.ErrTimeout) {
			break
		}
	}
	return answer, err
}
