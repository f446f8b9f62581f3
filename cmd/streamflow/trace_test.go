//go:build unix

package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/twmb/franz-go/pkg/kgo"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"

	"streamflow"
)

// tracedWorld is the system as processes, all of which trace.
type tracedWorld struct {
	*world
	collector *collectorOf
	client    *kgo.Client
	api       string // URL
	sampler   streamflow.Sampler
	parts     []*child // which trace
}

const tracedShare = 0.5

func newTracedWorld(t *testing.T) *tracedWorld {
	t.Helper()
	w := &tracedWorld{world: newWorld(t), collector: newCollector(t), sampler: streamflow.NewSampler(tracedShare)}
	addr := freeAddr(t)
	w.api = "http://" + addr
	w.further = []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + w.collector.URL, fmt.Sprintf("TRACE_SAMPLE=%v", tracedShare), "OTEL_BSP_SCHEDULE_DELAY=200", "HTTP_ADDR=" + addr,
	}
	w.servers()
	rules := filepath.Join(w.dir, "rules.json")
	if err := os.WriteFile(rules, []byte(`[{"id":"high","symbol":"TRACE","when":"price > 100"}]`), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, code := w.run("rules", "put", rules); code != 0 {
		t.Fatalf("rules put: %s", out)
	}
	w.parts = []*child{
		w.start(kindBridge, kindBridge), w.start("worker", "steps", "candles", "indicators", "alerts"),
		w.start("worker", "rows", "archive", "archive-alerts"), w.start("worker", "back", "reverse-alerts", "reverse-candles"), w.start("api", "api"),
	}
	w.await("the API", 2*time.Minute, func() bool { return ready(w.api+"/ready") == nil })
	var err error
	if w.client, err = kgo.NewClient(kgo.SeedBrokers(w.kafka), kgo.RecordPartitioner(kgo.ManualPartitioner())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	return w
}

// listen reads what a websocket client is sent, until the test ends.
func (w *tracedWorld) listen(subjects ...string) {
	w.t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial(strings.Replace(w.api, "http", "ws", 1)+"/ws", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.WriteJSON(map[string]any{"subscribe": subjects}); err != nil {
		w.t.Fatal(err)
	}
	if _, _, err := conn.ReadMessage(); err != nil { // the answer
		w.t.Fatal(err)
	}
	go func() {
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
}

// send writes one record to partition 0 and returns it with its offset.
func (w *tracedWorld) send(value string, headers ...kgo.RecordHeader) *kgo.Record {
	w.t.Helper()
	r := &kgo.Record{Topic: streamflow.TopicTicks, Key: []byte("TRACE"), Value: []byte(value), Headers: headers}
	if err := w.client.ProduceSync(w.t.Context(), r).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
	return r
}

// traceOf is the trace that a record must have, by nothing but the record.
func (w *tracedWorld) traceOf(r *kgo.Record) (streamflow.Trace, bool) {
	return w.sampler.Trace(&streamflow.Message{
		Position: positionOf(r), Hops: string(streamflow.AppendHop(nil, streamflow.HopKafka, r.Timestamp)),
	})
}

func positionOf(r *kgo.Record) streamflow.Position {
	return streamflow.Position{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}
}

// A tick shows up as one trace, of which each process has told its piece; what
// is not sampled shows nothing, and what its producer traces goes on with that.
func TestTraces(t *testing.T) {
	w := newTracedWorld(t)
	w.listen("ticks.TRACE", "candles.*.TRACE", "alerts.TRACE")
	const high, foreign = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-5bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
	began := time.Now().Add(-3 * time.Hour).Truncate(time.Minute)
	var sent []*kgo.Record
	var continued, refused *kgo.Record
	for i := 0; len(sent) < 40 || continued == nil || refused == nil; i++ {
		// Each tick stands in a minute of its own, so it closes the candle before, and
		// every other one is high, so it raises an alert.
		value := fmt.Sprintf(`{"symbol":"TRACE","price":%d,"volume":1,"timestamp":%d}`, 50+i%2*100, began.Add(time.Duration(i)*time.Minute).Unix())
		_, sampled := w.sampler.Trace(&streamflow.Message{
			Position: streamflow.Position{Topic: streamflow.TopicTicks, Offset: int64(i)}, Hops: "kafka=1;",
		})
		header := func(value string) kgo.RecordHeader {
			return kgo.RecordHeader{Key: streamflow.HeaderTraceparent, Value: []byte(value)}
		}
		switch {
		case continued == nil && i > 4 && i%2 == 1 && !sampled:
			continued = w.send(value, header(high))
		case refused == nil && i > 4 && sampled:
			refused = w.send("no tick")
		default:
			sent = append(sent, w.send(value, header(foreign)))
		}
		time.Sleep(20 * time.Millisecond) // so that not all of them are in one batch
	}
	var traced, silent []*kgo.Record
	for _, r := range sent {
		if _, ok := w.traceOf(r); ok {
			traced = append(traced, r)
		} else {
			silent = append(silent, r)
		}
	}
	if len(traced) < 8 || len(silent) < 8 {
		t.Fatalf("%d ticks are traced and %d not: this shows nothing", len(traced), len(silent))
	}
	for _, r := range traced {
		trace, _ := w.traceOf(r)
		w.complete(trace, r)
	}
	w.tell(continued, w.continued(continued))
	w.refused(refused)
	for _, r := range silent {
		if list := w.collector.about(positionOf(r)); len(list) > 0 {
			t.Errorf("%v is not sampled, and has %d spans, such as %s", positionOf(r), len(list), list[0].GetName())
		}
	}
	w.carried(traced, silent)
	w.journeys(traced[0], silent[0])
	w.posted()
}

// complete waits for all spans of a tick, and checks how they hang together.
func (w *tracedWorld) complete(trace streamflow.Trace, r *kgo.Record) []gotSpan {
	w.t.Helper()
	want := []string{
		"kafka", "bridge", "candles", "candles.step", "indicators", "indicators.step", "alerts", "alerts.step", "archive", "archive.commit", "api", "websocket",
	}
	if strings.Contains(string(r.Value), `"price":150`) {
		want = append(want, "alerts.commit", "archive-alerts", "archive-alerts.commit", "reverse-alerts", "reverse-alerts.commit")
	}
	if r.Offset > 0 { // there is a candle that it closes
		want = append(want, "candles.commit", "reverse-candles", "reverse-candles.commit")
	}
	var list []gotSpan
	w.await(fmt.Sprintf("the spans of %v", positionOf(r)), 2*time.Minute, func() bool {
		list = w.collector.of(trace.ID)
		wanted := slices.DeleteFunc(named(list, "api"), func(s gotSpan) bool { return s.number("streamflow.sessions") == 0 })
		return has(list, want...) == "" && len(named(list, "websocket")) == len(wanted)
	}, func() string { return "missing: " + has(list, want...) })
	byID, parents := make(map[[8]byte]gotSpan), make(map[string]string)
	instances := make(map[string]bool)
	for _, s := range list {
		byID[s.id()] = s
		instances[s.instance] = true
	}
	if len(byID) != len(list) {
		w.t.Errorf("%v: %d spans have %d IDs", positionOf(r), len(list), len(byID))
	}
	if r.Offset > 0 && len(instances) != len(w.parts) {
		w.t.Errorf("%v: %d processes tell of it, want %d", positionOf(r), len(instances), len(w.parts))
	}
	for _, s := range list {
		if s.end().Before(s.start()) {
			w.t.Errorf("%v: %s ends before it starts", positionOf(r), s.GetName())
		}
		if s.GetName() == "kafka" {
			continue
		}
		parent, ok := byID[s.parent()]
		if !ok {
			w.t.Errorf("%v: %s has a parent that nobody has told of", positionOf(r), s.GetName())
			continue
		}
		name := s.GetName()
		if to := s.text("messaging.destination.name"); name == "api" {
			name += " " + to
		}
		parents[name] = parent.GetName()
		if s.start().Before(parent.start()) {
			w.t.Errorf("%v: %s starts %v before its parent %s", positionOf(r), s.GetName(), parent.start().Sub(s.start()), parent.GetName())
		}
	}
	for child, parent := range map[string]string{
		"bridge": "kafka", "candles": "bridge", "indicators": "bridge", "alerts": "bridge", "archive": "bridge", "api ticks.TRACE": "bridge",
		"candles.step": "candles", "candles.commit": "candles", "alerts.commit": "alerts", "archive.commit": "archive", "websocket": "api",
		"archive-alerts": "alerts", "reverse-alerts": "alerts", "reverse-candles": "candles", "reverse-alerts.commit": "reverse-alerts",
		"api alerts.TRACE": "alerts", "api candles.1m.TRACE": "candles",
	} {
		if got, ok := parents[child]; ok && got != parent {
			w.t.Errorf("%v: the parent of %s is %s, want %s", positionOf(r), child, got, parent)
		}
	}
	w.times(r, list)
	return list
}

// times holds spans against what is known otherwise.
func (w *tracedWorld) times(r *kgo.Record, list []gotSpan) {
	w.t.Helper()
	kafka, bridge := named(list, "kafka")[0], named(list, "bridge")[0]
	if !kafka.start().Equal(r.Timestamp.Truncate(time.Millisecond)) || !kafka.end().Equal(bridge.start()) {
		w.t.Errorf("%v was produced at %v: span kafka from %v to %v, bridge from %v", positionOf(r), r.Timestamp, kafka.start(), kafka.end(), bridge.start())
	}
	for name, service := range map[string]string{"bridge": "streamflow-bridge", "alerts": "streamflow-worker", "api": "streamflow-api"} {
		if got := named(list, name)[0].service; got != service {
			w.t.Errorf("%s is of service %q, want %q", name, got, service)
		}
	}
	if got := kafka.number("messaging.kafka.offset"); got != r.Offset {
		w.t.Errorf("offset %d, want %d", got, r.Offset)
	}
}

// continued checks the tick that its producer has traced.
func (w *tracedWorld) continued(r *kgo.Record) []gotSpan {
	w.t.Helper()
	id, parent, ok := streamflow.ParseTraceparent(string(r.Headers[0].Value))
	if !ok {
		w.t.Fatal("the test's own traceparent is no good")
	}
	list := w.complete(streamflow.Trace{ID: id, Origin: positionOf(r)}, r)
	if kafka := named(list, "kafka")[0]; !kafka.of(parent) {
		w.t.Errorf("the first span hangs at %x, want the producer's %x", kafka.parent(), parent)
	}
	return list
}

// tell prints a trace, as people see it.
func (w *tracedWorld) tell(r *kgo.Record, list []gotSpan) {
	first := named(list, "kafka")[0]
	var b strings.Builder
	var below func(s gotSpan, depth int)
	below = func(s gotSpan, depth int) {
		fmt.Fprintf(&b, "%8.2f ms %7.2f ms  %s%s %s\n", s.start().Sub(first.start()).Seconds()*1000, s.end().Sub(s.start()).Seconds()*1000,
			strings.Repeat("  ", depth), s.GetName(), s.text("messaging.destination.name"))
		for _, child := range list {
			if child.of(s.id()) {
				below(child, depth+1)
			}
		}
	}
	slices.SortFunc(list, func(a, b gotSpan) int { return a.start().Compare(b.start()) })
	below(first, 0)
	w.t.Logf("the trace of %v: each span's start and length\n%s", positionOf(r), b.String())
}

// refused checks the record that is no tick.
func (w *tracedWorld) refused(r *kgo.Record) {
	w.t.Helper()
	trace, _ := w.traceOf(r)
	var list []gotSpan
	w.await("the spans of what was refused", 2*time.Minute, func() bool {
		list = w.collector.of(trace.ID)
		return has(list, "bridge", "api") == ""
	})
	status := named(list, "bridge")[0].GetStatus()
	if status.GetCode() != spans.Status_STATUS_CODE_ERROR || status.GetMessage() == "" {
		w.t.Errorf("the bridge has refused it, and its span says %v", status)
	}
}

// carried checks the headers of the results in Kafka.
func (w *tracedWorld) carried(traced, silent []*kgo.Record) {
	w.t.Helper()
	want := make(map[string]streamflow.TraceID) // by position
	for _, r := range traced {
		trace, _ := w.traceOf(r)
		want[positionOf(r).String()] = trace.ID
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(w.kafka), kgo.ConsumeTopics(streamflow.TopicAlerts), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	with, without := 0, 0
	for with == 0 || without == 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			w.t.Fatalf("%d results carry a trace and %d do not: %v", with, without, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			headers := make(map[string]string)
			for _, h := range r.Headers {
				headers[h.Key] = string(h.Value)
			}
			at, value := headers[streamflow.HeaderPosition], headers[streamflow.HeaderTraceparent]
			if slices.ContainsFunc(silent, func(r *kgo.Record) bool { return positionOf(r).String() == at }) {
				if without++; value != "" {
					w.t.Errorf("the alert of %s, which is not traced, carries %s", at, value)
				}
			}
			id, ok := want[at]
			if !ok {
				return
			}
			with++
			got, parent, ok := streamflow.ParseTraceparent(value)
			back := named(w.collector.of(id), "reverse-alerts")
			if !ok || got != id || len(back) == 0 || back[0].id() != parent {
				w.t.Errorf("the alert of %s carries %q; its trace is %x", at, value, id)
			}
		})
	}
}

// journeys checks that the API tells the ID of a trace where there is one.
func (w *tracedWorld) journeys(traced, silent *kgo.Record) {
	w.t.Helper()
	trace, _ := w.traceOf(traced)
	for r, want := range map[*kgo.Record]string{traced: hex.EncodeToString(trace.ID[:]), silent: ""} {
		resp, err := http.Get(w.api + "/api/journey/" + positionOf(r).String())
		if err != nil {
			w.t.Fatal(err)
		}
		var j struct{ TraceID string }
		err = json.NewDecoder(resp.Body).Decode(&j)
		resp.Body.Close()
		if err != nil || j.TraceID != want {
			w.t.Errorf("journey of %v: trace %q (%v), want %q", positionOf(r), j.TraceID, err, want)
		}
	}
}

// A collector that takes connections and never answers holds nothing up: ticks
// come through, spans are dropped and counted, the log says so once, and the
// process ends when it is told to.
func TestTracesDeadCollector(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	w := newWorld(t)
	metrics := freeAddr(t)
	w.further = []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + ln.Addr().String(), "TRACE_SAMPLE=1", "OTEL_BSP_SCHEDULE_DELAY=100", "OTEL_BSP_MAX_QUEUE_SIZE=100",
		"OTEL_BSP_EXPORT_TIMEOUT=1000", "METRICS_ADDR=" + metrics,
	}
	w.servers()
	bridge := w.start(kindBridge, kindBridge)
	client, err := kgo.NewClient(kgo.SeedBrokers(w.kafka))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const n = 20_000
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = &kgo.Record{Topic: streamflow.TopicTicks, Value: fmt.Appendf(nil, `{"symbol":"S%d","price":1,"volume":1,"timestamp":%d}`, i%50, time.Now().Unix())}
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	figure := func(name string) (value float64) {
		resp, err := http.Get("http://" + metrics + "/metrics")
		if err != nil {
			return 0
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		for line := range strings.Lines(string(text)) {
			if series, number, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(series, name) {
				var v float64
				_, _ = fmt.Sscan(number, &v)
				value += v
			}
		}
		return value
	}
	took := w.await("all ticks in JetStream", 2*time.Minute, func() bool { return figure("streamflow_bridge_messages_total") == n })
	t.Logf("%d ticks, each of them traced to a dead collector, were mirrored within %s", n, took.Round(time.Millisecond))
	w.await("dropped spans, of both reasons", 2*time.Minute, func() bool {
		return figure(`streamflow_trace_spans_dropped_total{reason="queue_full"}`) > n && figure(`streamflow_trace_spans_dropped_total{reason="not_taken"}`) > 0
	})
	time.Sleep(2 * time.Second) // for a second warning, which must not come
	start := time.Now()
	bridge.stop(syscall.SIGTERM)
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	log, err := os.ReadFile(bridge.logName())
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(log), "traces are not taken"); got != 1 {
		t.Errorf("the log warns %d times, want once:\n%s", got, log)
	}
}
