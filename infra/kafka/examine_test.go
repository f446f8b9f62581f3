package kafka_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow/infra/kafka"
	"streamflow/infra/kafka/kafkatest"
)

// Brokers, topics, groups and disks are examined as they are, and a topic that is
// asked about is not made by that.
func TestExamine(t *testing.T) {
	began := time.Now()
	client := kafkatest.Client(t, kafkatest.Start(t))
	brokers, err := kafka.Examine(t.Context(), client)
	if err != nil || len(brokers) == 0 {
		t.Fatalf("%v, %v", brokers, err)
	}
	for _, b := range brokers {
		if b.Err != nil || b.Version == "" || len(b.Lacks) > 0 || b.Addr == "" {
			t.Errorf("%+v", b)
		}
	}

	there, gone := kafkatest.Topic(t, "there"), kafkatest.Topic(t, "gone")
	kafkatest.Create(t, client, there, 2)
	want := []kafka.Topic{{Name: there, Partitions: 3, Retention: 5 * time.Hour}, {Name: gone, Partitions: 3}}
	for range 2 {
		states, err := kafka.ExamineTopics(t.Context(), client, want)
		if err != nil {
			t.Fatal(err)
		}
		s := states[0]
		if s.Missing || s.Partitions != 2 || s.Replication != 1 || len(s.Leaderless)+len(s.Behind) > 0 || len(s.Differences) != 1 || !strings.HasSuffix(s.Differences[0], "-> 5h") {
			t.Errorf("%+v", s)
		}
		if !states[1].Missing {
			t.Errorf("%+v", states[1])
		}
	}

	at := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	if newest, err := kafka.Newest(t.Context(), client, there); err != nil || !newest.IsZero() {
		t.Errorf("the newest record of an empty topic is of %s: %v", newest, err)
	}
	for i := range 4 {
		r := &kgo.Record{Topic: there, Value: []byte("x"), Timestamp: at.Add(-time.Duration(i) * time.Minute)}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if newest, err := kafka.Newest(t.Context(), client, there); err != nil || !newest.Equal(at) {
		t.Errorf("the newest record is of %s, want %s: %v", newest, at, err)
	}

	group := kafkatest.Topic(t, "group")
	for { // a broker that has just started makes the topic of groups first
		n, state, err := kafka.GroupMembers(t.Context(), client, group)
		if errors.Is(err, kerr.CoordinatorNotAvailable) && t.Context().Err() == nil && time.Since(began) < time.Minute {
			continue
		}
		if n != 0 || state == "Stable" || err != nil {
			t.Errorf("a group that is not there has %d members and is %s: %v", n, state, err)
		}
		break
	}

	volumes, err := kafka.Volumes(t.Context(), client)
	if err != nil || len(volumes) == 0 || volumes[0].Log <= 0 || volumes[0].Dir == "" {
		t.Errorf("%+v, %v", volumes, err)
	}
	if v := volumes[0]; kafkatest.Real() && (v.Total <= 0 || v.Usable <= 0 || v.Usable > v.Total) {
		t.Errorf("a broker that tells the size of its disk: %+v", v)
	}
}
