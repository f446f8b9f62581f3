package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/bridge"
	"streamflow/infra/kafka/kafkatest"
)

// refused is one record for every reason.
var refused = []struct {
	reason     streamflow.Reason
	key, value string
}{
	{streamflow.ReasonTooLarge, "", strings.Repeat("x", streamflow.MaxTickBytes+1)},
	{streamflow.ReasonNotUTF8, "", "{\"symbol\":\"\xff\"}"},
	{streamflow.ReasonNotJSON, "", "{"},
	{streamflow.ReasonMissing, "", `{"symbol":"A","price":1,"volume":1}`},
	{streamflow.ReasonUnparsable, "", `{"symbol":"A","price":"x","volume":1,"timestamp":1}`},
	{streamflow.ReasonBadSymbol, "", `{"symbol":"A B","price":1,"volume":1,"timestamp":1}`},
	{streamflow.ReasonBadPrice, "", `{"symbol":"A","price":-1,"volume":1,"timestamp":1}`},
	{streamflow.ReasonBadVolume, "", `{"symbol":"A","price":1,"volume":1.5,"timestamp":1}`},
	{streamflow.ReasonFuture, "", `{"symbol":"A","price":1,"volume":1,"timestamp":4102444800}`},
	{streamflow.ReasonKeyMismatch, "B", `{"symbol":"A","price":1,"volume":1,"timestamp":1}`},
}

func TestRefusesForEveryReason(t *testing.T) {
	r := newRig(t, 1)
	for i, bad := range refused {
		r.send(&kgo.Record{Value: tick(i)}, "")
		r.send(&kgo.Record{Key: []byte(bad.key), Value: []byte(bad.value)}, bad.reason)
	}
	r.send(&kgo.Record{Key: []byte("BRK.B"), Value: []byte(`{"symbol":"BRK.B","price":1,"volume":1,"timestamp":1}`)}, "")
	b := r.bridge()
	r.mirrored()
	r.exact(0)
	if n := b.metric(t, "rejected_total"); n != float64(len(refused)) {
		t.Errorf("%v records counted as refused, want %d", n, len(refused))
	}
}

// What nobody should send must neither block the partition nor be lost.
func TestOddRecords(t *testing.T) {
	r := newRig(t, 1)
	odd := []kgo.RecordHeader{{Key: "", Value: nil}, {Key: "a\r\nNats-Batch-Id: x", Value: []byte{0, 0xff, '\r', '\n'}}, {Key: "a", Value: bytes.Repeat([]byte("é"), 100)}}
	garbage := bytes.Repeat([]byte{0, 0xfe, '\n', '"'}, 900<<10/4)
	nothing := r.send(&kgo.Record{Value: nil, Key: []byte("k\x00é&="), Headers: odd}, streamflow.ReasonNotJSON)
	r.send(&kgo.Record{Value: []byte{}}, streamflow.ReasonNotJSON)
	hugeKey := r.send(&kgo.Record{Key: bytes.Repeat([]byte{0xff}, 100<<10), Value: tick(1)}, streamflow.ReasonKeyMismatch)
	hugeHeader := r.send(&kgo.Record{Value: []byte("x"), Headers: []kgo.RecordHeader{{Key: "h", Value: garbage[:90<<10]}}}, streamflow.ReasonNotJSON)
	for range 3 {
		r.send(&kgo.Record{Value: garbage}, streamflow.ReasonTooLarge)
	}
	r.send(&kgo.Record{Value: tick(1), Headers: odd}, "")
	r.bridge()
	r.mirrored()
	r.exact(0)
	letters := r.read(streamflow.StreamDeadLetters, streamflow.SubjectAllDeadLetters)
	text := func(p streamflow.Position, key string) string {
		for _, h := range letters[p].Headers {
			if h.Key == key {
				return string(h.Value)
			}
		}
		return ""
	}
	if key, _ := url.QueryUnescape(text(nothing, streamflow.HeaderKey)); key != "k\x00é&=" {
		t.Errorf("key is %q", key)
	}
	got := streamflow.UnescapeHeaders(text(nothing, streamflow.HeaderHeaders))
	if len(got) != len(odd) || got[1].Key != odd[1].Key || !bytes.Equal(got[1].Value, odd[1].Value) || !bytes.Equal(got[2].Value, odd[2].Value) {
		t.Errorf("headers are %q", got)
	}
	if cut := text(hugeKey, streamflow.HeaderCut); cut != "key" {
		t.Errorf("cut of the huge key is %q", cut)
	}
	if cut := text(hugeHeader, streamflow.HeaderCut); cut != "headers" {
		t.Errorf("cut of the huge header is %q", cut)
	}
}

