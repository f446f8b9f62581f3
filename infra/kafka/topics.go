package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Topic is a topic as it should be.
type Topic struct {
	Name        string
	Partitions  int32             // 0: as the broker likes, and not checked
	Replication int16             // 0: as the broker likes; of an existing topic it is left alone
	Retention   time.Duration     // 0: as the broker likes; below 0: for ever
	Config      map[string]string // other settings by their Kafka names
}

const retentionKey = "retention.ms"

// settings returns the topic's settings by their Kafka names.
func (t Topic) settings() map[string]string {
	s := make(map[string]string, len(t.Config)+1)
	maps.Copy(s, t.Config)
	switch {
	case t.Retention < 0:
		s[retentionKey] = "-1"
	case t.Retention > 0:
		s[retentionKey] = strconv.FormatInt(t.Retention.Milliseconds(), 10)
	}
	return s
}

// EnsureTopics creates the topics that are missing and gives the others the
// settings that they should have. It returns in words what it changed, and
// nothing when all was well. Several processes may do it at once.
//
// The number of partitions of a topic is never changed: the key of a symbol
// would hash to another partition from then on, and its ticks before and after
// would no longer be in one order. A difference is an error; the other topics
// are seen to nevertheless.
func EnsureTopics(ctx context.Context, client *kgo.Client, topics []Topic) (changes []string, err error) {
	admin := kadm.NewClient(client)
	var errs []error
	for _, t := range topics {
		created, err := create(ctx, admin, t)
		if err == nil {
			err = await(ctx, admin, t, created)
		}
		var altered []string
		if err == nil && !created {
			altered, err = alter(ctx, admin, t)
		}
		if created {
			changes = append(changes, t.describe())
		}
		changes = append(changes, altered...)
		if err != nil {
			errs = append(errs, fmt.Errorf("kafka topic %s: %w", t.Name, err))
		}
	}
	return changes, errors.Join(errs...)
}

// create creates the topic and reports whether it was this call that did. To
// try is the only way to ask that leaves no window to another process.
func create(ctx context.Context, admin *kadm.Client, t Topic) (bool, error) {
	settings := make(map[string]*string)
	for k, v := range t.settings() {
		settings[k] = &v
	}
	partitions, replication := t.Partitions, t.Replication
	if partitions <= 0 {
		partitions = -1
	}
	if replication <= 0 {
		replication = -1
	}
	resp, err := admin.CreateTopic(ctx, partitions, replication, settings, t.Name)
	switch {
	case errors.Is(err, kerr.TopicAlreadyExists):
		return false, nil
	case err != nil && resp.ErrMessage != "":
		return false, fmt.Errorf("create it: %w (%s)", err, resp.ErrMessage)
	case err != nil:
		return false, fmt.Errorf("create it: %w", err)
	}
	return true, nil
}

// await waits until the brokers know the topic and each of its partitions has a
// leader, and checks the number of partitions.
func await(ctx context.Context, admin *kadm.Client, t Topic, created bool) error {
	for {
		topics, err := admin.ListTopics(ctx, t.Name)
		if err != nil {
			return fmt.Errorf("look it up: %w", err)
		}
		d := topics[t.Name]
		n := int32(len(d.Partitions))
		switch {
		case d.Err == nil && led(d) && (!created || n >= t.Partitions):
			if t.Partitions > 0 && n != t.Partitions {
				return fmt.Errorf("it has %d partitions and should have %d. That is not changed, because a symbol would move to another partition and its ticks would lose their order. Either configure %d partitions, or stop what writes to it, let the bridge read it to its end, delete it and start again",
					n, t.Partitions, n)
			}
			return nil
		case d.Err != nil && !errors.Is(d.Err, kerr.UnknownTopicOrPartition) && !kerr.IsRetriable(d.Err):
			return fmt.Errorf("look it up: %w", d.Err)
		}
		select { // Kafka tells nobody when it is ready
		case <-ctx.Done():
			return fmt.Errorf("it has %d of %d partitions and not a leader for each: %w", n, t.Partitions, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func led(d kadm.TopicDetail) bool {
	for _, p := range d.Partitions {
		if p.Err != nil || p.Leader < 0 {
			return false
		}
	}
	return len(d.Partitions) > 0
}

// alter gives an existing topic its settings.
func alter(ctx context.Context, admin *kadm.Client, t Topic) ([]string, error) {
	want := t.settings()
	if len(want) == 0 {
		return nil, nil
	}
	alterations, changes, _, err := compare(ctx, admin, t)
	if err != nil {
		return nil, err
	}
	if len(alterations) == 0 {
		return nil, nil
	}
	resp, err := admin.AlterTopicConfigs(ctx, alterations, t.Name)
	if err != nil {
		return nil, fmt.Errorf("change its settings: %w", err)
	}
	if r, err := resp.On(t.Name, nil); err != nil || r.Err != nil {
		return nil, fmt.Errorf("change its settings: %w (%s)", errors.Join(err, r.Err), r.ErrMessage)
	}
	return changes, nil
}

// compare returns the settings that an existing topic has and should not have,
// and the same in words; and all that it has.
func compare(ctx context.Context, admin *kadm.Client, t Topic) (alterations []kadm.AlterConfig, changes []string, have map[string]string, err error) {
	want := t.settings()
	described, err := admin.DescribeTopicConfigs(ctx, t.Name)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read its settings: %w", err)
	}
	d, err := described.On(t.Name, nil)
	if err = errors.Join(err, d.Err); err != nil {
		return nil, nil, nil, fmt.Errorf("read its settings: %w", err)
	}
	have = make(map[string]string)
	for _, c := range d.Configs {
		have[c.Key] = c.MaybeValue()
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if v := want[k]; v != have[k] {
			alterations = append(alterations, kadm.AlterConfig{Op: kadm.SetConfig, Name: k, Value: &v})
			changes = append(changes, fmt.Sprintf("topic %s: %s -> %s", t.Name, setting(k, have[k]), value(k, v)))
		}
	}
	return alterations, changes, have, nil
}

// describe says how the topic was created.
func (t Topic) describe() string {
	var parts []string
	if t.Partitions > 0 {
		parts = append(parts, fmt.Sprintf("%d partitions", t.Partitions))
	}
	settings := t.settings()
	for _, k := range slices.Sorted(maps.Keys(settings)) {
		parts = append(parts, setting(k, settings[k]))
	}
	return strings.TrimSuffix("topic "+t.Name+": created, "+strings.Join(parts, ", "), ", ")
}
