package jetstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// Limits bound what the streams keep.
type Limits struct {
	Age      time.Duration // of TICKS, EVENTS and results; DLQ and ALERTS keep seven times as long
	Bytes    int64         // of TICKS; a stream of results may hold a third, DLQ a tenth; 0 means no limit
	Replicas int           // 1 or 3
	// Functions are those that keep their checkpoints and states in a stream of
	// results, by stream. Those that are not named have no place to write to.
	Functions map[string][]string
}

// DefaultLimits keeps a day of ticks, as the topic does, within 3 GiB.
var DefaultLimits = Limits{
	Age: 24 * time.Hour, Bytes: 3 << 30, Replicas: 1,
	Functions: map[string][]string{
		streamflow.StreamCandles:    {streamflow.FunctionCandles},
		streamflow.StreamIndicators: {streamflow.FunctionIndicators},
		streamflow.StreamAlerts:     {streamflow.FunctionAlerts},
		streamflow.StreamResults:    {streamflow.FunctionBuckets, streamflow.FunctionLogins},
	},
}

// mirrors are the streams that can be made anew from Kafka.
var mirrors = []string{streamflow.StreamTicks, streamflow.StreamEvents, streamflow.StreamDeadLetters}

// Streams returns the configuration of every stream in the address book.
func Streams(l Limits) []jetstream.StreamConfig {
	dlq := l.stream(streamflow.StreamDeadLetters, "messages that the bridge refused, or a function could not step, with the reason",
		streamflow.SubjectAllLetters, streamflow.SubjectDLQCursors)
	keep(&dlq, 7*l.Age)
	dlq.MaxBytes = cmp.Or(l.Bytes/10, -1)
	alerts := l.results(streamflow.StreamAlerts, streamflow.SubjectAllAlerts, "alerts by symbol")
	keep(&alerts, 7*l.Age)
	return []jetstream.StreamConfig{
		l.stream(streamflow.StreamTicks, "ticks by symbol, mirrored from Kafka by the bridge",
			streamflow.SubjectAllTicks, streamflow.SubjectCursors),
		l.stream(streamflow.StreamEvents, "events by topic and type, mirrored from Kafka by the bridge",
			streamflow.SubjectAllEvents, streamflow.SubjectEventCursors),
		dlq,
		l.results(streamflow.StreamCandles, streamflow.SubjectAllCandles, "candles by interval and symbol"),
		l.results(streamflow.StreamIndicators, streamflow.SubjectAllIndicators, "indicators by symbol"),
		alerts,
		l.results(streamflow.StreamResults, streamflow.SubjectAllResults, "results of all other functions, by function and key"),
	}
}

func (l Limits) stream(name, description string, subjects ...string) jetstream.StreamConfig {
	c := jetstream.StreamConfig{
		Name: name, Description: description, Subjects: subjects,
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
		Replicas: max(l.Replicas, 1), MaxBytes: cmp.Or(l.Bytes, -1), MaxMsgs: -1,
		MaxConsumers: -1, MaxMsgSize: -1, MaxMsgsPerSubject: -1,
		// Rollup keeps one checkpoint, and batches carry positions with their data.
		AllowRollup: true, AllowAtomicPublish: true, AllowBatchPublish: true,
		// Positions outlive the server's limit on age, for as long as it runs.
		AllowMsgTTL: true,
		// Positions do not rest on deduplication; the smallest window costs least.
		Duplicates: 100 * time.Millisecond,
	}
	keep(&c, l.Age)
	return c
}

// keep says for how long a stream keeps its messages; see [Client.Trim].
func keep(c *jetstream.StreamConfig, age time.Duration) {
	c.Metadata = map[string]string{metaKeep: age.String()}
	if c.MaxAge = 0; age <= math.MaxInt64/ageFactor {
		c.MaxAge = ageFactor * age
	}
}

// results is a stream of results, with the checkpoints and states of those who
// write to it.
func (l Limits) results(name, subject, description string) jetstream.StreamConfig {
	c := l.stream(name, description, subject)
	for _, function := range l.Functions[name] {
		token := streamflow.Token(function)
		c.Subjects = append(c.Subjects, "checkpoint."+token+".>", "state."+token+".>")
	}
	c.MaxBytes = cmp.Or(l.Bytes/3, -1)
	return c
}