// Bridges come and go while records are written.
func TestBridgesShareAndRebalance(t *testing.T) {
	const partitions = 6
	r := newRig(t, partitions)
	stop := make(chan struct{})
	written := make(chan struct{})
	go func() {
		defer close(written)
		pause := time.Duration(0)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20*time.Millisecond + pause):
				began := time.Now()
				r.load(120, partitions)
				pause = 5 * time.Since(began) // a busy machine needs its time for the bridges
			}
		}
	}()
	a := r.bridge()
	r.until("the first bridge works", func() bool { return a.metric(t, "messages_total") > 0 })
	b := r.bridge()
	r.until("the second bridge works", func() bool { return b.metric(t, "messages_total") > 0 })
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	c := r.bridge(func(c *bridge.Config) { c.Batch = 7 })
	r.until("the third bridge works", func() bool { return c.metric(t, "messages_total") > 0 })
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	r.bridge()
	close(stop)
	<-written
	r.mirrored()
	r.exact(0)
}

func TestNATSAwayAndBack(t *testing.T) {
	r := newRig(t, 2)
	b := r.bridge()
	r.load(100, 2)
	r.until("ticks", func() bool { return b.metric(t, "messages_total") > 0 })
	u, err := url.Parse(r.nats.URL())
	if err != nil {
		t.Fatal(err)
	}
	_ = r.nats.Close()
	r.load(3000, 2)
	r.until("the bridge notices", func() bool { return b.metric(t, "failures_total") > 0 })
	if conn, err := net.Dial("tcp", u.Host); err == nil {
		conn.Close()
		t.Fatal("NATS is still there")
	}
	r.startNATS(u.Host)
	r.mirrored()
	r.exact(0)
}

func TestRetentionPassedTheCursor(t *testing.T) {
	r := newRig(t, 1)
	b := r.bridge()
	r.load(10, 1)
	r.mirrored()
	_ = b.stop()
	r.load(40, 1)
	offsets := kadm.Offsets{}
	offsets.AddOffset(r.topic, 0, 25, -1)
	if _, err := kadm.NewClient(r.producer).DeleteRecords(t.Context(), offsets); err != nil {
		t.Fatal(err)
	}
	for p := range r.sent {
		if p.Offset >= 10 && p.Offset < 25 {
			delete(r.sent, p)
		}
	}
	b = r.bridge()
	r.mirrored()
	r.exact(0)
	if n := b.metric(t, "missed_total"); n != 15 {
		t.Errorf("%v records counted as missed, want 15", n)
	}
}

// The new topic may be shorter than the cursor, or longer, whether the cursor was
// written behind the last ticks or stands before them.
func TestTopicMadeAnewStopsTheBridge(t *testing.T) {
	for name, n := range map[string]struct{ before, after int }{"shorter": {20, 0}, "longer": {20, 50}, "longer than few": {3, 50}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1)
			b := r.bridge()
			r.load(n.before, 1)
			r.mirrored()
			_ = b.stop()
			admin := kadm.NewClient(r.producer)
			if _, err := admin.DeleteTopics(t.Context(), r.topic); err != nil {
				t.Fatal(err)
			}
			r.until("the topic made anew", func() bool {
				_, err := admin.CreateTopic(t.Context(), 1, 1, nil, r.topic)
				return err == nil // a real Kafka deletes in its own time
			})
			if n.after > 0 {
				// With a client that has not seen the topic before.
				r.producer = kafkatest.Client(t, r.brokers, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(r.topic))
				r.load(n.after, 1)
			}
			b = r.bridge()
			select {
			case err := <-b.done:
				var lost *bridge.LostTopicError
				if !errors.As(err, &lost) || lost.Next != int64(n.before) || !strings.Contains(err.Error(), "streamflow rebuild") {
					t.Fatalf("the bridge ends with %v, want a LostTopicError at %d", err, n.before)
				}
			case <-time.After(3 * time.Minute):
				t.Fatal("the bridge goes on")
			}
		})
	}
}

