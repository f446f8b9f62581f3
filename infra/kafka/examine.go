package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// BrokerState is a broker as it was examined.
type BrokerState struct {
	ID      int32
	Addr    string
	Version string // as far as what it can do tells it
	// Lacks are the requests that StreamFlow makes and the broker does not know.
	Lacks []string
	Err   error // why it could not be asked
}

// needed are the requests without which a part does not work. They are all in
// Kafka 2.5, which is the first to fence a transaction by its producer's epoch.
var needed = []struct {
	key   kmsg.Key
	least int16 // version
	what  string
}{
	{kmsg.InitProducerID, 3, "fenced transactional producers (Kafka 2.5)"},
	{kmsg.EndTxn, 1, "transactions"},
	{kmsg.DeleteRecords, 0, "deletion of records"},
	{kmsg.IncrementalAlterConfigs, 0, "changes of single settings (Kafka 2.3)"},
}

// TopicState is a topic held against what it should be.
type TopicState struct {
	Name        string
	Missing     bool
	Partitions  int
	Replication int      // the least of its partitions
	Leaderless  []int32  // partitions
	Behind      []int32  // partitions of which a replica is not in sync
	BehindOn    []int32  // the brokers that hold those replicas
	InSync      int      // replicas in sync, of the partition that has the fewest
	MinInSync   int      // how many must be for a partition to take records; 0 is not known
	Differences []string // settings, in words; see [EnsureTopics]
}

// Examine asks every broker of the cluster what it can do.
func Examine(ctx context.Context, client *kgo.Client) ([]BrokerState, error) {
	admin := kadm.NewClient(client)
	listed, err := admin.ListBrokers(ctx)
	if err != nil {
		return nil, fmt.Errorf("kafka: its brokers: %w", err)
	}
	versions, err := admin.ApiVersions(ctx)
	if err != nil && len(versions) == 0 {
		return nil, fmt.Errorf("kafka: versions: %w", err)
	}
	var found []BrokerState
	for _, b := range listed {
		state := BrokerState{ID: b.NodeID, Addr: fmt.Sprintf("%s:%d", b.Host, b.Port)}
		v, ok := versions[b.NodeID]
		switch {
		case !ok:
			state.Err = errors.New("it does not answer")
		case v.Err != nil:
			state.Err = v.Err
		default:
			state.Version = v.VersionGuess()
			for _, n := range needed {
				if most, knows := v.KeyMaxVersion(n.key.Int16()); !knows || most < n.least {
					state.Lacks = append(state.Lacks, n.what)
				}
			}
		}
		found = append(found, state)
	}
	return found, nil
}

// ExamineTopics holds topics against what they should be, and changes nothing.
func ExamineTopics(ctx context.Context, client *kgo.Client, topics []Topic) ([]TopicState, error) {
	admin := kadm.NewClient(client)
	names := make([]string, len(topics))
	for i, t := range topics {
		names[i] = t.Name
	}
	// By name: all topics may be told from what the client still knows. The request
	// forbids the broker to make what is not there.
	listed, err := admin.ListTopics(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("kafka: its topics: %w", err)
	}
	found := make([]TopicState, len(topics))
	for i, t := range topics {
		d, ok := listed[t.Name]
		state := TopicState{Name: t.Name, Missing: !ok || len(d.Partitions) == 0, Partitions: len(d.Partitions)}
		for _, p := range d.Partitions.Sorted() {
			if p.Leader < 0 {
				state.Leaderless = append(state.Leaderless, p.Partition)
			}
			if len(p.ISR) < len(p.Replicas) {
				state.Behind = append(state.Behind, p.Partition)
			}
			for _, broker := range p.Replicas {
				if !slices.Contains(p.ISR, broker) && !slices.Contains(state.BehindOn, broker) {
					state.BehindOn = append(state.BehindOn, broker)
				}
			}
			if n := len(p.ISR); state.Replication == 0 || n < state.InSync {
				state.InSync = n
			}
			if n := len(p.Replicas); state.Replication == 0 || n < state.Replication {
				state.Replication = n
			}
		}
		if !state.Missing {
			_, changes, have, err := compare(ctx, admin, t)
			if err != nil {
				return nil, fmt.Errorf("kafka topic %s: %w", t.Name, err)
			}
			state.Differences = changes
			state.MinInSync, _ = strconv.Atoi(have["min.insync.replicas"])
			for j, words := range state.Differences {
				state.Differences[j] = strings.TrimPrefix(words, "topic "+t.Name+": ")
			}
		}
		slices.Sort(state.BehindOn)
		found[i] = state
	}
	return found, nil
}

// Newest returns the latest time that a record of a topic bears, the zero time
// if there is none. Producers put it there, unless the topic is set otherwise.
func Newest(ctx context.Context, client *kgo.Client, topic string) (at time.Time, err error) {
	listed, err := kadm.NewClient(client).ListMaxTimestampOffsets(ctx, topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return at, fmt.Errorf("kafka topic %s: its newest record: %w", topic, err)
	}
	listed.Each(func(o kadm.ListedOffset) {
		if o.Offset >= 0 && o.Timestamp > 0 && time.UnixMilli(o.Timestamp).After(at) {
			at = time.UnixMilli(o.Timestamp)
		}
	})
	return at, nil
}

// GroupMembers returns the members of a group and its state, such as Stable,
// Empty or Dead; that of a group that is not there is Unknown.
func GroupMembers(ctx context.Context, client *kgo.Client, group string) (members int, state string, err error) {
	described, err := kadm.NewClient(client).DescribeGroups(ctx, group)
	if err != nil {
		return 0, "", fmt.Errorf("kafka group %s: %w", group, err)
	}
	g := described[group]
	if errors.Is(g.Err, kerr.GroupIDNotFound) {
		return 0, "Unknown", nil
	}
	if g.Err != nil {
		return 0, "", fmt.Errorf("kafka group %s: %w", group, g.Err)
	}
	return len(g.Members), g.State, nil
}

// Volume is where a broker keeps its log.
type Volume struct {
	Broker        int32
	Dir           string
	Log           int64 // bytes of all partitions
	Total, Usable int64 // bytes of the file system; -1 where the broker does not tell
}

// Volumes asks where the brokers keep their logs.
func Volumes(ctx context.Context, client *kgo.Client) (found []Volume, err error) {
	described, err := kadm.NewClient(client).DescribeAllLogDirs(ctx, nil)
	if err != nil && len(described) == 0 {
		return nil, fmt.Errorf("kafka: its log directories: %w", err)
	}
	for _, dirs := range described {
		for _, d := range dirs {
			if d.Err == nil {
				found = append(found, Volume{d.Broker, d.Dir, d.Size(), d.TotalBytes, d.UsableBytes})
			}
		}
	}
	slices.SortFunc(found, func(a, b Volume) int { return int(a.Broker - b.Broker) })
	return found, nil
}
