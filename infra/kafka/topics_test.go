package kafka

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"streamflow/infra/kafka/kafkatest"
)

func TestEnsureTopics(t *testing.T) {
	client, _ := connect(t)
	ctx := t.Context()
	topic := Topic{Name: kafkatest.Topic(t, "ticks"), Partitions: 3, Retention: time.Hour,
		Config: map[string]string{"cleanup.policy": "delete"}}
	ensure := func(want ...string) {
		t.Helper()
		changes, err := EnsureTopics(ctx, client, []Topic{topic})
		if err != nil || !slices.Equal(changes, want) {
			t.Fatalf("%q, %v; want %q", changes, err, want)
		}
	}
	name := "topic " + topic.Name + ": "
	ensure(name + "created, 3 partitions, cleanup.policy delete, retention 1h")
	ensure()
	topic.Retention = 24 * time.Hour
	ensure(name + "retention 1h -> 24h")
	topic.Retention = -1
	topic.Config["max.message.bytes"] = "2000000"
	d, err := kadm.NewClient(client).DescribeTopicConfigs(ctx, topic.Name)
	if err != nil {
		t.Fatal(err)
	}
	was := ""
	for _, c := range d[0].Configs {
		if c.Key == "max.message.bytes" {
			was = c.MaybeValue()
		}
	}
	ensure(name+"max.message.bytes "+was+" -> 2000000", name+"retention 24h -> for ever")
	ensure()
	topic.Retention, topic.Config = 0, nil // as it is
	ensure()
	topic.Partitions = 0
	ensure()
}

// TestPartitionsAreNotChanged, and the topics behind are still seen to.
func TestPartitionsAreNotChanged(t *testing.T) {
	client, _ := connect(t)
	one, other := kafkatest.Topic(t, "one"), kafkatest.Topic(t, "other")
	if _, err := EnsureTopics(t.Context(), client, []Topic{{Name: one, Partitions: 1}}); err != nil {
		t.Fatal(err)
	}
	changes, err := EnsureTopics(t.Context(), client, []Topic{{Name: one, Partitions: 3}, {Name: other, Partitions: 1}})
	if err == nil || !strings.Contains(err.Error(), one+": it has 1 partitions and should have 3") {
		t.Errorf("%v, want an error that names the difference", err)
	}
	if len(changes) != 1 || !strings.Contains(changes[0], other+": created") {
		t.Errorf("%q, want the other topic created", changes)
	}
	topics, err := kadm.NewClient(client).ListTopics(t.Context(), one)
	if err != nil || len(topics[one].Partitions) != 1 {
		t.Errorf("%d partitions, %v; want 1", len(topics[one].Partitions), err)
	}
}

func TestEnsureTopicsAtOnce(t *testing.T) {
	_, c := connect(t)
	topic := Topic{Name: kafkatest.Topic(t, "at-once"), Partitions: 2, Retention: time.Hour}
	var created sync.Map
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			client, err := Connect(context.Background(), c)
			if err != nil {
				t.Error(err)
				return
			}
			defer client.Close()
			changes, err := EnsureTopics(context.Background(), client, []Topic{topic})
			if err != nil {
				t.Error(err)
			}
			if len(changes) > 0 {
				created.Store(i, changes)
			}
		})
	}
	wg.Wait()
	n := 0
	created.Range(func(_, _ any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d of 8 say that they created it", n)
	}
}

func TestRefusedTopicIsAnError(t *testing.T) {
	client, _ := connect(t)
	name := kafkatest.Topic(t, "refused")
	_, err := EnsureTopics(t.Context(), client, []Topic{{Name: name, Partitions: 1, Replication: 99}})
	if err == nil || !strings.Contains(err.Error(), name+": create it") {
		t.Errorf("%v, want an error that names the topic", err)
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{24 * time.Hour: "24h", 90 * time.Minute: "1h30m", 10 * time.Second: "10s",
		20 * time.Minute: "20m", 50 * time.Millisecond: "50ms", time.Hour + time.Second: "1h0m1s"} {
		if got := duration(d); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
