package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TopicLook is a topic as it was measured.
type TopicLook struct {
	Name       string
	Partitions []PartitionLook
	Groups     []GroupLook
}

// PartitionLook is a partition as it was measured.
type PartitionLook struct {
	Number     int32
	Start, End int64 // the first offset that is kept, and that of the next record
}

// GroupLook is a group that reads a topic.
type GroupLook struct {
	Name, State string
	Members     int
	Lag         int64 // records behind what it has committed; -1 if it has committed nothing
}

// Look measures topics and the groups that read them. Topics that are not there
// are left out.
func (d *Desk) Look(ctx context.Context, topics ...string) ([]TopicLook, error) {
	client, err := d.connected(ctx)
	if err != nil {
		return nil, err
	}
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("kafka: where topics start: %w", err)
	}
	ends, err := admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("kafka: where topics end: %w", err)
	}
	var looks []TopicLook
	for _, name := range topics {
		t := TopicLook{Name: name}
		for number, end := range ends[name] {
			if start := starts[name][number]; start.Err == nil && end.Err == nil && end.Offset >= 0 {
				t.Partitions = append(t.Partitions, PartitionLook{number, start.Offset, end.Offset})
			}
		}
		slices.SortFunc(t.Partitions, func(a, b PartitionLook) int { return cmp.Compare(a.Number, b.Number) })
		if len(t.Partitions) > 0 {
			looks = append(looks, t)
		}
	}
	return looks, lookAtGroups(ctx, admin, looks)
}

// lookAtGroups fills in who reads the topics.
func lookAtGroups(ctx context.Context, admin *kadm.Client, topics []TopicLook) error {
	listed, err := admin.ListGroups(ctx)
	if err != nil {
		return fmt.Errorf("kafka: groups: %w", err)
	}
	if len(listed) == 0 {
		return nil
	}
	lags, err := admin.Lag(ctx, listed.Groups()...)
	if err != nil {
		return fmt.Errorf("kafka: lag of groups: %w", err)
	}
	for _, group := range lags.Sorted() {
		if group.Error() != nil {
			continue // one that is just going away is no reason to know nothing of the others
		}
		for i := range topics {
			partitions, reads := group.Lag[topics[i].Name]
			if !reads {
				continue
			}
			look := GroupLook{Name: group.Group, State: group.State, Members: len(group.Members), Lag: -1}
			for _, p := range partitions {
				if p.Err == nil && p.Lag >= 0 && p.Commit.At >= 0 {
					look.Lag = max(look.Lag, 0) + p.Lag
				}
			}
			topics[i].Groups = append(topics[i].Groups, look)
		}
	}
	return nil
}

// Ends returns the offset of the next record of each partition of a topic; none
// for a topic that is not there.
func (d *Desk) Ends(ctx context.Context, topic string) (map[int32]int64, error) {
	client, err := d.connected(ctx)
	if err != nil {
		return nil, err
	}
	listed, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err == nil {
		err = listed.Error()
	}
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("kafka topic %s: where it ends: %w", topic, err)
	}
	ends := make(map[int32]int64)
	listed.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
	return ends, nil
}

// Record returns the committed record at a place, and whether Kafka (still) has
// it.
func (d *Desk) Record(ctx context.Context, topic string, partition int32, offset int64) (found *kgo.Record, err error) {
	ends, err := d.Ends(ctx, topic)
	if end, ok := ends[partition]; err != nil || !ok || offset >= end {
		return nil, err
	}
	err = d.each(ctx, topic, partition, offset, offset+1, func(r *kgo.Record) bool {
		found = r
		return false
	})
	return found, err
}

// Find returns the first record with a header in [from, end) of the partitions
// of a topic, nil if there is none.
func (d *Desk) Find(ctx context.Context, topic string, from map[int32]int64, header, value string) (found *kgo.Record, err error) {
	ends, err := d.Ends(ctx, topic)
	if err != nil {
		return nil, err
	}
	for _, partition := range slices.Sorted(maps.Keys(from)) {
		err := d.each(ctx, topic, partition, from[partition], ends[partition], func(r *kgo.Record) bool {
			for _, h := range r.Headers {
				if h.Key == header && string(h.Value) == value {
					found = r
				}
			}
			return found == nil
		})
		if err != nil || found != nil {
			return found, err
		}
	}
	return nil, nil
}

// each calls fn with the committed records in [from, end) of a partition until
// it returns false. What Kafka has deleted is skipped.
func (d *Desk) each(ctx context.Context, topic string, partition int32, from, end int64, fn func(*kgo.Record) bool) error {
	client, err := d.connected(ctx)
	if err != nil {
		return err
	}
	s := scan{client: client, topic: topic, decompress: kgo.DefaultDecompressor()}
	start, err := s.locate(ctx, partition)
	for next := max(from, start); err == nil && next < end; {
		var got []*kgo.Record
		if got, next, err = s.fetch(ctx, partition, next); errors.Is(err, kerr.OffsetOutOfRange) {
			return nil // deleted since
		}
		for _, r := range got {
			if r.Offset >= end || r.Offset >= from && !fn(r) {
				return nil
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if err != nil {
		return fmt.Errorf("kafka %s/%d: %w", topic, partition, err)
	}
	return nil
}
