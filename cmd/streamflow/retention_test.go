package main

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kadm"

	"streamflow"
	"streamflow/infra/kafka"
)

// retentionRig is a system, and a connection to its JetStream.
type retentionRig struct {
	t  *testing.T
	s  servers
	js jetstream.JetStream
}

// topics runs the command of that name with the settings of the environment.
func (r *retentionRig) topics(settings map[string]string) layout {
	r.t.Helper()
	for name, value := range settings {
		r.t.Setenv(name, value)
	}
	c := parse(r.t, append([]string{"topics"}, at(r.s)...)...)
	if err := command(r.t, append([]string{"topics"}, at(r.s)...)...); err != nil {
		r.t.Fatal(err)
	}
	return c.Topics.layout
}

// topic fails if a topic is not kept for that long, or is of other bytes in each
// partition.
func (r *retentionRig) topic(name string, keep time.Duration, bytes int64) {
	r.t.Helper()
	client, err := kafka.Connect(r.t.Context(), r.s.config("test", slog.New(slog.DiscardHandler)))
	if err != nil {
		r.t.Fatal(err)
	}
	defer client.Close()
	described, err := kadm.NewClient(client).DescribeTopicConfigs(r.t.Context(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	have := make(map[string]string)
	for _, c := range described[0].Configs {
		have[c.Key] = c.MaybeValue()
	}
	if ms, limit := fmt.Sprint(keep.Milliseconds()), fmt.Sprint(bytes); have["retention.ms"] != ms || have["retention.bytes"] != limit {
		r.t.Errorf("topic %s: retention.ms %s, retention.bytes %s, want %s and %s", name, have["retention.ms"], have["retention.bytes"], ms, limit)
	}
}

// stream fails if a stream is not kept for that long, or holds other bytes.
func (r *retentionRig) stream(name string, keep time.Duration, bytes int64) {
	r.t.Helper()
	s, err := r.js.Stream(r.t.Context(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	c := s.CachedInfo().Config
	if kept := c.Metadata["streamflow.keep"]; kept != keep.String() || c.MaxBytes != bytes || c.MaxAge < keep {
		r.t.Errorf("stream %s: kept for %s (at most %s), %d bytes, want %s and %d", name, kept, c.MaxAge, c.MaxBytes, keep, bytes)
	}
}

// TestRetentionSettings: each setting of docs/operations.md, as an environment
// variable, is in Kafka, JetStream and the database what the table there says.
func TestRetentionSettings(t *testing.T) {
	r := &retentionRig{t: t, s: newOpsRig(t, "--no-trim").s}
	nc, err := nats.Connect(r.s.NATS)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if r.js, err = jetstream.New(nc); err != nil {
		t.Fatal(err)
	}
	const bytes = 30_000_000
	keep := 5 * time.Hour
	l := r.topics(map[string]string{
		"KEEP_TICKS": "5h", "KEEP_BYTES": fmt.Sprint(bytes), "KEEP_ROWS": "2h", "KEEP_CANDLES": "3h", "KEEP_ALERTS": "4h", "COMPRESS_AFTER": "1h",
	})
	if want := (rowFlags{2 * time.Hour, 3 * time.Hour, 4 * time.Hour}); l.rowFlags != want || l.Compress != time.Hour {
		t.Errorf("%+v, want %+v", l, want)
	}
	r.topic(streamflow.TopicTicks, keep, bytes/3)
	r.topic(streamflow.TopicDeadLetters, 7*keep, bytes/10/3)
	r.topic(streamflow.TopicCandles, 7*keep, bytes/2/3)
	r.topic(streamflow.TopicAlerts, 7*keep, bytes/10/3)
	r.topic(streamflow.TopicIndicators, keep, bytes/2/3)
	r.topic(streamflow.TopicEvents, keep, bytes/2/3)
	r.topic(streamflow.TopicUserEvents, keep, bytes/10/3)
	r.stream(streamflow.StreamTicks, keep, bytes)
	r.stream(streamflow.StreamEvents, keep, bytes)
	r.stream(streamflow.StreamDeadLetters, 7*keep, bytes/10)
	r.stream(streamflow.StreamCandles, keep, bytes/3)
	r.stream(streamflow.StreamIndicators, keep, bytes/3)
	r.stream(streamflow.StreamAlerts, 7*keep, bytes/3)
	r.stream(streamflow.StreamResults, keep, bytes/3)

	db, err := r.s.postgresFlags.connect(t.Context(), "test", r.s.Topic)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for table, sql := range map[string]string{
		streamflow.TableTicks:   `INSERT INTO stock_ticks (time, price, volume, kafka_offset, kafka_partition, symbol) SELECT now() - age * interval '1 hour', 1, 1, age * 10, 0, 'A' FROM unnest(ARRAY[1.9, 2.1]) age`,
		streamflow.TableCandles: `INSERT INTO candles (symbol, interval, start, open, high, low, close, volume, trades, vwap, last_offset, last_partition, closed) SELECT 'A', '1m', now() - age * interval '1 hour', 1, 1, 1, 1, 1, 1, 1, 1, 0, true FROM unnest(ARRAY[2.9, 3.1]) age`,
		streamflow.TableAlerts:  `INSERT INTO alerts (id, time, severity, symbol, rule, when_text, text, price) SELECT age::text, now() - age * interval '1 hour', 'info', 'A', 'r', '', '', 1 FROM unnest(ARRAY[3.9, 4.1]) age`,
	} {
		if n := scalar[int64](t, r.s, "WITH added AS ("+sql+" RETURNING 1) SELECT count(*) FROM added"); n != 2 {
			t.Fatalf("%d rows in %s", n, table)
		}
	}
	pruneOnce(t.Context(), db, l.rowFlags, time.Now(), 10, slog.New(slog.DiscardHandler))
	for _, table := range []string{streamflow.TableTicks, streamflow.TableCandles, streamflow.TableAlerts} {
		if n := scalar[int64](t, r.s, "SELECT count(*) FROM "+table); n != 1 {
			t.Errorf("%s has %d rows, want the one that is young enough", table, n)
		}
	}

	r.topics(map[string]string{"KEEP_TICKS": "6h", "KEEP_BYTES": "0"}) // changed on what is there; 0 is no limit
	r.topic(streamflow.TopicTicks, 6*time.Hour, -1)
	r.stream(streamflow.StreamTicks, 6*time.Hour, -1)
}
