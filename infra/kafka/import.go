package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Importer writes exported partitions into topics that are empty.
//
// A position is a place in Kafka, so a record must get the offset that it had.
// Offsets have holes: the log may start above 0, and a mark of a transaction or
// what was aborted takes offsets and is not seen. Nobody can leave an offset out.
// But what takes one and is not seen can be made again:
//
//	had      | 7 8 .  10 11 .  .  .  15   first 7; 9 was a mark, 12 to 14 an aborted transaction
//	is made  | 0 to 6: an aborted transaction, then deleted
//	         | 7, then 8 alone in a transaction: its mark is 9
//	         | 10 11, an aborted transaction of two: with its mark 12 to 14; 15
type Importer struct {
	topic   string
	plain   *kgo.Client
	in      *kgo.Client // within transactions
	pending []*kgo.Record
	next    int64 // the offset that the next record gets
}

const (
	importBatch = 2000
	// fillAtMost is how many offsets one aborted transaction takes: one of more
	// would be open for too long.
	fillAtMost    = 1_000_000
	importTimeout = 5 * time.Minute
)

// NewImporter connects an importer for a topic.
func NewImporter(ctx context.Context, c Config, topic string) (*Importer, error) {
	common := []kgo.Opt{
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(topic),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.MaxBufferedRecords(4 * importBatch), kgo.UnknownTopicRetries(20),
	}
	plain, err := Connect(ctx, c, common...)
	if err != nil {
		return nil, err
	}
	in, err := Connect(ctx, c, append(common, kgo.TransactionalID("streamflow-restore-"+topic), kgo.TransactionTimeout(importTimeout))...)
	if err != nil {
		plain.Close()
		return nil, err
	}
	return &Importer{topic: topic, plain: plain, in: in}, nil
}

// Close ends the connections.
func (i *Importer) Close() { i.plain.Close(); i.in.Close() }

// Import writes what [Export] wrote, and returns how many records it was. With
// exact each gets the offset that it had, and the partition starts and ends
// where it did; else the records follow each other. The partition must be empty.
func (i *Importer) Import(ctx context.Context, partition int32, start, end int64, exact bool, r io.Reader) (count int64, err error) {
	fail := func(err error) (int64, error) {
		return count, fmt.Errorf("kafka %s/%d: %w", i.topic, partition, err)
	}
	i.next, i.pending = 0, nil
	in := newRecordReader(r)
	rec, err := in.read()
	if exact && (err == nil || errors.Is(err, io.EOF)) {
		first := end // nothing is seen of it
		if rec != nil {
			first = rec.Offset
		}
		if err := i.fill(ctx, partition, first); err != nil {
			return fail(err)
		}
	}
	for ; err == nil; rec, err = in.read() {
		if exact && rec.Offset >= end {
			return fail(fmt.Errorf("a record has offset %d, and the partition ended at %d", rec.Offset, end))
		}
		count++
		if err := i.add(ctx, partition, rec, exact); err != nil {
			return fail(err)
		}
	}
	if !errors.Is(err, io.EOF) {
		return fail(err)
	}
	if exact {
		if err := i.skip(ctx, partition, end); err != nil {
			return fail(err)
		}
	}
	if err := i.flush(ctx); err != nil {
		return fail(err)
	}
	if exact && start > 0 {
		// The embedded Kafka forgets where a partition ends that has nothing at all.
		if err := i.deleteBefore(ctx, partition, min(start, max(end-1, 0))); err != nil {
			return fail(err)
		}
	}
	return count, nil
}

// add writes a record behind those that are pending.
func (i *Importer) add(ctx context.Context, partition int32, rec *kgo.Record, exact bool) error {
	if exact {
		if err := i.skip(ctx, partition, rec.Offset); err != nil {
			return err
		}
	}
	rec.Topic, rec.Partition = i.topic, partition
	i.pending = append(i.pending, rec)
	if len(i.pending) <= importBatch {
		return nil
	}
	// The last one stays: it may have to go in a transaction, see skip.
	last := i.pending[len(i.pending)-1]
	i.pending = i.pending[:len(i.pending)-1]
	err := i.flush(ctx)
	i.pending = append(i.pending[:0:0], last)
	return err
}

