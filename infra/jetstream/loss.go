package jetstream

import (
	"context"
	"errors"
	"sync"
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
