package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

// transactionTimeout is after what time Kafka ends a transaction whose writer
// is gone. Until then nobody who reads committed records gets past it.
const transactionTimeout = 10 * time.Second

// ErrMarkGone says that a topic has deleted where a mark may have stood.
var ErrMarkGone = errors.New("the topic has deleted where the mark would be")

// Transactor writes records to one topic in transactions, of which each carries
// a mark in a header of its last record: by it another process finds out whether
// one was committed whose writer died before it knew. Records of a key go to the
// partition that a [Producer] would choose.
type Transactor struct {
	config    Config
	id, topic string
	header    string
	client    *kgo.Client // nil until Open
}

// NewTransactor returns a transactor that is not connected yet. id is its
// transactional id: whoever opens the same one fences this one.
func NewTransactor(c Config, id, topic, header string) *Transactor {
	return &Transactor{config: c, id: id, topic: topic, header: header}
}

// Open ends every transaction of whoever had the id before. With a mark it says
// whether a committed record from the offsets from on carries it; the error is
// [ErrMarkGone] if the topic no longer holds all of them and none does. Then too
// the transactor is open.
func (t *Transactor) Open(ctx context.Context, mark string, from map[int32]int64) (found bool, err error) {
	t.Close()
	client, err := Connect(ctx, t.config,
		kgo.TransactionalID(t.id), kgo.TransactionTimeout(transactionTimeout), kgo.DefaultProduceTopic(t.topic),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.UnknownTopicRetries(20))
	if err != nil {
		return false, err
	}
	if _, _, err := client.ProducerID(ctx); err != nil { // returns when all of before is decided
		client.Close()
		return false, fmt.Errorf("transactional id %s: %w", t.id, err)
	}
	if mark != "" {
		if found, err = t.find(ctx, client, mark, from); err != nil && !errors.Is(err, ErrMarkGone) {
			client.Close()
			return false, fmt.Errorf("kafka topic %s: look for the last transaction: %w", t.topic, err)
		}
	}
	t.client = client
	return found, err
}

// find looks for a mark between from and where the topic ends now.
func (t *Transactor) find(ctx context.Context, client *kgo.Client, mark string, from map[int32]int64) (found bool, err error) {
	starts, ends, err := t.decided(ctx, client)
	if err != nil {
		return false, err
	}
	gone, desk := false, &Desk{client: client}
	for partition, end := range ends {
		// A topic that ends before was made anew, and what it held is gone with it.
		gone = gone || starts[partition] > from[partition] && end >= from[partition]
		err := desk.each(ctx, t.topic, partition, from[partition], end, func(r *kgo.Record) bool {
			found = slices.ContainsFunc(r.Headers, func(h kgo.RecordHeader) bool {
				return h.Key == t.header && string(h.Value) == mark
			})
			return !found
		})
		if found || err != nil {
			return found, err
		}
	}
	if gone {
		return false, ErrMarkGone
	}
	return false, nil
}

// decided returns where the partitions start and end once all is decided that
// stands there now: transactions of others may still be open.
func (t *Transactor) decided(ctx context.Context, client *kgo.Client) (starts, ends map[int32]int64, err error) {
	listed, err := kadm.NewClient(client).ListEndOffsets(ctx, t.topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, nil, err
	}
	for {
		starts, stable, err := Marks(ctx, client, t.topic)
		if err != nil {
			return nil, nil, err
		}
		open, ends := false, make(map[int32]int64)
		listed.Each(func(o kadm.ListedOffset) {
			ends[o.Partition] = o.Offset
			open = open || stable[o.Partition] < o.Offset
		})
		if !open {
			return starts, ends, nil
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(scanRetry):
		}
	}
}

// Ends returns of each partition where its committed records end.
func (t *Transactor) Ends(ctx context.Context) (map[int32]int64, error) {
	if t.client == nil {
		return nil, errors.New("the transactor is not open")
	}
	_, ends, err := Marks(ctx, t.client, t.topic)
	return ends, err
}

// Commit writes records in one transaction. After an error nobody knows whether
// it was committed: Open tells.
func (t *Transactor) Commit(ctx context.Context, records []*kgo.Record, mark string) error {
	if t.client == nil {
		return errors.New("the transactor is not open")
	}
	if err := t.commit(ctx, records, mark); err != nil {
		return fmt.Errorf("kafka topic %s: a transaction of %d records: %w", t.topic, len(records), err)
	}
	return nil
}

func (t *Transactor) commit(ctx context.Context, records []*kgo.Record, mark string) error {
	last := records[len(records)-1]
	last.Headers = append(last.Headers, kgo.RecordHeader{Key: t.header, Value: []byte(mark)})
	if err := t.client.BeginTransaction(); err != nil {
		return err
	}
	if err := t.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return err // the next Open ends it; to do so here would wait for a Kafka that is away
	}
	return t.client.EndTransaction(ctx, kgo.TryCommit)
}

// Close ends the connection. A transaction that is open is ended by the next
// Open, or by Kafka.
func (t *Transactor) Close() {
	if t.client != nil {
		t.client.Close()
		t.client = nil
	}
}

// final are the answers that are the same however often one asks.
var final = []error{
	kerr.TopicAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed, kerr.ClusterAuthorizationFailed,
	kerr.SaslAuthenticationFailed, kerr.UnknownTopicOrPartition, kerr.InvalidTopicException, kerr.MessageTooLarge,
	kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.PolicyViolation, kerr.UnsupportedVersion, kerr.InvalidTransactionTimeout,
	kerr.UnsupportedForMessageFormat, streamflow.ErrFenced,
}

// Final reports whether trying again does not heal err.
func Final(err error) bool {
	return slices.ContainsFunc(final, func(f error) bool { return errors.Is(err, f) })
}
