package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/infra/kafka"
	"streamflow/infra/kafka/kafkatest"
)

// ingestedRecords are all committed records of a topic.
func ingestedRecords(t *testing.T, client *kgo.Client, topic string) (all []*kgo.Record) {
	t.Helper()
	_, ends, err := kafka.Marks(t.Context(), client, topic)
	if err == nil {
		err = kafka.Scan(t.Context(), client, topic, ends, func(r *kgo.Record) error { all = append(all, r); return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// What is exported comes in again as what it was.
func TestExportedTicksComeInAgain(t *testing.T) {
	brokers := kafkatest.Start(t)
	client := kafkatest.Client(t, brokers)
	at := time.Date(2025, 1, 2, 15, 4, 5, 123456000, time.UTC)
	ticks := []streamflow.Mirrored{
		{Tick: streamflow.Tick{Symbol: "007", Price: 1e-7, Volume: 3, Time: at, ID: "=1+1", Exchange: "'@X,\"Y\" "}},
		{Tick: streamflow.Tick{Symbol: "BTC/USD", Price: 93000.25, Time: at, Bid: 1.5, Ask: 2, Extra: []byte(`"a":{"b":[1,"\n\""]},"c":null`)}},
	}
	for _, form := range []string{formatCSV, formatNDJSON} {
		topic := kafkatest.Topic(t, "again")
		kafkatest.Create(t, client, topic, 1)
		var text bytes.Buffer
		rows := newTickRows(form, &text)
		if err := errors.Join(rows.Write(ticks), rows.Close()); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "ticks."+form)
		if err := os.WriteFile(name, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if code := run([]string{"ingest", "-q", "--kafka=" + strings.Join(brokers, ","), "--topic=" + topic, name}); code != 0 {
			t.Fatalf("%s: exit code %d of %s", form, code, text.Bytes())
		}
		got := ingestedRecords(t, client, topic)
		if len(got) != len(ticks) {
			t.Fatalf("%s: %d records", form, len(got))
		}
		for i, r := range got {
			tick, err := streamflow.DecodeTick(r.Value, r.Key, streamflow.AnyTime)
			if want := string(ticks[i].Tick.AppendJSON(nil)); err != nil || string(tick.AppendJSON(nil)) != want {
				t.Errorf("%s: %s, %v, want %s", form, r.Value, err, want)
			}
		}
	}
}

// An address enters neither Kafka nor the report of what was refused.
func TestIngestMasks(t *testing.T) {
	brokers := kafkatest.Start(t)
	client := kafkatest.Client(t, brokers)
	kafkatest.Create(t, client, streamflow.TopicUserEvents, 1)
	dir := t.TempDir()
	name, rejected := filepath.Join(dir, "users.json"), filepath.Join(dir, "rejected")
	text := `{"user_id":"ada@example.com","user_email":"ada@example.com","type":"login","timestamp":"2025-01-02T15:04:05Z"}
{"user_id":"u","user_email":"bob@example.com","type":"log in","timestamp":"2025-01-02T15:04:05Z"}
{"user_email":"eve@example.com
`
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"ingest", "-q", "--kafka=" + strings.Join(brokers, ","), "--to=user-events", "--mask-key=0123456789abcdef", "--rejected=" + rejected, name}
	if code := run(args); code != exitDifferences {
		t.Errorf("exit code %d, want %d", code, exitDifferences)
	}
	records := ingestedRecords(t, client, streamflow.TopicUserEvents)
	report, err := os.ReadFile(rejected)
	if err != nil || len(records) != 1 {
		t.Fatal(len(records), err)
	}
	state, _ := os.ReadFile(filepath.Join(dir, ".users.json.user-events.ingest"))
	for what, text := range map[string][]byte{"key": records[0].Key, "value": records[0].Value, "report": report, "state": state} {
		if len(text) == 0 || bytes.Contains(text, []byte("@")) || bytes.Contains(text, []byte("example")) {
			t.Errorf("%s: %s", what, text)
		}
	}
	if !bytes.Contains(report, []byte(`"line":2,"reason":"unparsable_field"`)) || !bytes.Contains(report, []byte(`"line":3,"reason":"not_json"`)) {
		t.Errorf("%s", report)
	}
}

func TestIngestSaysWhatIsWrong(t *testing.T) {
	for want, args := range map[string][]string{
		"no route":  {"--to=nothing"},
		"--doubt":   {"--doubt=maybe"},
		"--comma":   {"--format=csv", "--comma=ab"},
		"for files": {"--follow"},
	} {
		if code := run(append([]string{"ingest", "--kafka=127.0.0.1:1"}, args...)); code != exitUsage {
			t.Errorf("%s: exit code %d, want %d", want, code, exitUsage)
		}
	}
}

func TestExportSpan(t *testing.T) {
	now := time.Date(2025, 1, 10, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		from, to string
		ok       bool
	}{{"", "", true}, {"2025-01-02", "2025-01-02T15:04:05.5Z", true}, {"2d", "1h", true}, {"1h", "2h", false}, {"soon", "", false}, {"", "2025-13-01", false}} {
		from, to, err := (&exportCmd{From: c.from, To: c.to}).span(now)
		if (err == nil) != c.ok {
			t.Errorf("%q to %q: %s, %s, %v", c.from, c.to, from, to, err)
		}
	}
}
