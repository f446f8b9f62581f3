package bridge

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// tail reads back from the committed end of each partition of topic, in growing
// steps, until found has accepted a record of it or its start is reached.
func tail(ctx context.Context, connect func(context.Context, ...kgo.Opt) (*kgo.Client, error), client *kgo.Client, topic string, found func(*kgo.Record) bool) error {
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return err
	}
	ends, err := admin.ListCommittedOffsets(ctx, topic)
	if err != nil {
		return err
	}
	for number, end := range ends[topic] {
		start, ok := starts.Lookup(topic, number)
		if !ok || start.Err != nil || end.Err != nil {
			return fmt.Errorf("offsets of %s/%d: not known (%v, %v)", topic, number, start.Err, end.Err)
		}
		for step := int64(64); start.Offset < end.Offset; step *= 16 {
			from := max(end.Offset-step, start.Offset)
			ok, err := readRange(ctx, connect, topic, number, from, end.Offset, found)
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
func readRange(ctx context.Context, connect func(context.Context, ...kgo.Opt) (*kgo.Client, error), topic string, number int32, from, end int64, found func(*kgo.Record) bool) (any bool, err error) {
	reader, err := connect(ctx,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {number: kgo.NewOffset().At(from)}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// The last offset before the end may be the mark of a transaction, which
		// tells that all is read as well as a record does.
		kgo.KeepControlRecords(),
	)
	if err != nil {
		return false, err
	}
	defer reader.Close()
	for {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return any, err
		}
		for r := range fetches.RecordsAll() {
			if r.Offset < end && !r.Attrs.IsControl() && found(r) {
				any = true
			}
			if r.Offset >= end-1 {
				return any, nil
			}
		}
	}
}
