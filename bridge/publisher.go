package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

// Publisher is the way back: what stands in a stream goes to a Kafka topic,
// each message once. [NewDeadLetters] and [NewResults] say what records look
// like. A view, which has no position, stays where it is.
//
// It satisfies the functions' Sink. The position is in the topic itself, in the
// transaction of the records that it covers: the last one of each partition
// carries all of it in the header [streamflow.HeaderPositions]. The fence is
// the transactional id: whoever loads the checkpoint ends the transactions of
// everybody before. Consumers must read committed records only, or they see
// what was taken back.
type Publisher struct {
	topic    string
	role     string // a part of the transactional id
	position string // the header in which a record has its own position
	record   func(m *streamflow.Message, partitions int) *kgo.Record
	connect  func(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error)
	metrics  *Metrics
	tracer   Tracer      // nil traces nothing
	function string      // whose sink it is, for the tracer
	client   *kgo.Client // nil until Load
	count    int         // partitions of the topic
}

// maxRecord lets a record be as long as a message of NATS with the headers that
// it gets here; Kafka takes a little more.
const maxRecord = 1 << 20

// transaction is the transactional id, which fences the writers of one topic and
// leaves those of another alone.
func (d *Publisher) transaction() string { return "streamflow-" + d.role + "-" + d.topic }

// Load fences every earlier writer and reads, behind that fence, how far the
// topic has come.
func (d *Publisher) Load(ctx context.Context) (map[streamflow.Partition]int64, error) {
	d.Close()
	client, err := d.connect(ctx, kgo.TransactionalID(d.transaction()), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.DefaultProduceTopic(d.topic), kgo.ProducerBatchMaxBytes(maxRecord))
	if err != nil {
		return nil, err
	}
	if _, _, err := client.ProducerID(ctx); err != nil { // ends what an earlier writer has open
		client.Close()
		return nil, fmt.Errorf("transactional id %s: %w", d.transaction(), err)
	}
	positions, err := d.behindBarrier(ctx, client)
	if err != nil {
		client.Close()
		return nil, err
	}
	d.client = client
	return positions, nil
}

// behindBarrier reads the positions, all of them: where the topic ends it learns
// by writing to each partition, in a transaction that is taken back. To ask would
// not do. A leader that is cut off from its peers, and not from us, goes on to
// answer for a while, and does not have what was written to the next one:
//
//	leader A is cut off | B leads, and takes dead letters 1-9, and commits them
//	                    | a new writer asks A how far the topic has come: up to 0
//	                    | it writes 1-9 again
//
// What is written needs the word of the replicas in sync, and A gets none.
func (d *Publisher) behindBarrier(ctx context.Context, client *kgo.Client) (positions map[streamflow.Partition]int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, positionsAtMost)
	defer cancel()
	if d.count, err = partitions(ctx, client, d.topic); err != nil {
		return nil, err
	}
	if err := client.BeginTransaction(); err != nil {
		return nil, err
	}
	barrier := make([]*kgo.Record, d.count)
	for i := range barrier {
		barrier[i] = &kgo.Record{Partition: int32(i)}
	}
	err = client.ProduceSync(ctx, barrier...).FirstErr()
	if err == nil {
		err = client.EndTransaction(ctx, kgo.TryAbort)
	}
	if err != nil {
		return nil, fmt.Errorf("the end of topic %s is not known: %w", d.topic, fenced(err))
	}
	ends := make(map[int32]int64)
	for _, r := range barrier {
		ends[r.Partition] = r.Offset
	}
	return d.positions(ctx, client, ends)
}

// positionsAtMost bounds the search for the positions; then it begins anew, with
// a client that asks for the leaders again.
const positionsAtMost = 30 * time.Second

func partitions(ctx context.Context, client *kgo.Client, topic string) (int, error) {
	meta, err := kadm.NewClient(client).Metadata(ctx, topic)
	if err != nil {
		return 0, fmt.Errorf("topic %s: %w", topic, err)
	}
	detail := meta.Topics[topic]
	if detail.Err != nil || len(detail.Partitions) == 0 {
		return 0, fmt.Errorf("topic %s: is it there? `streamflow topics` makes it (%w)", topic, detail.Err)
	}
	return len(detail.Partitions), nil
}

// Peek reads how far the topic has come, and leaves whoever writes it alone.
func (d *Publisher) Peek(ctx context.Context) (map[streamflow.Partition]int64, error) {
	client, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	if err := decided(ctx, client, d.topic); err != nil {
		return nil, err
	}
	ends, err := committed(ctx, client, d.topic)
	if err != nil {
		return nil, err
	}
	return d.positions(ctx, client, ends)
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

// positions reads how far the topic has come. The last transaction left the
// whole vector at the end of a partition at least, and the others have older
// ones, which are nowhere ahead of it: the greatest of each entry counts.
//
// Records of a version that wrote no vector tell of themselves; then a
// partition is read back to its start.
func (d *Publisher) positions(ctx context.Context, client *kgo.Client, ends map[int32]int64) (map[streamflow.Partition]int64, error) {
	positions := make(map[streamflow.Partition]int64)
	note := func(p streamflow.Position) {
		if before, ok := positions[p.In()]; !ok || p.Offset > before {
			positions[p.In()] = p.Offset
		}
	}
	err := tail(ctx, client, d.topic, ends, func(r *kgo.Record) bool {
		if p, err := streamflow.ParsePosition(header(r, d.position)); err == nil {
			note(p)
		}
		vector, ok := vectorOf(r)
		for _, p := range vector {
			note(p)
		}
		return ok
	})
	if err != nil {
		return nil, fmt.Errorf("end of topic %s: %w", d.topic, err)
	}
	return positions, nil
}

// Commit writes messages in one transaction, and with them to.
func (d *Publisher) Commit(ctx context.Context, messages []streamflow.Message, _, to map[streamflow.Partition]int64) error {
	if d.client == nil {
		return errors.New("not loaded")
	}
	records := make([]*kgo.Record, 0, len(messages))
	last := make(map[int32]*kgo.Record)
	for i := range messages {
		if messages[i].Position.Topic == "" {
			continue
		}
		r := d.record(&messages[i], d.count)
		d.carry(&messages[i], r)
		records, last[r.Partition] = append(records, r), r
	}
	if len(records) == 0 {
		return nil
	}
	vector := kgo.RecordHeader{Key: streamflow.HeaderPositions, Value: appendVector(nil, to)}
	for _, r := range last {
		r.Headers = append(r.Headers, vector)
	}
	if err := d.client.BeginTransaction(); err != nil {
		return fenced(err)
	}
	if err := d.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fenced(err) // the next Load aborts it; to do so here would wait for a Kafka that is away
	}
	if err := d.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return fenced(err)
	}
	d.metrics.returned.WithLabelValues(d.topic).Add(float64(len(records)))
	return nil
}

// Close ends the connection.
func (d *Publisher) Close() {
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

// header returns the last header of that name: ours stand behind the original's.
func header(r *kgo.Record, key string) (value string) {
	for _, h := range r.Headers {
		if h.Key == key {
			value = string(h.Value)
		}
	}
	return value
}
