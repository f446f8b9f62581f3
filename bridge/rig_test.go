package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/bridge"
	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka/kafkatest"
)

// rig is a Kafka, a NATS and a topic for one test.
type rig struct {
	t        *testing.T
	brokers  []string
	topic    string
	nats     *embedded.NATS
	dir      string
	js       *jetstream.Client
	producer *kgo.Client
	mu       sync.Mutex
	sent     map[streamflow.Position]*kgo.Record
	bad      map[streamflow.Position]streamflow.Reason
}

func newRig(t *testing.T, partitions int32) *rig {
	t.Helper()
	t.Parallel() // most of them wait: for a session to end, for a server to come back
	r := &rig{
		t: t, brokers: kafkatest.Start(t), topic: kafkatest.Topic(t, "ticks"), dir: t.TempDir(),
		sent: make(map[streamflow.Position]*kgo.Record), bad: make(map[streamflow.Position]streamflow.Reason),
	}
	r.producer = kafkatest.Client(t, r.brokers, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(r.topic))
	kafkatest.Create(t, r.producer, r.topic, partitions)
	r.startNATS("127.0.0.1:0")
	t.Cleanup(func() { _ = r.nats.Close() })
	r.js = r.connect()
	if _, err := r.js.Ensure(t.Context(), jetstream.DefaultLimits); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) startNATS(addr string) {
	r.t.Helper()
	server, err := embedded.StartNATS(embedded.NATSConfig{Addr: addr, Dir: r.dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.t.Fatal(err)
	}
	r.nats = server
}

func (r *rig) connect() *jetstream.Client {
	r.t.Helper()
	js, err := jetstream.Connect(r.nats.URL(), r.t.Name(), slog.New(slog.DiscardHandler))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(js.Close)
	return js
}

// running is a bridge that runs.
type running struct {
	stop    func() error // ends it and returns what Run returned
	done    <-chan error
	metrics *prometheus.Registry
}

// bridge starts a bridge with a connection of its own; change alters its
// configuration.
func (r *rig) bridge(change ...func(*bridge.Config)) *running {
	r.t.Helper()
	js, registry := r.connect(), prometheus.NewRegistry()
	c := bridge.Config{
		Routes: []bridge.Route{{Route: streamflow.TickRoute(r.topic), Target: js.Ticks()}}, Group: r.topic, Letters: js.DeadLetters(),
		Connect: r.open, Logger: slog.New(slog.NewTextHandler(testLog{r.t}, nil)), Metrics: bridge.NewMetrics(registry),
	}
	for _, f := range change {
		f(&c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- bridge.New(c).Run(ctx); close(done) }()
	stop := sync.OnceValue(func() error { cancel(); return <-done })
	r.t.Cleanup(func() { _ = stop() })
	return &running{stop: stop, done: done, metrics: registry}
}

// open opens a client of the rig's Kafka.
func (r *rig) open(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error) {
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(r.brokers...), kgo.MetadataMinAge(50 * time.Millisecond)}, opts...)...)
	if err != nil {
		return nil, err
	}
	if err := client.Ping(ctx); err != nil {
		go client.Close()
		return nil, err
	}
	return client, nil
}

// testLog writes a log to the test's.
type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	if l.t.Context().Err() == nil { // a test that has ended takes no more
		l.t.Log(string(bytes.TrimSpace(b)))
	}
	return len(b), nil
}

