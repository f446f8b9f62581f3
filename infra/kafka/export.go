package kafka

import (
	"context"
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// settleWait is how long a moment is waited for in which no transaction is being decided.
const settleWait = time.Minute

// preparing are the states of a transaction in which some of its partitions may
// know that it is decided, and others not yet.
var preparing = []string{"PrepareCommit", "PrepareAbort"}

// Settled is [Marks] between two decisions: of each transaction that is
// committed, the records lie before the marks in all partitions, or in none.
//
//	marks | a mark of 7 in partition 0    | its mark in 1 | marks: not equal, once more
//	marks, a mark of 7 in 0 already       | 7 is being decided: once more
//
// After a while without such a moment it is an error.
func Settled(ctx context.Context, client *kgo.Client, topic string) (start, end map[int32]int64, err error) {
	start, before, err := Marks(ctx, client, topic)
	for deadline := time.Now().Add(settleWait); err == nil; before = end {
		var busy bool
		if busy, err = deciding(ctx, client); err != nil {
			break
		}
		if end, err = stable(ctx, client, topic, before); err != nil {
			break
		}
		if !busy && maps.Equal(before, end) {
			return start, end, nil
		}
		if time.Now().After(deadline) {
			err = fmt.Errorf("for %s there was always a transaction being decided: take the backup while less is written", settleWait)
		}
	}
	return nil, nil, fmt.Errorf("kafka topic %s: %w", topic, err)
}

// deciding reports whether a transaction is being decided. It and stable ask no
// more than they must: decisions come every few milliseconds, and what is asked
// has to be answered between two of them.
func deciding(ctx context.Context, client *kgo.Client) (bool, error) {
	req := kmsg.NewPtrListTransactionsRequest()
	req.StateFilters = preparing
	for _, shard := range client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return false, fmt.Errorf("transactions: %w", shard.Err)
		}
		resp := shard.Resp.(*kmsg.ListTransactionsResponse)
		if err := kerr.ErrorForCode(resp.ErrorCode); err != nil || len(resp.TransactionStates) > 0 {
			return len(resp.TransactionStates) > 0, err
		}
	}
	return false, nil
}

// stable returns before which offset all is decided, by partition.
func stable(ctx context.Context, client *kgo.Client, topic string, partitions map[int32]int64) (map[int32]int64, error) {
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	for number := range partitions {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = number, -1
		t.Partitions = append(t.Partitions, p)
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.IsolationLevel, req.Topics = 1, append(req.Topics, t)
	end := make(map[int32]int64)
	for _, shard := range client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return nil, shard.Err
		}
		for _, t := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return nil, err
				}
				end[p.Partition] = p.Offset
			}
		}
	}
	return end, nil
}

// Export writes the committed records of a partition before offset end to w, as
// [Import] reads them, and returns how many there are.
func Export(ctx context.Context, client *kgo.Client, topic string, partition int32, end int64, w io.Writer) (count int64, err error) {
	out := newRecordWriter(w)
	err = Scan(ctx, client, topic, map[int32]int64{partition: end}, func(r *kgo.Record) error {
		count++
		return out.write(r)
	})
	if err == nil {
		err = out.close()
	}
	return count, err
}
