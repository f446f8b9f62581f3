package bridge_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/nats-io/nats.go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/bridge"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/kafka/kafkatest"
)

// secret is in every address of these tests, and must be nowhere in a stream.
const secret = "hush"

// eventsRig has topics for all routes.
type eventsRig struct {
	*rig
	events, users string
	mask          *streamflow.Mask
	sentEvents    map[streamflow.Position]*kgo.Record // and logins
}

func newEventsRig(t *testing.T, partitions int32) *eventsRig {
	t.Helper()
	r := &eventsRig{rig: newRig(t, partitions), sentEvents: make(map[streamflow.Position]*kgo.Record)}
	r.events, r.users = kafkatest.Topic(t, "events"), kafkatest.Topic(t, "user-events")
	kafkatest.Create(t, r.producer, r.events, partitions)
	kafkatest.Create(t, r.producer, r.users, partitions)
	var err error
	if r.mask, err = streamflow.NewMask([]byte("a key for a test")); err != nil {
		t.Fatal(err)
	}
	r.ensureEvents()
	return r
}

// ensureEvents makes stream EVENTS as all the others are.
func (r *eventsRig) ensureEvents() {
	r.t.Helper()
	streams := jetstream.Streams(jetstream.DefaultLimits)
	if slices.ContainsFunc(streams, func(c natsjs.StreamConfig) bool { return c.Name == streamflow.StreamEvents }) {
		return
	}
	c := streams[0]
	c.Name, c.Subjects = streamflow.StreamEvents, []string{streamflow.SubjectAllEvents, streamflow.SubjectEventCursors}
	nc, err := nats.Connect(r.nats.URL())
	if err != nil {
		r.t.Fatal(err)
	}
	defer nc.Close()
	js, err := natsjs.New(nc)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := js.CreateStream(r.t.Context(), c); err != nil {
		r.t.Fatal(err)
	}
}

// routes gives a bridge all routes.
func (r *eventsRig) routes(c *bridge.Config) {
	events := r.connect().Events()
	c.Mask = r.mask
	c.Routes = append(c.Routes,
		bridge.Route{Route: streamflow.EventRoute(r.events), Target: events},
		bridge.Route{Route: streamflow.UserEventRoute(r.users), Target: events})
}

// produce writes a record of an event topic.
func (r *eventsRig) produce(topic string, record *kgo.Record, reason streamflow.Reason) streamflow.Position {
	r.t.Helper()
	record.Topic = topic
	if err := r.producer.ProduceSync(r.t.Context(), record).FirstErr(); err != nil {
		r.t.Fatal(err)
	}
	p := streamflow.Position{Topic: topic, Partition: record.Partition, Offset: record.Offset}
	if reason != "" {
		r.bad[p] = reason
	} else {
		r.sentEvents[p] = record
	}
	return p
}

// arrived waits until the cursors of all topics are at the ends.
func (r *eventsRig) arrived() {
	r.t.Helper()
	r.mirrored()
	ends, err := kadm.NewClient(r.producer).ListCommittedOffsets(r.t.Context(), r.events, r.users)
	if err != nil {
		r.t.Fatal(err)
	}
	ends.Each(func(o kadm.ListedOffset) {
		p := streamflow.Partition{Topic: o.Topic, Number: o.Partition}
		r.until(fmt.Sprintf("the cursor of %v at %d", p, o.Offset), func() bool {
			cur, err := r.js.Events().Cursor(r.t.Context(), p)
			return err == nil && cur.Next >= o.Offset
		})
	})
}

func event(n int) []byte {
	return fmt.Appendf(nil, `{"event_id":"e-%d","type":"%s","price":%d.5,"timestamp":%d}`, n, []string{"view", "purchase"}[n%2], n, time.Now().Unix())
}

func login(n int, email string) []byte {
	return fmt.Appendf(nil, `{"user_id":"u-%d","user_email":%q,"type":"login","timestamp":%d}`, n, email, time.Now().Unix())
}

// One bridge carries all routes, and another one goes on where it was.
func TestRoutes(t *testing.T) {
	r := newEventsRig(t, 2)
	send := func(from, to int) {
		for i := from; i < to; i++ {
			partition := int32(i % 2)
			r.send(&kgo.Record{Partition: partition, Value: tick(i)}, "")
			r.produce(r.events, &kgo.Record{Partition: partition, Value: event(i), Key: []byte("any")}, "")
			r.produce(r.users, &kgo.Record{Partition: partition, Value: login(i, fmt.Sprintf("%s-%d@example.com", secret, i))}, "")
			if i%5 == 0 {
				r.produce(r.events, &kgo.Record{Partition: partition, Value: []byte("{}")}, streamflow.ReasonMissing)
				r.produce(r.users, &kgo.Record{Partition: partition, Value: login(i, secret)}, streamflow.ReasonUnparsable)
			}
		}
	}
	send(0, 20)
	a := r.bridge(r.routes)
	r.arrived()
	for _, topic := range []string{r.topic, r.events, r.users} {
		if n := a.metricOf(t, "messages_total", topic); n != 20 {
			t.Errorf("%v messages counted of %s, want 20", n, topic)
		}
	}
	_ = a.stop()
	send(20, 50)
	r.bridge(r.routes)
	r.arrived()
	r.checkEvents()
	r.checkLetters()
}

