package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"streamflow"
	"streamflow/api"
	"streamflow/infra/kafka"
)

const avroTick = `{"type":"record","name":"Tick","fields":[{"name":"symbol","type":"string"},{"name":"price","type":"double"},{"name":"volume","type":"long"},
	{"name":"timestamp","type":{"type":"long","logicalType":"timestamp-micros"}}]}`

// Framed ticks go all the way, and the tools that read Kafka know them: verify
// finds the stores equal, also where the registry has learnt a schema too late;
// a journey is told, and a dead letter goes round again.
func TestFramedTicksEndToEnd(t *testing.T) {
	fake := srfake.New()
	defer fake.Close()
	fake.SeedSchema("ticks", 1, 1, sr.Schema{Schema: avroTick, Type: sr.TypeAvro})
	r := newOpsRig(t, "--schema-registry", fake.URL())
	client, err := kafka.Connect(t.Context(), r.s.config("test", slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	now := time.Now().UTC().Truncate(time.Second)
	schema := avro.MustParse(avroTick)
	priced := func(id int, n int64, price float64) []byte {
		var header sr.ConfluentHeader
		b, _ := header.AppendEncode(nil, id, nil)
		b, err := schema.AppendEncode(b, map[string]any{"symbol": "AVRO", "price": price, "volume": n, "timestamp": now.Add(time.Duration(n) * time.Microsecond)})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	framed := func(id int, n int64) []byte { return priced(id, n, 187.23) }
	send := func(value []byte) *kgo.Record {
		record := &kgo.Record{Topic: r.s.Topic, Key: []byte("AVRO"), Value: value}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
		return record
	}
	plain := fmt.Appendf(nil, `{"symbol":"AVRO","price":1.5,"volume":1,"timestamp":%q}`, now.Format(time.RFC3339))
	var first *kgo.Record
	for n := range int64(20) {
		if record := send(framed(1, n)); first == nil {
			first = record
		}
		send(plain)
	}
	send(framed(2, 99)) // whose schema comes too late
	send(framed(1, 99)[:8])
	send(priced(1, 99, -1))
	send(plain)
	equal := func(ticks, letters int64) {
		t.Helper()
		report, err := compare(t.Context(), r.s, verifyFlags{Wait: 30 * time.Second}, slog.New(slog.DiscardHandler))
		if err != nil || report.Differences != 0 || report.Ticks != ticks || report.DeadLetters != letters || report.Waited != "" {
			t.Fatalf("%+v, %v, want %d ticks and %d dead letters", report, err, ticks, letters)
		}
	}
	equal(41, 3)
	var page api.DeadLetterPage
	r.until("the dead letter", "/api/deadletters?reason=unknown_schema", &page, func() bool { return len(page.Items) == 1 })
	fake.SeedSchema("late", 1, 2, sr.Schema{Schema: avroTick, Type: sr.TypeAvro, References: nil})
	equal(41, 3)

	// What it could read it shows as what it says, beside the bytes.
	var bad api.DeadLetterPage
	r.until("the price that is none", "/api/deadletters?reason=bad_price", &bad, func() bool { return len(bad.Items) == 1 })
	var letter api.DeadLetter
	r.call("GET", fmt.Sprint("/api/deadletters/", bad.Items[0].ID), "", &letter)
	if letter.ValueJSON == nil || !strings.Contains(*letter.ValueJSON, `"price":-1`) || letter.ValueBase64 == nil || letter.ValueText != nil {
		t.Errorf("%+v", letter)
	}

	var j api.Journey
	at := streamflow.Position{Topic: first.Topic, Partition: first.Partition, Offset: first.Offset}
	r.until("the journey", "/api/journey/"+at.String(), &j, func() bool { return j.Symbol == "AVRO" && len(j.Missing) == 0 })

	// The bridge asks again for what it did not know, by and by.
	var done api.DeadLetterResults
	if status, text := r.call("POST", "/api/deadletters/replay", fmt.Sprintf(`{"ids":[%d]}`, page.Items[0].ID), &done); status != 200 || done.Failed != 0 {
		t.Fatal(status, text)
	}
	send(plain)
	report, err := compare(t.Context(), r.s, verifyFlags{Wait: 30 * time.Second}, slog.New(slog.DiscardHandler))
	if err != nil || report.Differences != 0 || report.Ticks+report.DeadLetters != 46 {
		t.Fatalf("%+v, %v", report, err)
	}

	// Without the registry it says so, rather than to find differences.
	without := r.s
	without.schemaFlags = schemaFlags{}
	if _, err := compare(t.Context(), without, verifyFlags{Wait: 30 * time.Second}, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "SCHEMA_REGISTRY_URL") {
		t.Errorf("verify says %v", err)
	}
	// With another one, which knows none of them, it says what it cannot tell.
	other := srfake.New()
	defer other.Close()
	without.SchemaURL = []string{other.URL()}
	if report, err := compare(t.Context(), without, verifyFlags{Wait: 30 * time.Second}, slog.New(slog.DiscardHandler)); err != nil || report.Lost < 20 || report.Differences == 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// tail shows what framed ticks say, and why it cannot show some.
func TestTailReadsFramedTicks(t *testing.T) {
	fake := srfake.New()
	defer fake.Close()
	fake.SeedSchema("ticks", 1, 1, sr.Schema{Schema: `{"type":"object"}`, Type: sr.TypeJSON})
	registry, err := schemaFlags{SchemaURL: []string{fake.URL(), ""}}.registryOfSchemas()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	text := fmt.Sprintf(`{"symbol":"S","price":1.5,"volume":1,"timestamp":%d}`, now.Unix())
	for value, want := range map[string]streamflow.Reason{
		text: "", "\x00\x00\x00\x00\x01" + text: "", "\x00\x00\x00\x00\x02" + text: streamflow.ReasonNoSchema, "\x00\x00\x00\x00\x01{}": streamflow.ReasonMissing,
	} {
		tick, err := decodeTick(t.Context(), registry, []byte(value), nil, now)
		var fault *streamflow.RejectError
		if errors.As(err, &fault) != (want != "") || fault != nil && fault.Reason != want || fault == nil && tick.Price != 1.5 {
			t.Errorf("%q: %+v, %v, want %s", value, tick, err, want)
		}
	}
}