// flush writes what is pending.
func (i *Importer) flush(ctx context.Context) error {
	if len(i.pending) == 0 {
		return nil
	}
	err := i.produce(ctx, i.plain, i.pending)
	i.pending = nil
	return err
}

// produce writes records and checks where they stand. Their own offsets are
// not used: the client sets them.
func (i *Importer) produce(ctx context.Context, client *kgo.Client, records []*kgo.Record) error {
	for _, r := range client.ProduceSync(ctx, records...) {
		if r.Err != nil {
			return r.Err
		}
		if r.Record.Offset != i.next {
			return fmt.Errorf("a record was stored at offset %d and should be at %d: somebody else writes to the topic; stop it, delete the topic and begin anew", r.Record.Offset, i.next)
		}
		i.next++
	}
	return nil
}

// skip writes what is pending, and makes sure that the next record gets the offset to.
func (i *Importer) skip(ctx context.Context, partition int32, to int64) error {
	switch hole := to - i.next - int64(len(i.pending)); {
	case hole < 0:
		return fmt.Errorf("offset %d comes after %d", to, i.next)
	case hole == 0:
		return nil
	case hole == 1 && len(i.pending) > 0:
		last := i.pending[len(i.pending)-1]
		i.pending = i.pending[:len(i.pending)-1]
		if err := i.flush(ctx); err != nil {
			return err
		}
		return i.transact(ctx, partition, []*kgo.Record{last}, kgo.TryCommit)
	}
	if err := i.flush(ctx); err != nil {
		return err
	}
	return i.fill(ctx, partition, to)
}

// fill takes the offsets up to to by what nobody sees.
func (i *Importer) fill(ctx context.Context, partition int32, to int64) error {
	for i.next < to {
		n := min(to-i.next, fillAtMost)
		if to-i.next-n == 1 {
			n-- // so that more than a mark is left
		}
		records := make([]*kgo.Record, max(n-1, 1))
		for at := range records {
			records[at] = &kgo.Record{Topic: i.topic, Partition: partition}
		}
		if n == 1 { // a mark alone there cannot be; only the first record of all can stand here, and is deleted
			if err := i.produce(ctx, i.plain, records); err != nil {
				return err
			}
			continue
		}
		if err := i.transact(ctx, partition, records, kgo.TryAbort); err != nil {
			return err
		}
	}
	return nil
}

// transact writes records in a transaction, whose mark takes one offset more.
func (i *Importer) transact(ctx context.Context, partition int32, records []*kgo.Record, end kgo.TransactionEndTry) error {
	if err := i.in.BeginTransaction(); err != nil {
		return err
	}
	for len(records) > 0 {
		n := min(len(records), importBatch)
		if err := i.produce(ctx, i.in, records[:n]); err != nil {
			return errors.Join(err, i.in.EndTransaction(context.WithoutCancel(ctx), kgo.TryAbort))
		}
		records = records[n:]
	}
	if err := i.in.EndTransaction(ctx, end); err != nil {
		return err
	}
	i.next++
	return i.decided(ctx, partition)
}

// decided waits until the mark of a transaction stands: Kafka writes it a little
// after it has said that the transaction is ended.
func (i *Importer) decided(ctx context.Context, partition int32) error {
	for {
		_, end, err := Marks(ctx, i.plain, i.topic)
		if err != nil {
			return err
		}
		if end[partition] == i.next {
			return nil
		}
		if end[partition] > i.next {
			return fmt.Errorf("it ends at offset %d and should end at %d: somebody else writes to the topic; stop it, delete the topic and begin anew", end[partition], i.next)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the mark of a transaction does not come: %w", ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// deleteBefore makes the partition start at an offset.
func (i *Importer) deleteBefore(ctx context.Context, partition int32, offset int64) error {
	if offset <= 0 {
		return nil
	}
	to := make(kadm.Offsets)
	to.AddOffset(i.topic, partition, offset, -1)
	deleted, err := kadm.NewClient(i.plain).DeleteRecords(ctx, to)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		return fmt.Errorf("delete what is before offset %d: %w", offset, err)
	}
	return nil
}