// metricOf returns the sum of a metric of a topic.
func (b *running) metricOf(t *testing.T, name, topic string) (sum float64) {
	t.Helper()
	families, err := b.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, label := range m.GetLabel() {
				if f.GetName() == "streamflow_bridge_"+name && label.GetName() == "topic" && label.GetValue() == topic {
					sum += m.GetCounter().GetValue()
				}
			}
		}
	}
	return sum
}

// checkEvents: every good event is in EVENTS once, in order, under its subject,
// and the logins are masked.
func (r *eventsRig) checkEvents() {
	r.t.Helper()
	got := r.read(streamflow.StreamEvents, streamflow.SubjectAllEvents)
	if len(got) != len(r.sentEvents) {
		r.t.Errorf("%d events, want %d", len(got), len(r.sentEvents))
	}
	for p, record := range r.sentEvents {
		m := got[p]
		want, kind := record.Value, "login"
		if p.Topic == r.users {
			e, err := streamflow.DecodeUserEvent(record.Value, streamflow.AnyTime)
			if err != nil {
				r.t.Fatal(err)
			}
			want = bytes.Replace(want, []byte(e.Email), []byte(r.mask.Text(e.Email)), 1)
		} else if e, err := streamflow.DecodeEvent(record.Value, streamflow.AnyTime); err == nil {
			kind = e.Type
		}
		if !bytes.Equal(m.Data, want) || m.Subject != streamflow.EventSubject(p.Topic, kind) {
			r.t.Errorf("%v is %s %s, want %s", p, m.Subject, m.Data, want)
		}
		if _, ok := streamflow.FindHop(m.Hops, streamflow.HopKafka); !ok {
			r.t.Errorf("%v has hops %q", p, m.Hops)
		}
	}
}

