package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/infra/kafka"
)

// is reports whether a check came to a verdict, with words in what was found and
// in what to do.
func (d *diagnosis) is(check string, v verdict, found, do string) bool {
	for _, f := range d.Findings {
		if f.Check == check && f.Verdict == v && strings.Contains(f.Found, found) && strings.Contains(f.Do, do) {
			return true
		}
	}
	return false
}

// says fails the test unless the report says it.
func (w *ward) says(d *diagnosis, check string, v verdict, found, do string) {
	w.t.Helper()
	if !d.is(check, v, found, do) {
		w.t.Errorf("no finding %q %s with %q and what to do %q in:\n%s", check, v, found, do, d.text())
	}
}

func (d *diagnosis) text() string {
	var b bytes.Buffer
	_ = d.print(&b)
	return b.String()
}

// until examines again and again until the report is as wanted.
func (w *ward) until(what string, c *doctorCmd, is func(*diagnosis) bool) *diagnosis {
	w.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; {
		d := c.examine(w.t.Context())
		if is(d) {
			return d
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s: after two minutes the report is:\n%s", what, d.text())
		}
	}
}

// TestDoctor makes each fault for real, and wants it named with the way out.
func TestDoctor(t *testing.T) {
	w := newWard(t)
	c := w.doctor()

	d := c.examine(t.Context())
	w.says(d, "bridge", verdictFail, "has no members", "streamflow bridge")
	w.says(d, "workers", verdictFail, "no worker runs candles, indicators, ", "streamflow worker")

	// Only the archive is not there.
	stopBridge := w.bridge()
	var names []string
	for _, e := range registry {
		if e.name != streamflow.FunctionArchive && e.state == streamflow.StateRunning {
			names = append(names, e.name)
		}
	}
	w.worker(names...)
	w.send(100)
	d = w.until("all but the archive", c, func(d *diagnosis) bool {
		return d.is("bridge", verdictOK, "nothing waits", "") && d.is("functions", verdictOK, fmt.Sprintf("%d of %d", len(names), len(names)+1), "")
	})
	w.says(d, "workers", verdictFail, "no worker runs archive", "streamflow functions stop archive")

	w.worker(streamflow.FunctionArchive)
	d = w.until("a healthy system", c, func(d *diagnosis) bool {
		return !slices.ContainsFunc(d.Findings, func(f finding) bool {
			return f.Verdict != verdictOK && f.Check != "disk here" // that of whoever tests may be full
		})
	})
	for _, check := range []string{"kafka connection", "kafka topics", "kafka clock", "kafka disk", "nats connection", "nats streams", "nats clock", "nats disk", "postgres connection", "postgres migrations", "postgres replication", "postgres clock", "postgres disk", "timescaledb", "dead letters"} {
		w.says(d, check, verdictOK, "", "")
	}
	t.Logf("\n%s", d.text())

	w.letter(c)
	w.wrongSettings(c)
	w.lag(c, stopBridge)
	w.stray(c)
	w.stuck(c)
	w.missing(c)
	w.wrongPartitions(c)
}

// letter: a tick that is refused.
func (w *ward) letter(c *doctorCmd) {
	w.t.Helper()
	client, err := kafka.Connect(w.t.Context(), w.s.config("test", slog.New(slog.DiscardHandler)))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(w.t.Context(), &kgo.Record{Topic: w.s.Topic, Value: []byte("no tick")}).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
	d := w.until("a dead letter", c, func(d *diagnosis) bool { return d.is("dead letters", verdictWarn, "1, the newest", "/api/deadletters") })
	if d.Verdict == verdictFail {
		w.t.Errorf("a dead letter is none of the faults that fail:\n%s", d.text())
	}
}

// wrongSettings: topics and streams are not as the variables say.
func (w *ward) wrongSettings(c *doctorCmd) {
	w.t.Helper()
	other := *c
	other.Keep = 48 * time.Hour
	d := other.examine(w.t.Context())
	w.says(d, "topic "+w.s.Topic, verdictWarn, "retention 24h -> 48h", "streamflow topics")
	w.says(d, "stream "+streamflow.StreamTicks, verdictWarn, "kept for 24h0m0s -> 48h0m0s", "streamflow topics")
	other = *c
	other.Replication = 3
	d = other.examine(w.t.Context())
	w.says(d, "kafka replication", verdictFail, "1 brokers cannot hold 3 replicas", "Start more brokers")
	w.says(d, "stream "+streamflow.StreamTicks, verdictWarn, "replicas 1 -> 3", "streamflow topics")
	w.says(d, "topic "+w.s.Topic, verdictWarn, "it has 1 replicas and should have 3", "kafka-reassign-partitions")
}