// statusTTL is how long a worker that says nothing counts as there.
const statusTTL = 10 * time.Second

// buckets are the key-value buckets of the address book.
func buckets(l Limits) []jetstream.KeyValueConfig {
	return []jetstream.KeyValueConfig{
		{Bucket: streamflow.BucketRules, Description: "alert rules", History: 8, Replicas: max(l.Replicas, 1)},
		{Bucket: streamflow.BucketFunctions, Description: "desired state and layout of each function", History: 8, Replicas: max(l.Replicas, 1)},
		{Bucket: streamflow.BucketStatus, Description: "what the workers say of their shards, for seconds", TTL: statusTTL, Storage: jetstream.MemoryStorage, Replicas: max(l.Replicas, 1)},
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
		// The sequences of a stream that is made anew must not be those of the
		// one before it: to whoever has slept through that, they would seem to go on.
		// No stream takes a million messages a second for long, so the clock is ahead
		// of them all; and it fits into the 53 bits of a number in JSON.
		want.FirstSeq = uint64(time.Now().UnixMicro())
		_, err = c.js.CreateStream(ctx, want)
		if err == nil {
			return []string{"stream " + want.Name + ": created"}, nil
		}
		if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return nil, err
		}
		s, err = c.js.Stream(ctx, want.Name) // another process was faster
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
	have.Subjects = append(have.Subjects, missing(have, want)...)
	have.MaxAge, have.MaxBytes, have.Replicas = want.MaxAge, want.MaxBytes, want.Replicas
	have.Metadata = maps.Clone(have.Metadata)
	if have.Metadata == nil {
		have.Metadata = make(map[string]string)
	}
	maps.Copy(have.Metadata, want.Metadata)
	have.AllowRollup, have.AllowAtomicPublish, have.AllowBatchPublish, have.DenyPurge = true, true, true, false
	have.AllowMsgTTL = true
	if want.MaxAge > 0 {
		have.Duplicates = min(have.Duplicates, want.MaxAge)
	}
	if _, err := c.js.UpdateStream(ctx, have); err != nil {
		return nil, err
	}
	for i := range differences {
		differences[i] = "stream " + want.Name + ": " + differences[i]
	}
	return differences, nil
}

// missing are the subjects that a stream is to have and has not. It may have
// others: those of a function that this version does not know are left alone.
func missing(have, want jetstream.StreamConfig) (subjects []string) {
	for _, s := range want.Subjects {
		if !slices.Contains(have.Subjects, s) {
			subjects = append(subjects, s)
		}
	}
	return subjects
}

func compatible(have, want jetstream.StreamConfig) error {
	refuse := func(what string, have, want any) error {
		return fmt.Errorf("%s is %v, want %v: this cannot be changed safely; remove the stream and run `streamflow rebuild`", what, have, want)
	}
	switch {
	case !slices.Contains(have.Subjects, want.Subjects[0]):
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
	for _, subject := range missing(have, want) {
		list = append(list, "subject "+subject+" added")
	}
	note("kept for", keeps(have), keeps(want))
	if keeps(have) == keeps(want) { // else it follows from that
		note("max_age", have.MaxAge, want.MaxAge)
	}
	note("max_bytes", have.MaxBytes, want.MaxBytes)
	note("replicas", have.Replicas, want.Replicas)
	note("allow_rollup", have.AllowRollup, want.AllowRollup)
	note("allow_atomic", have.AllowAtomicPublish, want.AllowAtomicPublish)
	note("allow_batched", have.AllowBatchPublish, want.AllowBatchPublish)
	note("allow_msg_ttl", have.AllowMsgTTL, want.AllowMsgTTL)
	return list
}

// DeleteStreams removes the streams that can be made anew from Kafka: the first
// half of a rebuild. Those that are not there are no error. Results stay, with
// the positions up to which they were derived.
func (c *Client) DeleteStreams(ctx context.Context) error {
	for _, name := range mirrors {
		if err := c.js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("stream %s: %w", name, err)
		}
	}
	return nil
}