// checkLetters: every bad record is in DLQ once, for the right reason, and none
// of it, nor of what the sink brings back to Kafka, tells the secret.
func (r *eventsRig) checkLetters() map[streamflow.Position]streamflow.Message {
	r.t.Helper()
	letters := r.read(streamflow.StreamDeadLetters, streamflow.SubjectAllDeadLetters)
	if len(letters) != len(r.bad) {
		r.t.Errorf("%d dead letters, want %d", len(letters), len(r.bad))
	}
	var all []streamflow.Message
	to := make(map[streamflow.Partition]int64)
	for p, reason := range r.bad {
		m := letters[p]
		if len(m.Headers) == 0 || string(m.Headers[0].Value) != string(reason) {
			r.t.Errorf("%v: %+v, want %s", p, m.Headers, reason)
		}
		if text := strings.ToLower(fmt.Sprintf("%s %s", m.Data, m.Headers)); strings.Contains(text, secret) {
			r.t.Errorf("%v tells: %s", p, text)
		}
		all = append(all, m)
		to[p.In()] = max(to[p.In()], p.Offset)
	}
	topic := kafkatest.Topic(r.t, "dlq")
	kafkatest.Create(r.t, r.producer, topic, 1) // fewer than the topics have
	d := bridge.NewDeadLetters(topic, r.open, nil)
	defer d.Close()
	if _, err := d.Load(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if err := d.Commit(r.t.Context(), all, nil, to); err != nil {
		r.t.Fatal(err)
	}
	// Which waits until the topic shows what was committed.
	if back, err := d.Peek(r.t.Context()); err != nil || !maps.Equal(back, to) {
		r.t.Errorf("peeked %v, %v, want %v", back, err, to)
	}
	_, end, err := kafka.Marks(r.t.Context(), r.producer, topic)
	if err != nil {
		r.t.Fatal(err)
	}
	n := 0
	err = kafka.Scan(r.t.Context(), r.producer, topic, end, func(record *kgo.Record) error {
		n++
		if text := strings.ToLower(fmt.Sprintf("%s %s %s", record.Key, record.Value, record.Headers)); strings.Contains(text, secret) {
			r.t.Errorf("the topic tells: %s", text)
		}
		return nil
	})
	if err != nil || n != len(all) {
		r.t.Errorf("%d dead letters in the topic, want %d: %v", n, len(all), err)
	}
	return letters
}

// standard is a target with the limit that NATS has unless it is told otherwise.
type standard struct{ bridge.Target }

func (standard) MaxPayload() int { return 1 << 20 }

// A login that is refused must not tell the address, wherever it stands.
func TestRefusedLoginsTellNothing(t *testing.T) {
	r := newEventsRig(t, 1)
	r.bridge(r.routes, func(c *bridge.Config) { c.Letters = standard{c.Letters} })
	address := secret + "@example.com"
	good := string(login(1, address))
	whole := &kgo.Record{Value: []byte(strings.Replace(good, `"login"`, `"no type"`, 1)), Key: []byte(address),
		Headers: []kgo.RecordHeader{{Key: "email", Value: []byte(address)}, {Key: address}}}
	first := r.produce(r.users, whole, streamflow.ReasonUnparsable)
	for value, reason := range map[string]streamflow.Reason{
		good[1:]:           streamflow.ReasonNotJSON,
		good[:len(good)-1]: streamflow.ReasonNotJSON,
		strings.Replace(good[:30]+good[30:len(good)-1], "@", `\u0040`, 1): streamflow.ReasonNotJSON,
		address:                            streamflow.ReasonNotJSON,
		`"` + address + `"`:                streamflow.ReasonNotJSON,
		good + "\xff":                      streamflow.ReasonNotUTF8,
		good + strings.Repeat(" ", 64<<10): streamflow.ReasonTooLarge,
		strings.Replace(good, "user_email", "email", 1):                                       streamflow.ReasonMissing,
		strings.Replace(good, "user_id", "id", 1):                                             streamflow.ReasonMissing,
		strings.Replace(good, address, secret, 1):                                             streamflow.ReasonUnparsable,
		strings.Replace(good, `"`+address+`"`, `{"a":["`+secret+`"]}`, 1):                     streamflow.ReasonUnparsable,
		strings.Replace(good, address, address+`","user_email":"`+secret+` `, 1):              streamflow.ReasonUnparsable,
		strings.Replace(good, `"login"`, `"`+address+`"`, 1):                                  streamflow.ReasonUnparsable,
		strings.Replace(good, `"timestamp":1`, `"timestamp":9`, 1):                            streamflow.ReasonFuture,
		strings.Replace(good, `}`, `,"x":"`+strings.Repeat(secret[:1]+"@b ", 15_900)+`"}`, 1): streamflow.ReasonTooLarge,
	} {
		r.produce(r.users, &kgo.Record{Value: []byte(value)}, reason)
	}
	r.produce(r.users, &kgo.Record{Value: login(2, address)}, "")
	r.arrived()
	r.checkEvents()
	m := r.checkLetters()[first]
	e, err := streamflow.DecodeUserEvent(bytes.Replace(m.Data, []byte("no type"), []byte("login"), 1), streamflow.AnyTime)
	if err != nil || e.Email != r.mask.Text(address) {
		t.Errorf("the letter is %s: it should be as it was, but for the mask (%v)", m.Data, err)
	}
	headers := make(map[string]string)
	for _, h := range m.Headers {
		headers[h.Key] = string(h.Value)
	}
	if headers[streamflow.HeaderKey] != r.mask.Text(address) || headers[streamflow.HeaderCut] != "headers" {
		t.Errorf("its headers are %q", headers)
	}
}

// Without a key nothing is carried that should be masked.
func TestMaskNeedsAKey(t *testing.T) {
	r := newEventsRig(t, 1)
	b := r.bridge(r.routes, func(c *bridge.Config) { c.Mask = nil })
	if err := <-b.done; err == nil || !strings.Contains(err.Error(), "user_email") {
		t.Errorf("the bridge ends with %v", err)
	}
}

// A topic that is not there yet holds up no other.
func TestTopicComesLater(t *testing.T) {
	r := newEventsRig(t, 1)
	admin := kadm.NewClient(r.producer)
	if _, err := admin.DeleteTopics(t.Context(), r.users); err != nil {
		t.Fatal(err)
	}
	b := r.bridge(r.routes)
	r.send(&kgo.Record{Value: tick(1)}, "")
	r.produce(r.events, &kgo.Record{Value: event(1)}, "")
	r.until("the others", func() bool {
		return b.metricOf(t, "messages_total", r.events) == 1 && b.metricOf(t, "messages_total", r.topic) == 1
	})
	r.until("the topic", func() bool {
		_, err := admin.CreateTopic(t.Context(), 1, 1, nil, r.users)
		return err == nil // a real Kafka deletes in its own time
	})
	r.produce(r.users, &kgo.Record{Value: login(1, "a@b")}, "")
	r.arrived()
	r.checkEvents()
}
