package bridge_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/bridge"
	"streamflow/infra/kafka"
	"streamflow/infra/kafka/kafkatest"
)

// letters makes dead letters of partition 0 with offsets from first to last.
func letters(first, last int64) (messages []streamflow.Message) {
	for offset := first; offset <= last; offset++ {
		messages = append(messages, streamflow.Message{
			Data: []byte{0xff, byte(offset)}, Position: streamflow.Position{Topic: "ticks", Partition: 0, Offset: offset},
			Headers: []streamflow.Header{
				{Key: streamflow.HeaderReason, Value: []byte(streamflow.ReasonNotJSON)},
				{Key: streamflow.HeaderKey, Value: []byte("a%00%26")},
				{Key: streamflow.HeaderHeaders, Value: []byte("h=%FF&h=")},
			},
		})
	}
	return messages
}

var origin = streamflow.Partition{Topic: "ticks", Number: 0}

func at(offset int64) map[streamflow.Partition]int64 {
	return map[streamflow.Partition]int64{origin: offset}
}

// returned reads the positions of the committed records of a topic.
func (r *rig) returned(topic string) (offsets []int64) {
	r.t.Helper()
	_, end, err := kafka.Marks(r.t.Context(), r.producer, topic)
	if err != nil {
		r.t.Fatal(err)
	}
	err = kafka.Scan(r.t.Context(), r.producer, topic, end, func(record *kgo.Record) error {
		headers := make(map[string]string)
		for _, h := range record.Headers {
			headers[h.Key] += "|" + string(h.Value)
		}
		p, err := streamflow.ParsePosition(headers[streamflow.HeaderPosition][1:])
		if err != nil {
			return err
		}
		if string(record.Key) != "a\x00&" || headers["h"] != "|\xff|" || !bytes.Equal(record.Value, []byte{0xff, byte(p.Offset)}) || headers[streamflow.HeaderReason] != "|not_json" {
			r.t.Errorf("%v came back as key %q, value %q, headers %q", p, record.Key, record.Value, headers)
		}
		offsets = append(offsets, p.Offset)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return offsets
}

func TestDeadLettersComeBackOnce(t *testing.T) {
	r := newRig(t, 1)
	topic := kafkatest.Topic(t, "dlq")
	kafkatest.Create(t, r.producer, topic, 1)
	sink := func() *bridge.Publisher {
		d := bridge.NewDeadLetters(topic, r.open, nil)
		t.Cleanup(d.Close)
		return d
	}
	load := func(d *bridge.Publisher, want map[streamflow.Partition]int64) {
		t.Helper()
		if got, err := d.Load(t.Context()); err != nil || !maps.Equal(got, want) {
			t.Fatalf("loaded %v, %v, want %v", got, err, want)
		}
	}
	a, b := sink(), sink()
	if err := a.Commit(t.Context(), letters(0, 0), nil, nil); err == nil {
		t.Fatal("a sink that was never loaded commits")
	}
	load(a, map[streamflow.Partition]int64{})
	if err := a.Commit(t.Context(), letters(3, 9), nil, at(9)); err != nil {
		t.Fatal(err)
	}
	// A look leaves the writer alone.
	if got, err := b.Peek(t.Context()); err != nil || !maps.Equal(got, at(9)) {
		t.Fatalf("peeked %v, %v", got, err)
	}
	if err := a.Commit(t.Context(), letters(10, 12), at(9), at(12)); err != nil {
		t.Fatal(err)
	}
	// B takes over; A, who was paused, comes too late, and again.
	load(b, at(12))
	if err := a.Commit(t.Context(), letters(13, 20), at(12), at(20)); !errors.Is(err, streamflow.ErrFenced) {
		t.Fatalf("the zombie's commit: %v, want ErrFenced", err)
	}
	if err := a.Commit(t.Context(), letters(13, 20), at(12), at(20)); err == nil {
		t.Fatal("the zombie commits when it tries again")
	}
	if err := b.Commit(t.Context(), letters(13, 14), at(12), at(14)); err != nil {
		t.Fatal(err)
	}
	// A writer dies in the middle of a transaction; the next one aborts it.
	dead, err := r.open(t.Context(), kgo.TransactionalID("streamflow-deadletter-"+topic), kgo.DefaultProduceTopic(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Close()
	if err := dead.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	half := &kgo.Record{Value: []byte("half"), Headers: []kgo.RecordHeader{{Key: streamflow.HeaderPosition, Value: []byte("ticks/0/99")}}}
	if err := dead.ProduceSync(t.Context(), half).FirstErr(); err != nil {
		t.Fatal(err)
	}
	load(a, at(14))
	if err := a.Commit(t.Context(), letters(15, 15), at(14), at(15)); err != nil {
		t.Fatal(err)
	}
	load(b, at(15))
	want := int64(3)
	for _, offset := range r.returned(topic) {
		if offset != want {
			t.Fatalf("dead letter %d came back, want %d", offset, want)
		}
		want++
	}
	if want != 16 {
		t.Fatalf("dead letters up to %d came back, want 15", want-1)
	}
}

// A dead letter may be longer than Kafka takes: it came compressed, or nearly
// filled a record without the headers that it gets. It must hold nothing up.
func TestLongDeadLetterIsCut(t *testing.T) {
	r := newRig(t, 1)
	topic := kafkatest.Topic(t, "dlq")
	kafkatest.Create(t, r.producer, topic, 1)
	d := bridge.NewDeadLetters(topic, r.open, nil)
	defer d.Close()
	if _, err := d.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Of chance, so that it is as long when it is compressed.
	value := make([]byte, 3<<20)
	_, _ = rand.Read(value)
	m := letters(1, 1)[0]
	m.Data = value
	m.Headers = append(m.Headers, streamflow.Header{Key: streamflow.HeaderCut, Value: []byte("key")})
	m.Headers[2].Value = []byte("h=" + strings.Repeat("%FF", 5<<10))
	if err := d.Commit(t.Context(), []streamflow.Message{m}, nil, at(1)); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Peek(t.Context()); err != nil || !maps.Equal(got, at(1)) { // which waits until the topic shows it
		t.Fatalf("peeked %v, %v", got, err)
	}
	_, end, err := kafka.Marks(t.Context(), r.producer, topic)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	err = kafka.Scan(t.Context(), r.producer, topic, end, func(record *kgo.Record) error {
		found++
		cut := ""
		for _, h := range record.Headers {
			if h.Key == streamflow.HeaderCut {
				cut = string(h.Value)
			}
		}
		if cut != "key value" || len(record.Value) < 900<<10 || !bytes.HasPrefix(value, record.Value) {
			t.Errorf("%d bytes, cut %q", len(record.Value), cut)
		}
		return nil
	})
	if err != nil || found != 1 {
		t.Fatalf("%d records, %v", found, err)
	}
}

// Records that were written before there were vectors tell of themselves, each,
// however far back that of a partition is.
func TestPositionsOfOlderRecords(t *testing.T) {
	r := newRig(t, 1)
	topic := kafkatest.Topic(t, "dlq")
	kafkatest.Create(t, r.producer, topic, 2)
	want := make(map[streamflow.Partition]int64)
	for i := range int64(300) {
		p := streamflow.Position{Topic: "ticks", Partition: int32(i % 2), Offset: i}
		if i < 20 {
			p.Topic = "events"
		}
		want[p.In()] = i
		record := &kgo.Record{Topic: topic, Partition: p.Partition, Headers: []kgo.RecordHeader{{Key: streamflow.HeaderPosition, Value: p.AppendTo(nil)}}}
		r.producer.Produce(t.Context(), record, nil)
	}
	if err := r.producer.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := bridge.NewDeadLetters(topic, r.open, nil)
	defer d.Close()
	got, err := d.Load(t.Context())
	if err != nil || !maps.Equal(got, want) {
		t.Fatalf("loaded %v, %v, want %v", got, err, want)
	}
	// From the first vector on its partition need not be read back; the other one has it, too, or none.
	to := maps.Clone(want)
	to[origin] = 1000
	if err := d.Commit(t.Context(), letters(1000, 1000), want, to); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Load(t.Context()); err != nil || !maps.Equal(got, to) {
		t.Fatalf("loaded %v, %v, want %v", got, err, to)
	}
}
