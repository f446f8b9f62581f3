package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Marks returns of each partition of a topic the offset where its log starts
// and the one before which all is decided (the last stable offset): without
// open transactions that is where the next record will be written.
func Marks(ctx context.Context, client *kgo.Client, topic string) (start, end map[int32]int64, err error) {
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("kafka topic %s: where it starts: %w", topic, err)
	}
	ends, err := admin.ListCommittedOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("kafka topic %s: where it ends: %w", topic, err)
	}
	start, end = make(map[int32]int64), make(map[int32]int64)
	starts.Each(func(o kadm.ListedOffset) { start[o.Partition] = o.Offset })
	ends.Each(func(o kadm.ListedOffset) { end[o.Partition] = o.Offset })
	return start, end, nil
}
