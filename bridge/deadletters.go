package bridge

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

// DeadLetters is the way back: what stands in stream DLQ goes to a Kafka topic,
// each dead letter once, on the partition number that it came from. The record
// has the key, the value and the headers of the one that was refused, and
// further headers with its position and the reason.
//
// It satisfies the functions' Sink. The position is in the topic itself: the
// last committed record of a partition tells it. The fence is the transactional
// id: whoever loads the checkpoint ends the transactions of everybody before.
type DeadLetters struct {
	topic   string
	connect func(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error)
	metrics *Metrics
	client  *kgo.Client // nil until Load
}

// transaction is the transactional id, which fences the writers of one topic and
// leaves those of another alone.
func (d *DeadLetters) transaction() string { return "streamflow-deadletter-" + d.topic }

// NewDeadLetters returns the sink that writes to topic.
func NewDeadLetters(topic string, connect func(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error), m *Metrics) *DeadLetters {
	if m == nil {
		m = NewMetrics(nil)
	}
	return &DeadLetters{topic: topic, connect: connect, metrics: m}
}

// Load fences every earlier writer and reads, behind that fence, how far the
// topic has come.
func (d *DeadLetters) Load(ctx context.Context) (map[streamflow.Partition]int64, error) {
	d.Close()
	client, err := d.connect(ctx, kgo.TransactionalID(d.transaction()), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(d.topic))
	if err != nil {
		return nil, err
	}
	if _, _, err := client.ProducerID(ctx); err != nil { // ends what an earlier writer has open
		client.Close()
		return nil, fmt.Errorf("transactional id %s: %w", d.transaction(), err)
	}
	d.client = client
	positions, err := d.positions(ctx, client)
	if err != nil {
		d.Close()
	}
	return positions, err
}

// Peek reads how far the topic has come, and leaves whoever writes it alone.
func (d *DeadLetters) Peek(ctx context.Context) (map[streamflow.Partition]int64, error) {
	client, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	if err := decided(ctx, client, d.topic); err != nil {
		return nil, err
	}
	return d.positions(ctx, client)
}

// decided waits until no transaction is open. Kafka answers a commit as soon as
// it is sure to happen, and shows its records a moment later: who looks in
// between sees less than what is acknowledged. (Load needs no wait of its own:
// Kafka gives the transactional id only when its last transaction is over.)
func decided(ctx context.Context, client *kgo.Client, topic string) error {
	admin := kadm.NewClient(client)
	for tries := range 40 {
		stable, err := admin.ListCommittedOffsets(ctx, topic)
		if err != nil {
			return err
		}
		ends, err := admin.ListEndOffsets(ctx, topic)
		if err != nil {
			return err
		}
		open := false
		ends.Each(func(o kadm.ListedOffset) {
			s, ok := stable.Lookup(topic, o.Partition)
			open = open || !ok || s.Offset < o.Offset
		})
		if !open {
			return nil
		}
		if tries > 0 && !sleep(ctx, retryFirst) {
			return ctx.Err()
		}
	}
	return fmt.Errorf("topic %s: transactions are under way", topic)
}

func (d *DeadLetters) positions(ctx context.Context, client *kgo.Client) (map[streamflow.Partition]int64, error) {
	positions := make(map[streamflow.Partition]int64)
	err := tail(ctx, client, d.topic, func(r *kgo.Record) bool {
		p, err := streamflow.ParsePosition(header(r, streamflow.HeaderPosition))
		if err != nil {
			return false // somebody else's
		}
		positions[p.In()] = max(positions[p.In()], p.Offset)
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("end of topic %s: %w", d.topic, err)
	}
	return positions, nil
}

// Commit writes dead letters in one transaction.
func (d *DeadLetters) Commit(ctx context.Context, messages []streamflow.Message, _, _ map[streamflow.Partition]int64) error {
	if d.client == nil {
		return errors.New("not loaded")
	}
	if err := d.client.BeginTransaction(); err != nil {
		return fenced(err)
	}
	records := make([]*kgo.Record, len(messages))
	for i := range messages {
		records[i] = record(&messages[i])
	}
	if err := d.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fenced(err) // the next Load aborts it; to do so here would wait for a Kafka that is away
	}
	if err := d.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return fenced(err)
	}
	d.metrics.returned.Add(float64(len(messages)))
	return nil
}

// Close ends the connection.
func (d *DeadLetters) Close() {
	if d.client != nil {
		d.client.Close()
		d.client = nil
	}
}

func fenced(err error) error {
	if errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch) {
		return fmt.Errorf("%w: %w", streamflow.ErrFenced, err)
	}
	return err
}

// record restores the record that was refused.
func record(m *streamflow.Message) *kgo.Record {
	r := &kgo.Record{Partition: m.Position.Partition, Value: m.Data}
	add := func(key string, value []byte) {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: key, Value: value})
	}
	for _, h := range m.Headers {
		switch h.Key {
		case streamflow.HeaderKey:
			if key, err := url.QueryUnescape(string(h.Value)); err == nil {
				r.Key = []byte(key)
			}
		case streamflow.HeaderHeaders:
			for _, original := range streamflow.UnescapeHeaders(string(h.Value)) {
				add(original.Key, original.Value)
			}
		}
	}
	add(streamflow.HeaderPosition, m.Position.AppendTo(nil))
	for _, h := range m.Headers {
		if h.Key != streamflow.HeaderKey && h.Key != streamflow.HeaderHeaders {
			add(h.Key, h.Value)
		}
	}
	return r
}

// header returns the last header of that name: ours stand behind the original's.
func header(r *kgo.Record, key string) (value string) {
	for _, h := range r.Headers {
		if h.Key == key {
			value = string(h.Value)
		}
	}
	return value
}
