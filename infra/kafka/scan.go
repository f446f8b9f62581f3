package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ErrExpired is returned by [Scan] if Kafka deleted records, by their age, that
// were just about to be read.
var ErrExpired = errors.New("records expired while they were being read")

// Scan calls fn with every committed record of the partitions of upTo, from the
// start of their logs up to but not including those offsets, each once, by
// partition and offset. fn may keep the record. Scan belongs to no group and
// moves nobody's position. It ends with the first error of fn.
//
// upTo should come from [Marks]: Scan waits for offsets that do not exist yet.
//
// It asks for the bytes itself, because only then it knows how far it has come
// where there is nothing to see. A consumer says nothing about aborted records
// and transaction markers, so that behind the last record it could not tell
// whether more is to come.
func Scan(ctx context.Context, client *kgo.Client, topic string, upTo map[int32]int64, fn func(*kgo.Record) error) error {
	s := scan{client: client, topic: topic, fn: fn, decompress: kgo.DefaultDecompressor()}
	for _, p := range slices.Sorted(maps.Keys(upTo)) {
		if err := s.partition(ctx, p, upTo[p]); err != nil {
			return fmt.Errorf("kafka %s/%d: %w", topic, p, err)
		}
	}
	return nil
}

type scan struct {
	client     *kgo.Client
	topic      string
	fn         func(*kgo.Record) error
	decompress kgo.Decompressor
	leader     int32 // of the partition being read
	id         [16]byte
}

// scanRetry is how long a broker that is not ready is left alone.
const scanRetry = 100 * time.Millisecond

func (s *scan) partition(ctx context.Context, partition int32, end int64) error {
	next, err := s.locate(ctx, partition)
	read := false
	for err == nil && next < end {
		var got []*kgo.Record
		var to int64
		got, to, err = s.fetch(ctx, partition, next)
		for _, r := range got {
			if r.Offset >= end {
				return nil
			}
			if err := s.fn(r); err != nil {
				return err
			}
			read = true
		}
		switch {
		case err == nil:
			next = to
		case errors.Is(err, kerr.OffsetOutOfRange):
			var start int64
			if start, err = s.locate(ctx, partition); err == nil && read {
				err = fmt.Errorf("%w: %d to %d; try again", ErrExpired, next, start-1)
			}
			next = max(next, start)
		case kerr.IsRetriable(err) || kgo.IsRetryableBrokerErr(err):
			// The leader moved or is away. Ask who it is now, for as long as ctx allows.
			select {
			case <-ctx.Done():
				return fmt.Errorf("%w (%w)", ctx.Err(), err)
			case <-time.After(scanRetry):
			}
			_, err = s.locate(ctx, partition)
		}
	}
	return err
}

// locate finds the partition's leader and returns where its log starts.
func (s *scan) locate(ctx context.Context, partition int32) (int64, error) {
	for {
		start, again, err := s.tryLocate(ctx, partition)
		if err == nil || !again {
			return start, err
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%w (%w)", ctx.Err(), err)
		case <-time.After(scanRetry):
		}
	}
}

// tryLocate is locate once; again reports whether the error may pass.
func (s *scan) tryLocate(ctx context.Context, partition int32) (start int64, again bool, err error) {
	// Not by kadm, whose answer may be remembered from before the leader moved.
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &s.topic
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, s.client)
	if err != nil {
		return 0, kerr.IsRetriable(err), err
	}
	if err := s.lead(resp, partition); err != nil {
		return 0, kerr.IsRetriable(err) && !errors.Is(err, kerr.UnknownTopicOrPartition), err
	}
	starts, err := kadm.NewClient(s.client).ListStartOffsets(ctx, s.topic)
	if err != nil {
		return 0, kerr.IsRetriable(err), err
	}
	o, ok := starts.Lookup(s.topic, partition)
	if !ok { // the client remembers that the topic was not there a moment ago
		return 0, true, kerr.UnknownTopicOrPartition
	}
	return o.Offset, kerr.IsRetriable(o.Err), o.Err
}

// lead takes the partition's leader from resp.
func (s *scan) lead(resp *kmsg.MetadataResponse, partition int32) error {
	for _, t := range resp.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return err
		}
		for _, p := range t.Partitions {
			if p.Partition == partition {
				s.leader, s.id = p.Leader, t.TopicID
				return kerr.ErrorForCode(p.ErrorCode)
			}
		}
	}
	return kerr.UnknownTopicOrPartition
}

// fetch asks the leader once and returns the committed records from offset on,
// and the offset behind all that was looked at.
func (s *scan) fetch(ctx context.Context, partition int32, offset int64) ([]*kgo.Record, int64, error) {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, offset, 8<<20
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID = s.topic, s.id // by name up to version 12, by id from 13 on
	t.Partitions = append(t.Partitions, p)
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.IsolationLevel = 500, 1, 8<<20, 1
	req.Topics = append(req.Topics, t)

	kresp, err := s.client.Broker(int(s.leader)).Request(ctx, req)
	if err != nil {
		return nil, offset, err
	}
	resp := kresp.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, offset, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, offset, nil // nothing new within MaxWaitMillis
	}
	got, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Offset: offset, IsolationLevel: kgo.ReadCommitted(), Topic: s.topic, Partition: partition,
	}, &resp.Topics[0].Partitions[0], s.decompress, nil)
	return got.Records, next, got.Err
}
