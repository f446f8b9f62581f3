package jetstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// Limits bound what the streams keep.
type Limits struct {
	Age      time.Duration // of TICKS; DLQ keeps seven times as long
	Bytes    int64         // of TICKS; DLQ may hold a tenth; 0 means no limit
	Replicas int           // 1 or 3
}

// DefaultLimits keeps a day of ticks, as the topic does, within 3 GiB.
var DefaultLimits = Limits{Age: 24 * time.Hour, Bytes: 3 << 30, Replicas: 1}

// Streams returns the configuration of every stream in the address book.
func Streams(l Limits) []jetstream.StreamConfig {
	base := func(name, description string, subjects ...string) jetstream.StreamConfig {
		return jetstream.StreamConfig{
			Name: name, Description: description, Subjects: subjects,
			Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
			Replicas: max(l.Replicas, 1), MaxAge: l.Age, MaxBytes: cmp.Or(l.Bytes, -1), MaxMsgs: -1,
			MaxConsumers: -1, MaxMsgSize: -1, MaxMsgsPerSubject: -1,
			// Rollup keeps one cursor, and batches carry it with its data.
			AllowRollup: true, AllowAtomicPublish: true, AllowBatchPublish: true,
			// Positions do not rest on deduplication; the smallest window costs least.
			Duplicates: 100 * time.Millisecond,
		}
	}
	ticks := base(streamflow.StreamTicks, "ticks by symbol, mirrored from Kafka by the bridge",
		streamflow.SubjectAllTicks, streamflow.SubjectCursors)
	dlq := base(streamflow.StreamDeadLetters, "messages that the bridge refused, with the reason",
		streamflow.SubjectAllDeadLetters, streamflow.SubjectDLQCursors)
	dlq.MaxAge, dlq.MaxBytes = 7*l.Age, cmp.Or(l.Bytes/10, -1)
	return []jetstream.StreamConfig{ticks, dlq}
}

// buckets are the key-value buckets of the address book.
func buckets(l Limits) []jetstream.KeyValueConfig {
	return []jetstream.KeyValueConfig{
		{Bucket: streamflow.BucketRules, Description: "alert rules", History: 8, Replicas: max(l.Replicas, 1)},
		{Bucket: streamflow.BucketFunctions, Description: "desired state of each function", History: 8, Replicas: max(l.Replicas, 1)},
	}
}

// Ensure creates what is missing of the streams and buckets, changes limits
// that differ, and returns what it did in words. It refuses, naming the
// difference, what would lose data or cannot be changed: other subjects,
// storage or retention.
func (c *Client) Ensure(ctx context.Context, l Limits) (changes []string, err error) {
	for _, want := range Streams(l) {
		change, err := c.ensureStream(ctx, want)
		if err != nil {
			return changes, fmt.Errorf("stream %s: %w", want.Name, err)
		}
		changes = append(changes, change...)
	}
	for _, want := range buckets(l) {
		if _, err := c.js.KeyValue(ctx, want.Bucket); err == nil {
			continue
		} else if !errors.Is(err, jetstream.ErrBucketNotFound) {
			return changes, fmt.Errorf("bucket %s: %w", want.Bucket, err)
		}
		if _, err := c.js.CreateOrUpdateKeyValue(ctx, want); err != nil {
			return changes, fmt.Errorf("bucket %s: %w", want.Bucket, err)
		}
		changes = append(changes, "bucket "+want.Bucket+": created")
	}
	return changes, nil
}

func (c *Client) ensureStream(ctx context.Context, want jetstream.StreamConfig) ([]string, error) {
	s, err := c.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		// Create is idempotent for the same configuration, so several
		// processes may do this at once.
		if _, err := c.js.CreateStream(ctx, want); err != nil {
			return nil, err
		}
		return []string{"stream " + want.Name + ": created"}, nil
	}
	if err != nil {
		return nil, err
	}
	have := s.CachedInfo().Config
	if err := compatible(have, want); err != nil {
		return nil, err
	}
	differences := differences(have, want)
	if len(differences) == 0 {
		return nil, nil
	}
	have.MaxAge, have.MaxBytes, have.Replicas = want.MaxAge, want.MaxBytes, want.Replicas
	have.AllowRollup, have.AllowAtomicPublish, have.AllowBatchPublish, have.DenyPurge = true, true, true, false
	have.Duplicates = min(have.Duplicates, want.MaxAge)
	if _, err := c.js.UpdateStream(ctx, have); err != nil {
		return nil, err
	}
	for i := range differences {
		differences[i] = "stream " + want.Name + ": " + differences[i]
	}
	return differences, nil
}

func compatible(have, want jetstream.StreamConfig) error {
	refuse := func(what string, have, want any) error {
		return fmt.Errorf("%s is %v, want %v: this cannot be changed safely; remove the stream and run `streamflow rebuild`", what, have, want)
	}
	switch {
	case fmt.Sprint(have.Subjects) != fmt.Sprint(want.Subjects):
		return refuse("subjects", have.Subjects, want.Subjects)
	case have.Storage != want.Storage:
		return refuse("storage", have.Storage, want.Storage)
	case have.Retention != want.Retention:
		return refuse("retention", have.Retention, want.Retention)
	case have.MaxMsgsPerSubject > 0:
		return refuse("max_msgs_per_subject", have.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	case have.Sealed:
		return refuse("sealed", true, false)
	}
	return nil
}

func differences(have, want jetstream.StreamConfig) (list []string) {
	note := func(what string, have, want any) {
		if have != want {
			list = append(list, fmt.Sprintf("%s %v -> %v", what, have, want))
		}
	}
	note("max_age", have.MaxAge, want.MaxAge)
	note("max_bytes", have.MaxBytes, want.MaxBytes)
	note("replicas", have.Replicas, want.Replicas)
	note("allow_rollup", have.AllowRollup, want.AllowRollup)
	note("allow_atomic", have.AllowAtomicPublish, want.AllowAtomicPublish)
	note("allow_batched", have.AllowBatchPublish, want.AllowBatchPublish)
	return list
}

// DeleteStreams removes the streams of the address book with all they hold:
// the first half of a rebuild. Streams that are not there are no error.
func (c *Client) DeleteStreams(ctx context.Context) error {
	for _, s := range Streams(Limits{}) {
		if err := c.js.DeleteStream(ctx, s.Name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("stream %s: %w", s.Name, err)
		}
	}
	return nil
}
