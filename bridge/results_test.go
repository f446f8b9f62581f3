package bridge_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/bridge"
	"streamflow/infra/kafka"
	"streamflow/infra/kafka/kafkatest"
)

// facts makes n facts of a shard from number first on.
func facts(epoch string, shard int32, first int64, n int) (messages []streamflow.Message) {
	for i := range n {
		number := first + int64(i)
		symbol := fmt.Sprintf("S.%d", number%5)
		messages = append(messages, streamflow.Message{
			Subject: streamflow.CandleSubject(streamflow.Minute1, symbol), Data: fmt.Appendf(nil, `{"symbol":%q,"n":%d}`, symbol, number),
			Position: streamflow.Position{Topic: "candles." + epoch, Partition: shard, Offset: number}, Previous: number - 1,
			Cause: streamflow.Position{Topic: "ticks", Partition: 1, Offset: 7 * number}, Hops: "kafka=1;candles=2;",
		})
	}
	return messages
}

// results reads the committed results of a topic: their keys and values, by
// their position.
func (r *rig) results(topic string) map[streamflow.Position]*kgo.Record {
	r.t.Helper()
	_, end, err := kafka.Marks(r.t.Context(), r.producer, topic)
	if err != nil {
		r.t.Fatal(err)
	}
	all := make(map[streamflow.Position]*kgo.Record)
	err = kafka.Scan(r.t.Context(), r.producer, topic, end, func(record *kgo.Record) error {
		p, err := streamflow.ParsePosition(headerOf(record, streamflow.HeaderOutput))
		if _, twice := all[p]; err != nil || twice {
			r.t.Errorf("%v is there twice, or has no position: %v", p, err)
		}
		all[p] = record
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

func headerOf(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// Facts of many shards come to the topic once each, and its end tells all their
// positions, however long ago one of them last moved.
func TestResultsComeBackOnce(t *testing.T) {
	r := newRig(t, 1)
	topic := kafkatest.Topic(t, "stock_candles")
	kafkatest.Create(t, r.producer, topic, 3)
	a, b := bridge.NewResults(topic, r.open, nil), bridge.NewResults(topic, r.open, nil)
	defer a.Close()
	defer b.Close()
	at := make(map[streamflow.Partition]int64)
	sent := make(map[streamflow.Position]streamflow.Message)
	load := func(p *bridge.Publisher) {
		t.Helper()
		if got, err := p.Load(t.Context()); err != nil || !maps.Equal(got, at) {
			t.Fatalf("loaded %v, %v, want %v", got, err, at)
		}
	}
	commit := func(p *bridge.Publisher, messages []streamflow.Message) {
		t.Helper()
		to := maps.Clone(at)
		for _, m := range messages {
			to[m.Position.In()] = m.Position.Offset
			sent[m.Position] = m
		}
		if err := p.Commit(t.Context(), messages, at, to); err != nil {
			t.Fatal(err)
		}
		at = to
	}
	load(a)
	commit(a, append(facts("c8x1", 0, 0, 40), facts("c8x1", 1, 0, 1)...))
	for i := range 50 { // one at a time, so that most go to one partition
		commit(a, facts("c8x1", 0, 40+int64(i)*5, 1))
	}
	commit(a, facts("c8zz", 2, 0, 100))
	view := facts("c8zz", 2, 999, 1)
	view[0].Position = streamflow.Position{}
	commit2 := append(view, facts("c8zz", 2, 100, 2)...)
	if err := a.Commit(t.Context(), view, at, at); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Peek(t.Context()); err != nil || !maps.Equal(got, at) {
		t.Fatalf("peeked %v, %v, want %v", got, err, at)
	}
	load(b)
	if err := a.Commit(t.Context(), commit2, at, at); !errors.Is(err, streamflow.ErrFenced) {
		t.Fatalf("the zombie's commit: %v, want ErrFenced", err)
	}
	commit(b, commit2[1:])
	load(a)
	got := r.results(topic)
	if len(got) != len(sent) {
		t.Errorf("%d results, want %d", len(got), len(sent))
	}
	partitions := make(map[string]int32)
	for p, m := range sent {
		record := got[p]
		if record == nil {
			t.Fatalf("%v is missing", p)
		}
		key := string(record.Key)
		if before, seen := partitions[key]; seen && before != record.Partition {
			t.Errorf("%s is on partitions %d and %d", key, before, record.Partition)
		}
		partitions[key] = record.Partition
		if key != fmt.Sprintf("S.%d", p.Offset%5) || string(record.Value) != string(m.Data) ||
			headerOf(record, streamflow.HeaderPosition) != m.Cause.String() || headerOf(record, streamflow.HeaderHops) != m.Hops {
			t.Errorf("%v is %s %s %v", p, record.Key, record.Value, record.Headers)
		}
	}
}

// A result lands where any Kafka client would put a record of its key, and says
// of what replay it is.
func TestResultsAreKeyed(t *testing.T) {
	r := newRig(t, 1)
	topic := kafkatest.Topic(t, "stock_alerts")
	kafkatest.Create(t, r.producer, topic, 3)
	p := bridge.NewResults(topic, r.open, nil)
	defer p.Close()
	if _, err := p.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	messages := facts("e", 0, 0, 5)
	for i := range messages {
		messages[i].Cause = streamflow.Position{} // time alone
		messages[i].Headers = []streamflow.Header{{Key: streamflow.HeaderReplay, Value: []byte("again")}}
	}
	if err := p.Commit(t.Context(), messages, nil, map[streamflow.Partition]int64{messages[0].Position.In(): 4}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Peek(t.Context()); err != nil { // which waits until the topic shows them
		t.Fatal(err)
	}
	hashed := kafkatest.Client(t, r.brokers, kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.DefaultProduceTopic(topic))
	records := r.results(topic)
	if len(records) != len(messages) {
		t.Errorf("%d results, want %d", len(records), len(messages))
	}
	for _, record := range records {
		if headerOf(record, streamflow.HeaderReplay) != "again" || headerOf(record, streamflow.HeaderPosition) != "" {
			t.Errorf("headers %v", record.Headers)
		}
		like := &kgo.Record{Key: record.Key, Headers: []kgo.RecordHeader{{Key: "x"}}}
		if err := hashed.ProduceSync(t.Context(), like).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if like.Partition != record.Partition {
			t.Errorf("%s is on partition %d, a client takes %d", record.Key, record.Partition, like.Partition)
		}
	}
}

func TestResultsNeedTheirTopic(t *testing.T) {
	r := newRig(t, 1)
	p := bridge.NewResults(kafkatest.Topic(t, "none"), r.open, nil)
	defer p.Close()
	if _, err := p.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "topic none-") {
		t.Errorf("loaded: %v", err)
	}
}
