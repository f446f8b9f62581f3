package embedded

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	retentionEvery   = time.Minute
	retentionTimeout = 30 * time.Second
)

// retainLogged enforces retention, or says that it could not.
func (k *Kafka) retainLogged(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, retentionTimeout)
	defer cancel()
	if err := k.retain(ctx); err != nil && ctx.Err() == nil {
		k.log.Warn("Kafka retention failed, will try again", "err", err)
	}
}

// retain deletes what is past its retention from every topic.
func (k *Kafka) retain(ctx context.Context) error {
	topics, err := k.admin.ListTopics(ctx)
	if err != nil {
		return fmt.Errorf("list topics: %w", err)
	}
	if len(topics) == 0 {
		return nil
	}
	configs, err := k.admin.DescribeTopicConfigs(ctx, topics.Names()...)
	if err != nil {
		return fmt.Errorf("describe topics: %w", err)
	}
	sizes, err := k.admin.DescribeAllLogDirs(ctx, nil)
	if err != nil {
		return fmt.Errorf("describe log directories: %w", err)
	}
	for _, c := range configs {
		if c.Err != nil {
			continue // deleted meanwhile
		}
		age, bytes := retentionLimits(c)
		if err := k.retainTopic(ctx, c.Name, age, bytes, sizes); err != nil {
			return fmt.Errorf("topic %s: %w", c.Name, err)
		}
	}
	return nil
}

// retentionLimits reads retention.ms and retention.bytes of a topic, or else
// those of the broker, which kfake lists under their broker names; -1 is
// without limit.
func retentionLimits(c kadm.ResourceConfig) (ms, bytes int64) {
	read := func(topicKey, brokerKey string) int64 {
		limit := int64(-1)
		for _, kv := range c.Configs {
			n, err := strconv.ParseInt(kv.MaybeValue(), 10, 64)
			switch {
			case err != nil:
			case kv.Key == topicKey && kv.Source == kmsg.ConfigSourceDynamicTopicConfig:
				return n
			case kv.Key == brokerKey:
				limit = n
			}
		}
		return limit
	}
	return read("retention.ms", "log.retention.ms"), read("retention.bytes", "log.retention.bytes")
}

func (k *Kafka) retainTopic(ctx context.Context, topic string, ms, bytes int64, sizes kadm.DescribedAllLogDirs) error {
	if ms < 0 && bytes < 0 {
		return nil
	}
	starts, err := k.admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return fmt.Errorf("list start offsets: %w", err)
	}
	ends, err := k.admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return fmt.Errorf("list end offsets: %w", err)
	}
	cuts := starts
	if ms >= 0 { // the first record that is young enough, or the end
		before := time.Now().UnixMilli() - ms
		if cuts, err = k.admin.ListOffsetsAfterMilli(ctx, before, topic); err != nil {
			return fmt.Errorf("list offsets by time: %w", err)
		}
	}
	del := make(kadm.Offsets)
	ends.Each(func(end kadm.ListedOffset) {
		start, ok1 := starts.Lookup(topic, end.Partition)
		cut, ok2 := cuts.Lookup(topic, end.Partition)
		if !ok1 || !ok2 || start.Err != nil || cut.Err != nil || end.Err != nil {
			return
		}
		to := max(cut.Offset, cutBySize(start.Offset, end.Offset, partitionSize(sizes, topic, end.Partition), bytes))
		// The newest record stays: see Kafka.
		if to = min(to, end.Offset-1); to > start.Offset {
			del.AddOffset(topic, end.Partition, to, -1)
			k.log.Debug("Kafka retention", "topic", topic, "partition", end.Partition, "from", start.Offset, "to", to)
		}
	})
	if len(del) == 0 {
		return nil
	}
	res, err := k.admin.DeleteRecords(ctx, del)
	if err != nil {
		return fmt.Errorf("delete records: %w", err)
	}
	return res.Error()
}

// cutBySize is the offset below which a partition of size bytes is over limit,
// taking records to be of one size: a few rounds come close enough.
func cutBySize(start, end, size, limit int64) int64 {
	if limit < 0 || size <= limit {
		return start
	}
	return start + int64(float64(end-start)*(float64(size-limit)/float64(size)))
}

func partitionSize(dirs kadm.DescribedAllLogDirs, topic string, partition int32) int64 {
	var size int64
	for _, broker := range dirs {
		if p, ok := broker.LookupPartition(topic, partition); ok {
			size += p.Size
		}
	}
	return size
}