// metric returns the sum of a metric of a bridge.
func (b *running) metric(t *testing.T, name string) (sum float64) {
	t.Helper()
	families, err := b.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "streamflow_bridge_"+name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// tick is the n-th good tick.
func tick(n int) []byte {
	return fmt.Appendf(nil, `{"symbol":"S%d","price":%d.5,"volume":%d,"timestamp":%d}`, n%7, n%1000+1, n, time.Now().Unix())
}

// send writes one record and waits for it. reason is "" for a good one.
func (r *rig) send(record *kgo.Record, reason streamflow.Reason) streamflow.Position {
	r.t.Helper()
	if err := r.producer.ProduceSync(r.t.Context(), record).FirstErr(); err != nil {
		r.t.Fatal(err)
	}
	return r.note(record, reason)
}

func (r *rig) note(record *kgo.Record, reason streamflow.Reason) streamflow.Position {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := streamflow.Position{Topic: r.topic, Partition: record.Partition, Offset: record.Offset}
	r.sent[p] = record
	if reason != "" {
		r.bad[p] = reason
	}
	return p
}

// load writes n records over the partitions, every tenth of them bad.
func (r *rig) load(n int, partitions int32) {
	r.t.Helper()
	for i := range n {
		record, reason := &kgo.Record{Partition: int32(i) % partitions, Value: tick(i)}, streamflow.Reason("")
		if i%10 == 3 {
			record.Value, reason = []byte(strconv.Itoa(i)), streamflow.ReasonNotJSON
		}
		r.producer.Produce(r.t.Context(), record, func(record *kgo.Record, err error) {
			if err != nil {
				r.t.Errorf("produce: %v", err)
				return
			}
			r.note(record, reason)
		})
	}
	if err := r.producer.Flush(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// until polls what happens in servers and other clients.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("%s: not in time", what)
		}
	}
}

// mirrored waits until the cursors have come to the ends of the partitions.
func (r *rig) mirrored() {
	r.t.Helper()
	ends, err := kadm.NewClient(r.producer).ListCommittedOffsets(r.t.Context(), r.topic)
	if err = errors.Join(err, ends.Error()); err != nil {
		r.t.Fatal(err)
	}
	ends.Each(func(o kadm.ListedOffset) {
		r.until(fmt.Sprintf("the cursor of partition %d at %d", o.Partition, o.Offset), func() bool {
			cur, err := r.js.Ticks().Cursor(r.t.Context(), streamflow.Partition{Topic: r.topic, Number: o.Partition})
			return err == nil && cur.Next >= o.Offset
		})
	})
}

// exact checks that what was sent from the offsets of from on is in the streams,
// each once, in order and as it was.
func (r *rig) exact(from int64) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	ticks := r.read(streamflow.StreamTicks, streamflow.SubjectAllTicks)
	letters := r.read(streamflow.StreamDeadLetters, streamflow.SubjectAllDeadLetters)
	wantTicks, wantLetters := 0, 0
	for p, record := range r.sent {
		if p.Offset < from {
			continue
		}
		reason, bad := r.bad[p]
		where, want := ticks, &wantTicks
		if bad {
			where, want = letters, &wantLetters
		}
		*want++
		m, ok := where[p]
		switch {
		case !ok:
			r.t.Errorf("%v is missing", p)
		case !bytes.Equal(m.Data, record.Value):
			r.t.Errorf("%v has other bytes: %.40q", p, m.Data)
		case bad && string(m.Headers[0].Value) != string(reason):
			r.t.Errorf("%v was refused for %s, want %s", p, m.Headers[0].Value, reason)
		}
	}
	if len(ticks) != wantTicks || len(letters) != wantLetters {
		r.t.Errorf("%d ticks and %d dead letters, want %d and %d", len(ticks), len(letters), wantTicks, wantLetters)
	}
}

// read reads a stream; it fails the test where a position comes twice, or not
// above the one before, or with a wrong idea of the one before.
func (r *rig) read(stream, filter string) map[streamflow.Position]streamflow.Message {
	r.t.Helper()
	all, last := make(map[streamflow.Position]streamflow.Message), make(map[streamflow.Partition]int64)
	err := r.js.Scan(r.t.Context(), stream, filter, false, func(m *streamflow.Message) error {
		before, any := last[m.Position.In()]
		if !any {
			before = -1
		}
		if m.Position.Offset <= before || m.Previous != before {
			r.t.Errorf("%s: %v says it follows %d, it follows %d", stream, m.Position, m.Previous, before)
		}
		last[m.Position.In()] = m.Position.Offset
		copied := *m
		copied.Data = bytes.Clone(m.Data)
		all[m.Position] = copied
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}
