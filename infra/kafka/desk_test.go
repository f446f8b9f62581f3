package kafka

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow/infra/kafka/kafkatest"
)

func newDesk(t *testing.T, brokers []string) *Desk {
	t.Helper()
	d := NewDesk(Config{Brokers: brokers})
	t.Cleanup(d.Close)
	return d
}

func deliver(t *testing.T, d *Desk, records ...*kgo.Record) []Delivery {
	t.Helper()
	done, deliveries, err := d.Produce(t.Context(), records)
	if err != nil {
		t.Fatal(err)
	}
	<-done
	return deliveries
}

func TestDesk(t *testing.T) {
	brokers := kafkatest.Start(t)
	client := kafkatest.Client(t, brokers)
	topic := kafkatest.Topic(t, "desk")
	kafkatest.Create(t, client, topic, 3)
	d := newDesk(t, brokers)
	var records []*kgo.Record
	for i := range 30 {
		records = append(records, &kgo.Record{Topic: topic, Partition: -1, Key: []byte("AAPL"), Value: fmt.Append(nil, i),
			Headers: []kgo.RecordHeader{{Key: "n", Value: fmt.Append(nil, i)}}})
	}
	records = append(records, &kgo.Record{Topic: topic, Partition: 2, Value: []byte("here")})
	got := deliver(t, d, records...)
	for i, g := range got[:30] {
		if g.Err != nil || g.Partition != got[0].Partition || i > 0 && g.Offset <= got[i-1].Offset {
			t.Fatalf("delivery %d: %+v", i, g)
		}
	}
	if last := got[30]; last.Err != nil || last.Partition != 2 {
		t.Errorf("a given partition: %+v", last)
	}
	r, err := d.Record(t.Context(), topic, got[7].Partition, got[7].Offset)
	if err != nil || r == nil || string(r.Value) != "7" || r.Offset != got[7].Offset {
		t.Errorf("%+v, %v", r, err)
	}
	for name, at := range map[string]struct {
		topic     string
		partition int32
		offset    int64
	}{"behind the end": {topic, 2, 99}, "no partition": {topic, 9, 0}, "no topic": {topic + "-no", 0, 0}} {
		if r, err := d.Record(t.Context(), at.topic, at.partition, at.offset); r != nil || err != nil {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	from := map[int32]int64{0: 0, 1: 0, 2: 0}
	if r, err := d.Find(t.Context(), topic, from, "n", "12"); err != nil || r == nil || string(r.Value) != "12" {
		t.Errorf("%+v, %v", r, err)
	}
	from[got[0].Partition] = got[13].Offset
	if r, err := d.Find(t.Context(), topic, from, "n", "12"); err != nil || r != nil {
		t.Errorf("behind it: %+v, %v", r, err)
	}
}

func TestLook(t *testing.T) {
	brokers := kafkatest.Start(t)
	topic, group := kafkatest.Topic(t, "look"), kafkatest.Topic(t, "group")
	client := kafkatest.Client(t, brokers, kgo.ConsumeTopics(topic), kgo.ConsumerGroup(group), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	kafkatest.Create(t, client, topic, 1)
	d := newDesk(t, brokers)
	looks, err := d.Look(t.Context(), topic, topic+"-no")
	if err != nil || len(looks) != 1 || len(looks[0].Partitions) != 1 {
		t.Fatalf("%+v, %v", looks, err)
	}
	for i := range 5 {
		deliver(t, d, &kgo.Record{Topic: topic, Partition: 0, Value: fmt.Append(nil, i)})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var read []*kgo.Record
	for len(read) < 2 {
		fetches := client.PollRecords(ctx, 2-len(read))
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		read = append(read, fetches.Records()...)
	}
	if err := client.CommitRecords(ctx, read...); err != nil {
		t.Fatal(err)
	}
	looks, err = d.Look(t.Context(), topic)
	if err != nil || len(looks) != 1 {
		t.Fatalf("%+v, %v", looks, err)
	}
	if p := looks[0].Partitions[0]; p.Start != 0 || p.End != 5 {
		t.Errorf("%+v", p)
	}
	if g := looks[0].Groups; len(g) != 1 || g[0].Name != group || g[0].Lag != 3 || g[0].Members != 1 {
		t.Errorf("%+v", g)
	}
}

// Without Kafka there is an answer in time, and for a moment at once.
func TestDeskWithoutKafka(t *testing.T) {
	l := listen(t, nil)
	addr := l.Addr().String()
	l.Close()
	d := newDesk(t, []string{addr})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, first := d.Look(ctx, "x")
	if first == nil {
		t.Fatal("it looked at nothing")
	}
	d.mu.Lock()
	d.when = time.Now().Add(time.Hour) // it stays a moment ago, however long a busy machine takes
	d.mu.Unlock()
	if _, _, err := d.Produce(ctx, nil); err != first {
		t.Errorf("it asks again at once: %v, before it was %v", err, first)
	}
}
