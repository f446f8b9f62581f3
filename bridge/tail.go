package bridge

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// committed returns the committed ends of a topic's partitions.
func committed(ctx context.Context, client *kgo.Client, topic string) (map[int32]int64, error) {
	listed, err := kadm.NewClient(client).ListCommittedOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	ends := make(map[int32]int64)
	for number, end := range listed[topic] {
		if end.Err != nil {
			return nil, fmt.Errorf("end of %s/%d: %w", topic, number, end.Err)
		}
		ends[number] = end.Offset
	}
	return ends, nil
}

// tail reads back from the end of each partition of topic, in growing steps,
// until found has accepted a record of it or its start is reached.
func tail(ctx context.Context, client *kgo.Client, topic string, ends map[int32]int64, found func(*kgo.Record) bool) error {
	starts, err := kadm.NewClient(client).ListStartOffsets(ctx, topic)
	if err != nil {
		return err
	}
	for number, end := range ends {
		start, ok := starts.Lookup(topic, number)
		if !ok || start.Err != nil {
			return fmt.Errorf("start of %s/%d: not known (%v)", topic, number, start.Err)
		}
		for step := int64(64); start.Offset < end; step *= 16 {
			from := max(end-step, start.Offset)
			ok, err := readRange(ctx, client, topic, number, from, end, found)
			if err != nil {
				return err
			}
			if ok || from == start.Offset {
				break
			}
		}
	}
	return nil
}

// readRange hands on the committed records in [from, end).
//
// It asks for the bytes itself, because only then it knows how far it has come
// where there is nothing to see. A consumer says nothing about aborted records:
// where they are the last ones before the end, as the embedded Kafka leaves them
// when it is killed within a transaction, it would be waited for for ever.
func readRange(ctx context.Context, client *kgo.Client, topic string, number int32, from, end int64, found func(*kgo.Record) bool) (any bool, err error) {
	for next := from; next < end; {
		records, to, err := fetchCommitted(ctx, client, topic, number, next)
		if err != nil {
			return any, fmt.Errorf("%s/%d from offset %d: %w", topic, number, next, err)
		}
		for _, r := range records {
			if r.Offset < end && found(r) {
				any = true
			}
		}
		next = to
	}
	return any, nil
}

// fetchCommitted asks the leader once, and returns the committed records from
// offset on, and the offset behind all that was looked at.
func fetchCommitted(ctx context.Context, client *kgo.Client, topic string, number int32, offset int64) ([]*kgo.Record, int64, error) {
	meta, err := kadm.NewClient(client).Metadata(ctx, topic)
	if err != nil {
		return nil, offset, err
	}
	detail := meta.Topics[topic]
	if err := detail.Err; err != nil {
		return nil, offset, err
	}
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = number, offset, 8<<20
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID = topic, detail.ID // by name up to version 12, by id from 13 on
	t.Partitions = append(t.Partitions, p)
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.IsolationLevel = 500, 1, 8<<20, 1
	req.Topics = append(req.Topics, t)
	answer, err := client.Broker(int(detail.Partitions[number].Leader)).RetriableRequest(ctx, req)
	if err != nil {
		return nil, offset, err
	}
	resp := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, offset, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, offset, nil // nothing new within MaxWaitMillis
	}
	got, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Offset: offset, IsolationLevel: kgo.ReadCommitted(), Topic: topic, Partition: number,
	}, &resp.Topics[0].Partitions[0], kgo.DefaultDecompressor(), nil)
	return got.Records, next, got.Err
}