// The bridge runs while the topic is made anew, and is longer at once.
func TestTopicMadeAnewBeforeOurEyes(t *testing.T) {
	r := newRig(t, 1)
	b := r.bridge()
	r.load(20, 1)
	r.mirrored()
	admin := kadm.NewClient(r.producer)
	if _, err := admin.DeleteTopics(t.Context(), r.topic); err != nil {
		t.Fatal(err)
	}
	r.until("the topic made anew", func() bool {
		_, err := admin.CreateTopic(t.Context(), 1, 1, nil, r.topic)
		return err == nil
	})
	r.producer = kafkatest.Client(t, r.brokers, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(r.topic))
	r.load(50, 1)
	select {
	case err := <-b.done:
		var lost *bridge.LostTopicError
		if !errors.As(err, &lost) {
			t.Fatalf("the bridge ends with %v, want a LostTopicError", err)
		}
	case <-time.After(3 * time.Minute):
		t.Fatal("the bridge goes on")
	}
}

// Aborted records are never seen, and the marks of transactions hold nothing up.
func TestTransactions(t *testing.T) {
	r := newRig(t, 1)
	r.bridge()
	client, err := r.open(t.Context(), kgo.TransactionalID(r.topic), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(r.topic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for round := range 6 {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		records := make([]*kgo.Record, 30)
		for i := range records {
			records[i] = &kgo.Record{Value: tick(i)}
		}
		if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
			t.Fatal(err)
		}
		commit := kgo.TransactionEndTry(round%2 == 0)
		if err := client.EndTransaction(t.Context(), commit); err != nil {
			t.Fatal(err)
		}
		for _, record := range records {
			if commit {
				r.note(record, "")
			}
		}
	}
	r.mirrored() // to the mark of the last, aborted, transaction
	r.exact(0)
}

// The cursor is gone; what stands in the stream tells how far the bridge was.
func TestCursorDeleted(t *testing.T) {
	r := newRig(t, 1)
	b := r.bridge()
	r.load(500, 1)
	r.mirrored()
	_ = b.stop()
	nc, err := nats.Connect(r.nats.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for stream, subject := range map[string]string{
		streamflow.StreamTicks: streamflow.CursorSubject(r.topic, 0), streamflow.StreamDeadLetters: streamflow.DeadLetterCursorSubject(r.topic, 0),
	} {
		if _, err := nc.Request("$JS.API.STREAM.PURGE."+stream, fmt.Appendf(nil, `{"filter":%q}`, subject), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	r.load(50, 1)
	r.bridge()
	r.mirrored()
	r.exact(0)
}

// dying is a target whose commits fail for ever, as if the bridge were killed
// before them.
type dying struct{ bridge.Target }

func (dying) Commit(context.Context, streamflow.Partition, []streamflow.Message, streamflow.Cursor) (uint64, error) {
	return 0, errors.New("killed")
}

// A record may be too far ahead of the clock for the first bridge and not for
// the next one. It must not become both a dead letter and a tick.
func TestVerdictStands(t *testing.T) {
	r := newRig(t, 1)
	ahead := time.Now().Add(streamflow.MaxAhead + 20*time.Second) // a busy machine takes some to see it
	r.send(&kgo.Record{Value: tick(1)}, "")
	r.send(&kgo.Record{Value: fmt.Appendf(nil, `{"symbol":"A","price":1,"volume":1,"timestamp":%d}`, ahead.UnixMilli())}, streamflow.ReasonFuture)
	r.send(&kgo.Record{Value: tick(2)}, "")
	a := r.bridge(func(c *bridge.Config) { c.Routes[0].Target = dying{c.Routes[0].Target} })
	r.until("the dead letter", func() bool { return a.metric(t, "rejected_total") > 0 })
	_ = a.stop()
	r.until("the time at which it is no longer too far ahead", func() bool { return time.Until(ahead) < streamflow.MaxAhead })
	r.bridge()
	r.mirrored()
	r.exact(0)
}
