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

// queueHeartbeat is how often the server shows that it knows that we wait.
const queueHeartbeat = 2 * time.Second

// Queue is a durable whose messages are acknowledged one by one, in any order:
// for what is delivered to others, who may be slow or away. It satisfies the
// Queue of functions/notify.
type Queue struct {
	c      *Client
	stream string
	config jetstream.ConsumerConfig

	// Of the one goroutine that calls Next.
	consumer jetstream.Consumer     // nil before it is known to be there
	in       jetstream.MessageBatch // the message that was asked for, or nil
	stop     context.CancelFunc     // of in

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
//
// One message at a time is asked for: what waits here is not worked on, and its
// time runs. Each with a request of its own, because the iterator of nats.go
// forgets to ask for the next one if this one came before its goroutine knew that
// the request was sent, and then waits until heartbeats are missing.
func (q *Queue) Next(ctx context.Context) (m streamflow.Message, delivered int, err error) {
	for {
		if q.in == nil {
			if err := q.ask(ctx); err != nil {
				return m, 0, q.wrap(err)
			}
		}
		select {
		case <-ctx.Done():
			return m, 0, q.wrap(ctx.Err())
		case msg, ok := <-q.in.Messages():
			err := q.in.Error()
			q.giveUp()
			if ok {
				return q.handOut(msg)
			}
			if err != nil && !errors.Is(err, jetstream.ErrNoHeartbeat) {
				q.consumer = nil // begin anew: it may be gone
				return m, 0, q.wrap(err)
			}
		}
	}
}

// ask asks for one message.
func (q *Queue) ask(ctx context.Context) (err error) {
	if q.consumer == nil {
		q.consumer, err = q.c.js.Consumer(ctx, q.stream, q.config.Durable)
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			q.consumer, err = q.c.js.CreateOrUpdateConsumer(ctx, q.stream, q.config)
		}
		if err != nil {
			q.consumer = nil
			return err
		}
	}
	asking, stop := context.WithCancel(context.WithoutCancel(ctx)) // it outlives a Next that ends without a message
	q.in, err = q.consumer.Fetch(1, jetstream.FetchContext(asking), jetstream.FetchHeartbeat(queueHeartbeat))
	if err != nil {
		q.in = nil
		stop()
		return err
	}
	q.stop = stop
	return nil
}

// giveUp drops what was asked for.
func (q *Queue) giveUp() {
	if q.in != nil {
		q.stop()
		q.in = nil
	}
}

func (q *Queue) handOut(msg jetstream.Msg) (m streamflow.Message, delivered int, err error) {
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
func (q *Queue) Close() { q.giveUp() }

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
