package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"streamflow"
)

const secret = "0123456789abcdef0123456789abcdef"

// queue is a durable consumer in memory.
type queue struct {
	mu      sync.Mutex
	waiting chan streamflow.Message
	counts  map[uint64]int
	acked   []uint64
	termed  map[uint64]string
	delays  []time.Duration
	left    sync.WaitGroup // messages that are not settled
	broken  int            // how many calls of Next fail first
	closed  bool
}

func newQueue(messages ...streamflow.Message) *queue {
	q := &queue{waiting: make(chan streamflow.Message, 1000), counts: make(map[uint64]int), termed: make(map[uint64]string)}
	for i, m := range messages {
		m.Sequence = uint64(i + 1)
		q.left.Add(1)
		q.waiting <- m
	}
	return q
}

func (q *queue) Next(ctx context.Context) (streamflow.Message, int, error) {
	q.mu.Lock()
	if q.broken > 0 {
		q.broken--
		q.mu.Unlock()
		return streamflow.Message{}, 0, fmt.Errorf("no server")
	}
	q.mu.Unlock()
	select {
	case <-ctx.Done():
		return streamflow.Message{}, 0, ctx.Err()
	case m := <-q.waiting:
		q.mu.Lock()
		defer q.mu.Unlock()
		q.counts[m.Sequence]++
		return m, q.counts[m.Sequence], nil
	}
}

func (q *queue) Ack(sequence uint64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.acked = append(q.acked, sequence)
	q.left.Done()
	return nil
}

func (q *queue) Term(sequence uint64, reason string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.termed[sequence] = reason
	q.left.Done()
	return nil
}

func (q *queue) NakWithDelay(sequence uint64, delay time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.delays = append(q.delays, delay)
	m := alert(int(sequence), "AAPL", streamflow.SeverityInfo)
	m.Sequence = sequence
	time.AfterFunc(delay, func() { q.waiting <- m })
	return nil
}

func (q *queue) Close() { q.closed = true }

// book keeps records and dead letters.
type book struct {
	mu      sync.Mutex
	records []Delivery
	letters map[string][]streamflow.DeadLetter
	fail    int // how many calls fail first
}

func (b *book) failing() error {
	if b.fail > 0 {
		b.fail--
		return fmt.Errorf("no database")
	}
	return nil
}

func (b *book) RecordDelivery(_ context.Context, d Delivery) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.failing(); err != nil {
		return err
	}
	b.records = append(b.records, d)
	return nil
}

func (b *book) Reject(_ context.Context, function string, l streamflow.DeadLetter) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.failing(); err != nil {
		return err
	}
	if b.letters == nil {
		b.letters = make(map[string][]streamflow.DeadLetter)
	}
	b.letters[function] = append(b.letters[function], l)
	return nil
}

// alert is the fact number n of function alerts.
func alert(n int, symbol string, severity streamflow.Severity) streamflow.Message {
	data, err := json.Marshal(streamflow.Alert{ID: fmt.Sprintf("id-%d", n), Rule: "r", Symbol: symbol, Severity: severity, Text: "AAPL: price 201 is above 200."})
	if err != nil {
		panic(err)
	}
	return streamflow.Message{
		Subject: streamflow.AlertSubject(symbol), Data: data, Position: streamflow.Position{Topic: "alerts.e", Offset: int64(n)},
	}
}

func hook(t *testing.T, name, url string, change func(w *Webhook)) Webhook {
	t.Helper()
	w := Webhook{Name: name, URL: url, Secret: Secret(secret)}
	if change != nil {
		change(&w)
	}
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
	return w
}

// transport answers requests without a network.
type transport func(r *http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func respond(status int, header ...string) (*http.Response, error) {
	r := &http.Response{StatusCode: status, Header: make(http.Header), Body: io.NopCloser(strings.NewReader("said the receiver"))}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r, nil
}

// start runs a notifier and returns how to stop it.
func start(c Config) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	n := New(c)
	done.Go(func() {
		if err := n.Run(ctx); err != nil {
			panic(err)
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

// one runs a webhook until its queue is settled.
func one(w Webhook, q *queue, b *book, t http.RoundTripper) {
	stop := start(Config{
		Webhooks: []Webhook{w}, Open: func(Webhook) Queue { return q }, Recorder: b, DeadLetters: b, Transport: t,
	})
	q.left.Wait()
	stop()
}
