package kafka

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// linger is how long a batch waits for more: at rate it fills batches, and
	// a lone tick is not late by it.
	linger = 2 * time.Millisecond

	// maxBuffered is how many records are in memory before Send blocks: a
	// quarter of a second at 200,000 a second, about 20 MB.
	maxBuffered = 50_000
)

// Producer writes records to one topic and loses none: every record is written
// once (idempotence) to all replicas in sync, is tried again for as long as it
// takes, and the first one that is refused for good stops the producer with an
// error. Records of a key go to one partition, the one that the Java clients
// choose, in the order of their Sends. It is safe for concurrent use.
type Producer struct {
	client   *kgo.Client
	topic    string
	room     chan struct{} // holds one for each record in the buffer
	produced atomic.Int64
	failed   atomic.Pointer[error]
	done     func(*kgo.Record, error) // promise, as one value for all records
}

// NewProducer connects and returns a producer. extra is as in [Connect].
func NewProducer(ctx context.Context, c Config, topic string, extra ...kgo.Opt) (*Producer, error) {
	opts := []kgo.Opt{
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(linger),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), // nil: murmur2, as in Java
		kgo.MaxBufferedRecords(maxBuffered + 1),              // never reached: Send waits for room first
		kgo.UnknownTopicRetries(20),                          // a topic just made is not known to all brokers yet
	}
	client, err := Connect(ctx, c, append(opts, extra...)...)
	if err != nil {
		return nil, err
	}
	p := &Producer{client: client, topic: topic, room: make(chan struct{}, maxBuffered)}
	p.done = p.promise
	return p, nil
}

// Send hands over a record and returns when it is in the buffer, which blocks
// while that is full. It keeps key and value; nobody may change them after
// that. It returns an error if ctx ends while it blocks, or if this or an
// earlier record was lost.
//
// The record's timestamp is the time of this call, never the event's: Kafka
// deletes by it, and history with the times of its events would be gone at once.
func (p *Producer) Send(ctx context.Context, key, value []byte) error {
	if err := p.failed.Load(); err != nil {
		return *err
	}
	select {
	case p.room <- struct{}{}:
	default:
		select {
		case p.room <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	// Without ctx: when that ends, the client would drop what is in its buffer.
	p.client.Produce(context.Background(), &kgo.Record{Topic: p.topic, Key: key, Value: value}, p.done)
	return nil
}

func (p *Producer) promise(_ *kgo.Record, err error) {
	<-p.room
	if err == nil {
		p.produced.Add(1)
		return
	}
	err = fmt.Errorf("kafka topic %s: a record was not written: %w", p.topic, err)
	p.failed.CompareAndSwap(nil, &err)
}

// Flush returns when all records sent are written, or ctx ends, or with the
// error of the first record that was lost.
func (p *Producer) Flush(ctx context.Context) error {
	err := p.client.Flush(ctx)
	if failed := p.failed.Load(); failed != nil {
		return *failed
	}
	if err != nil {
		return fmt.Errorf("kafka topic %s: %d records are not confirmed: %w", p.topic, p.client.BufferedProduceRecords(), err)
	}
	return nil
}

// Produced returns how many records were written.
func (p *Producer) Produced() int64 { return p.produced.Load() }

// Close ends the producer. What is not flushed may be lost.
func (p *Producer) Close() { p.client.Close() }
