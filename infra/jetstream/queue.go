package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// queueAckWait is how long a message of a queue may be worked on.
const queueAckWait = time.Minute

// Queue is a durable whose messages are acknowledged one by one, in any order:
// for what is delivered to others, who may be slow or away. It satisfies the
// Queue of functions/notify.
type Queue struct {
	c      *Client
	stream string
	config jetstream.ConsumerConfig
	in     jetstream.MessagesContext // of the one goroutine that calls Next

	mu   sync.Mutex
	open map[uint64]jetstream.Msg // what was handed out, by sequence
}

// Queue returns the messages of stream that match filter, from the moment on at
// which the durable is first made.
func (c *Client) Queue(stream, filter, durable string) *Queue {
	return &Queue{c: c, stream: stream, open: make(map[uint64]jetstream.Msg), config: jetstream.ConsumerConfig{
		Durable: durable, FilterSubject: filter, DeliverPolicy: jetstream.DeliverNewPolicy,
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: queueAckWait, MaxDeliver: -1, MaxAckPending: 1000,
	}}
}

// Next waits for a message and returns it with the number of times that it was
// delivered, this one included.
func (q *Queue) Next(ctx context.Context) (m streamflow.Message, delivered int, err error) {
	if q.in == nil {
		if err := q.begin(ctx); err != nil {
			return m, 0, err
		}
	}
	msg, err := q.in.Next(jetstream.NextContext(ctx))
	if err != nil {
		if ctx.Err() == nil { // begin anew: the durable may be gone
			q.in.Stop()
			q.in = nil
		}
		return m, 0, q.wrap(err)
	}
	meta, err := msg.Metadata()
	if err != nil {
		return m, 0, q.wrap(err)
	}
	readMessage(&m, msg, meta)
	q.mu.Lock()
	q.open[m.Sequence] = msg
	q.mu.Unlock()
	return m, int(meta.NumDelivered), nil
}

func (q *Queue) begin(ctx context.Context) error {
	c, err := q.c.js.Consumer(ctx, q.stream, q.config.Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		c, err = q.c.js.CreateOrUpdateConsumer(ctx, q.stream, q.config)
	}
	if err == nil {
		// One at a time: what waits here is not worked on, and its time runs.
		q.in, err = c.Messages(jetstream.PullMaxMessages(1))
	}
	if err != nil {
		q.in = nil
	}
	return q.wrap(err)
}

func (q *Queue) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("queue %s of stream %s: %w", q.config.Durable, q.stream, err)
}

// Ack says that a message is done with.
func (q *Queue) Ack(sequence uint64) error { return q.end(sequence, jetstream.Msg.Ack) }

// NakWithDelay has a message delivered again when the delay has passed.
func (q *Queue) NakWithDelay(sequence uint64, delay time.Duration) error {
	return q.end(sequence, func(m jetstream.Msg) error { return m.NakWithDelay(delay) })
}

// Term says that a message is done with because it never will be delivered.
func (q *Queue) Term(sequence uint64, reason string) error {
	return q.end(sequence, func(m jetstream.Msg) error { return m.TermWithReason(reason) })
}

func (q *Queue) end(sequence uint64, say func(jetstream.Msg) error) error {
	q.mu.Lock()
	msg := q.open[sequence]
	delete(q.open, sequence)
	q.mu.Unlock()
	if msg == nil {
		return q.wrap(fmt.Errorf("message %d is not open", sequence))
	}
	return q.wrap(say(msg))
}

// Close gives the queue up; what was not acknowledged is delivered again.
func (q *Queue) Close() {
	if q.in != nil {
		q.in.Stop()
		q.in = nil
	}
}

// Pending returns how many messages a queue has not handed out yet, and how many
// were and are not acknowledged.
func (q *Queue) Pending(ctx context.Context) (undelivered uint64, unacked int, err error) {
	c, err := q.c.js.Consumer(ctx, q.stream, q.config.Durable)
	if err != nil {
		return 0, 0, q.wrap(err)
	}
	info := c.CachedInfo()
	return info.NumPending, info.NumAckPending, nil
}
