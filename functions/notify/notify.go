package notify

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Config of a notifier.
type Config struct {
	Webhooks    []Webhook // from [ParseConfig]
	Open        func(w Webhook) Queue
	Recorder    Recorder // nil records nothing
	DeadLetters DeadLetters
	Transport   http.RoundTripper // nil is one of its own for each webhook
	Logger      *slog.Logger
	Metrics     *Metrics
}

// Notifier delivers alerts to webhooks.
type Notifier struct{ Config }

// New returns a notifier that is not started yet.
func New(c Config) *Notifier {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics(nil)
	}
	return &Notifier{c}
}

const (
	// grace is what attempts on their way have left when the notifier stops.
	grace = 5 * time.Second
	// recordAtMost keeps a database that hangs from holding up deliveries.
	recordAtMost = 5 * time.Second
)

// Run delivers until ctx ends, each webhook by itself, also if there is none left
// to deliver to. Attempts on their way are given a few seconds then; what is not
// acknowledged is delivered later.
func (n *Notifier) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, w := range n.Webhooks {
		all.Go(func() { n.worker(w).run(ctx) })
	}
	<-ctx.Done()
	all.Wait()
	return nil
}

func (n *Notifier) worker(w Webhook) *worker {
	transport := n.Transport
	if transport == nil {
		transport = newTransport(w.Concurrency)
	}
	return &worker{
		hook: w, queue: n.Open(w), client: newClient(transport), recorder: n.Recorder, letters: n.DeadLetters,
		log: n.Logger.With("function", Durable(w.Name)), metrics: n.Metrics,
	}
}