// lag: the bridge is stopped while ticks come.
func (w *ward) lag(c *doctorCmd, stopBridge func()) {
	w.t.Helper()
	stopBridge()
	w.send(300)
	d := c.examine(w.t.Context())
	w.says(d, "bridge", verdictFail, "has no members: nobody mirrors Kafka; records that wait: 300 of "+w.s.Topic, "Start `streamflow bridge`")
	w.bridge()
	w.until("the bridge is back", c, func(d *diagnosis) bool { return d.is("bridge", verdictOK, "nothing waits", "") })
}

// consumer makes a durable on a stream.
func (w *ward) consumer(config natsjs.ConsumerConfig) (natsjs.JetStream, natsjs.Consumer) {
	w.t.Helper()
	nc, err := nats.Connect(w.s.NATS)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(nc.Close)
	js, err := natsjs.New(nc)
	if err != nil {
		w.t.Fatal(err)
	}
	consumer, err := js.CreateOrUpdateConsumer(w.t.Context(), streamflow.StreamTicks, config)
	if err != nil {
		w.t.Fatal(err)
	}
	return js, consumer
}

// stray: a durable that no function has.
func (w *ward) stray(c *doctorCmd) {
	w.t.Helper()
	js, _ := w.consumer(natsjs.ConsumerConfig{Durable: "gone-0", AckPolicy: natsjs.AckExplicitPolicy})
	w.says(c.examine(w.t.Context()), "durable gone-0", verdictWarn, "no function of this version", "nats consumer rm TICKS gone-0")
	if err := js.DeleteConsumer(w.t.Context(), streamflow.StreamTicks, "gone-0"); err != nil {
		w.t.Fatal(err)
	}
}

// stuck: a function is to run, and who holds its durable acknowledges nothing.
// That is us, for function spread, which no worker here has heard of.
func (w *ward) stuck(c *doctorCmd) {
	w.t.Helper()
	name := streamflow.Durable("spread", 0)
	js, consumer := w.consumer(natsjs.ConsumerConfig{Durable: name, AckPolicy: natsjs.AckAllPolicy})
	if _, err := consumer.Fetch(10); err != nil {
		w.t.Fatal(err)
	}
	if d := c.examine(w.t.Context()); d.is("function spread", verdictFail, "does not move", "") {
		w.t.Errorf("spread is not to run, and nothing of it is a fault:\n%s", d.text())
	}
	flags := waitFlags{natsFlags: w.s.natsFlags}
	for _, state := range []streamflow.DesiredState{streamflow.StateRunning, streamflow.StateStopped} {
		if err := flags.state(w.t.Context(), slog.New(slog.DiscardHandler), "spread", state); err != nil {
			w.t.Fatal(err)
		}
		if state == streamflow.StateRunning {
			w.says(c.examine(w.t.Context()), "function spread", verdictFail, "durable spread-0 of stream TICKS does not move", "streamflow functions show spread")
		}
	}
	if err := js.DeleteConsumer(w.t.Context(), streamflow.StreamTicks, name); err != nil {
		w.t.Fatal(err)
	}
}

// missing: a stream is deleted.
func (w *ward) missing(c *doctorCmd) {
	w.t.Helper()
	js, _ := w.consumer(natsjs.ConsumerConfig{AckPolicy: natsjs.AckExplicitPolicy})
	if err := js.DeleteStream(w.t.Context(), streamflow.StreamEvents); err != nil {
		w.t.Fatal(err)
	}
	if err := js.DeleteKeyValue(w.t.Context(), streamflow.BucketRules); err != nil {
		w.t.Fatal(err)
	}
	d := c.examine(w.t.Context())
	w.says(d, "stream "+streamflow.StreamEvents, verdictFail, "it is missing", "streamflow topics")
	w.says(d, "bucket "+streamflow.BucketRules, verdictFail, "it is missing", "streamflow topics")
}

