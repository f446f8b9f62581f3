package kafka

import (
	"context"
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// settleWait is how long a moment is waited for in which no transaction is open.
const settleWait = 20 * time.Second

// Settled is [Marks] in a moment in which no transaction of the topic was open
// or being decided: of each that is committed, all records lie before the marks,
// in all partitions. After a while without such a moment it is an error.
func Settled(ctx context.Context, client *kgo.Client, topic string) (start, end map[int32]int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, settleWait)
	defer cancel()
	before, err := ends(ctx, client, topic)
	for err == nil {
		if start, end, err = Marks(ctx, client, topic); err != nil {
			break
		}
		var after map[int32]int64
		if after, err = ends(ctx, client, topic); err != nil {
			break
		}
		// All is decided, and between the first and the last question nothing moved.
		if maps.Equal(before, end) && maps.Equal(end, after) {
			return start, end, nil
		}
		before = after
		select {
		case <-ctx.Done():
			err = fmt.Errorf("within %s there was no moment without an open transaction: a writer may be stuck in one: %w", settleWait, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil, nil, fmt.Errorf("kafka topic %s: %w", topic, err)
}

// ends returns where the partitions end, decided or not.
func ends(ctx context.Context, client *kgo.Client, topic string) (map[int32]int64, error) {
	listed, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, err
	}
	end := make(map[int32]int64)
	listed.Each(func(o kadm.ListedOffset) { end[o.Partition] = o.Offset })
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