// wrongPartitions: a topic that somebody else has made.
func (w *ward) wrongPartitions(c *doctorCmd) {
	w.t.Helper()
	client, err := kafka.Connect(w.t.Context(), w.s.config("test", slog.New(slog.DiscardHandler)))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreatePartitions(w.t.Context(), 2, streamflow.TopicAlerts); err != nil {
		w.t.Fatal(err)
	}
	if _, err := kadm.NewClient(client).DeleteTopics(w.t.Context(), streamflow.TopicIndicators); err != nil {
		w.t.Fatal(err)
	}
	d := c.examine(w.t.Context())
	w.says(d, "topic "+streamflow.TopicAlerts, verdictFail, "it has 5 partitions and should have 3", "delete it and run `streamflow topics`")
	w.says(d, "topic "+streamflow.TopicIndicators, verdictFail, "it is missing", "streamflow topics")
}

// TestDoctorAway: of servers that are away, or do not let us in, it is said so,
// without the password, and the process ends with 3.
func TestDoctorAway(t *testing.T) {
	w := newWard(t, "--secure")
	c := w.doctor()
	d := c.examine(t.Context())
	for _, server := range []string{"kafka", "nats", "postgres"} {
		w.says(d, server+" connection", verdictOK, "", "")
	}
	wrong := t.TempDir() + "/password"
	if err := os.WriteFile(wrong, []byte("not-the-password"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.kafkaSecurity.PasswordFile, c.passwordFlags = wrong, passwordFlags{wrong}
	c.natsSecurity.NKey = ""
	d = c.examine(t.Context())
	w.says(d, "kafka connection", verdictFail, "SASL", "KAFKA_SASL_")
	w.says(d, "nats connection", verdictFail, "uthorization", "NATS_URL")
	w.says(d, "postgres connection", verdictFail, "password", "DATABASE_URL")
	if text := d.text(); strings.Contains(text, "not-the-password") {
		t.Errorf("the password is shown:\n%s", text)
	}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Verdict string
		Checks  []struct{ Check, Verdict, Found, Do string }
	}
	if err := json.Unmarshal(text, &read); err != nil || read.Verdict != "FAIL" || len(read.Checks) != len(d.Findings) || read.Checks[0].Do == "" {
		t.Errorf("the JSON is %s: %v", text, err)
	}

	nobody := []string{"doctor", "--kafka", "127.0.0.1:1", "--nats", "nats://127.0.0.1:1", "--database", "postgres://x@127.0.0.1:1/x", "--watch", "0s"}
	if code := run(nobody); code != exitDifferences {
		t.Errorf("with no server there the exit code is %d, want %d", code, exitDifferences)
	}
	if code := run([]string{"doctor", "--no-such-flag"}); code != exitUsage {
		t.Errorf("with a wrong flag the exit code is %d, want %d", code, exitUsage)
	}
}

// A clock is judged by how far it is off for certain.
func TestDoctorSkew(t *testing.T) {
	c := &doctorCmd{MaxSkew: 500 * time.Millisecond}
	for _, x := range []struct {
		ahead, roundTrip time.Duration
		want             verdict
		words            string
	}{
		{0, time.Millisecond, verdictOK, "0s ahead of ours"},
		{-400 * time.Millisecond, time.Millisecond, verdictOK, "400ms behind ours"},
		{-time.Second, time.Millisecond, verdictWarn, "1s behind ours"},
		{time.Second, 2 * time.Second, verdictOK, "to within 1s"}, // it may be right
		{time.Minute, 2 * time.Second, verdictFail, "1m0s ahead of ours"},
	} {
		d := &diagnosis{Verdict: verdictOK}
		c.skew(d, "clock", x.ahead, x.roundTrip)
		if f := d.Findings[0]; f.Verdict != x.want || !strings.Contains(f.Found, x.words) || (f.Do == "") != (x.want == verdictOK) {
			t.Errorf("%s ahead in %s: %+v, want %s with %q", x.ahead, x.roundTrip, f, x.want, x.words)
		}
	}
}

// A disk that fills is told before it is full.
func TestDoctorFilled(t *testing.T) {
	for used, want := range map[int64]verdict{0: verdictOK, 79: verdictOK, 80: verdictWarn, 94: verdictWarn, 95: verdictFail, 100: verdictFail} {
		d := &diagnosis{Verdict: verdictOK}
		d.filled("disk", "enlarge it", "it", used<<30, 100<<30)
		if f := d.Findings[0]; f.Verdict != want {
			t.Errorf("%d of 100: %+v, want %s", used, f, want)
		}
	}
}
