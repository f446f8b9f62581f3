package bridge_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bufbuild/protocompile"
	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"streamflow"
	"streamflow/bridge"
	"streamflow/infra/schemas"
)

const (
	avroTick = `{"type":"record","name":"Tick","fields":[{"name":"symbol","type":"string"},
		{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}},{"name":"volume","type":"long"},
		{"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"}}]}`
	avroTick2 = `{"type":"record","name":"Tick","fields":[{"name":"ticker","type":"string","aliases":["symbol"]},{"name":"price","type":"double"},
		{"name":"volume","type":"long"},{"name":"timestamp","type":{"type":"long","logicalType":"timestamp-micros"}},
		{"name":"venue","type":["null","string"],"default":null}]}`
	protoTick = `syntax = "proto3"; import "google/protobuf/timestamp.proto";
		message Tick { string symbol = 1; double price = 2; int64 volume = 3; google.protobuf.Timestamp timestamp = 4; }`
	avroLogin = `{"type":"record","name":"Login","fields":[{"name":"user_id","type":"string"},{"name":"mail","type":"string","aliases":["user_email"]},
		{"name":"type","type":"string"},{"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"note","type":"string"}]}`
)

// registry is a schema registry that can be switched off.
type registry struct {
	t    *testing.T
	fake *srfake.Registry
	down atomic.Bool
}

func newRegistry(t *testing.T) *registry {
	r := &registry{t: t, fake: srfake.New()}
	t.Cleanup(r.fake.Close)
	r.fake.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		if r.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return r.down.Load()
	})
	return r
}

// use gives a bridge the registry, with an empty memory.
func (r *registry) use(c *bridge.Config) {
	values, err := schemas.New(schemas.Config{URLs: []string{r.fake.URL()}})
	if err != nil {
		r.t.Fatal(err)
	}
	c.Values = values
}

// framed registers a schema and returns what frames bodies of it.
func (r *registry) framed(subject string, kind sr.SchemaType, text string) func(body []byte, index ...int) []byte {
	r.t.Helper()
	id, _, err := r.fake.RegisterSchema(subject, sr.Schema{Schema: text, Type: kind})
	if err != nil {
		r.t.Fatal(err)
	}
	return func(body []byte, index ...int) []byte {
		var header sr.ConfluentHeader
		b, _ := header.AppendEncode(nil, id, index)
		return append(b, body...)
	}
}

// avro returns what writes framed values with a schema.
func (r *registry) avro(subject, text string) func(v map[string]any) []byte {
	r.t.Helper()
	frame, schema := r.framed(subject, sr.TypeAvro, text), avro.MustParse(text)
	return func(v map[string]any) []byte {
		body, err := schema.Encode(v)
		if err != nil {
			r.t.Fatal(err)
		}
		return frame(body)
	}
}

// protobuf is the same of a file whose first message is meant, from its JSON.
func (r *registry) protobuf(subject, text string) func(v string) []byte {
	r.t.Helper()
	frame := r.framed(subject, sr.TypeProtobuf, text)
	c := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
		Accessor: protocompile.SourceAccessorFromMap(map[string]string{"x.proto": text})})}
	file, err := c.Compile(r.t.Context(), "x.proto")
	if err != nil {
		r.t.Fatal(err)
	}
	return func(v string) []byte {
		m := dynamicpb.NewMessage(file[0].Messages().Get(0))
		if err := protojson.Unmarshal([]byte(v), m); err != nil {
			r.t.Fatal(err)
		}
		body, err := proto.Marshal(m)
		if err != nil {
			r.t.Fatal(err)
		}
		return frame(body, 0)
	}
}

// become checks what the ticks at these positions have become.
func (r *rig) become(want map[streamflow.Position]string) {
	r.t.Helper()
	got := r.read(streamflow.StreamTicks, streamflow.SubjectAllTicks)
	if len(got) != len(want) {
		r.t.Errorf("%d ticks, want %d", len(got), len(want))
	}
	for p, text := range want {
		tick, err := streamflow.DecodeTick([]byte(text), nil, streamflow.AnyTime)
		if m := got[p]; err != nil || string(m.Data) != text || m.Subject != streamflow.TickSubject(tick.Symbol) {
			r.t.Errorf("%v became %s %s, want %s (%v)", p, m.Subject, m.Data, text, err)
		}
	}
}

// All formats, two versions of a schema and plain JSON come side by side.
func TestFramedTicks(t *testing.T) {
	r, reg := newRig(t, 1), newRegistry(t)
	now := time.Now().UTC().Truncate(time.Second)
	stamp := now.Format(time.RFC3339)
	v1, v2 := reg.avro("ticks", avroTick), reg.avro("ticks", avroTick2)
	pb, js := reg.protobuf("ticks-pb", protoTick), reg.framed("ticks-js", sr.TypeJSON, `{"type":"object"}`)
	want := make(map[streamflow.Position]string)
	send := func(value []byte, key, text string) {
		want[r.send(&kgo.Record{Value: value, Key: []byte(key)}, "")] = text
	}
	for i := range 30 {
		plain := tick(i)
		send(plain, "", string(plain))
		send(v1(map[string]any{"symbol": "AVRO", "price": fmt.Sprintf("%d.25", i+1), "volume": int64(i), "timestamp": now}), "AVRO",
			fmt.Sprintf(`{"symbol":"AVRO","price":%d.25,"volume":%d,"timestamp":"%s"}`, i+1, i, stamp))
		send(v2(map[string]any{"ticker": "BRK.B", "price": 1.5, "volume": int64(i), "timestamp": now, "venue": "X"}), "",
			fmt.Sprintf(`{"symbol":"BRK.B","price":1.5,"volume":%d,"timestamp":"%s","venue":"X"}`, i, stamp))
		send(pb(fmt.Sprintf(`{"symbol":"PB","price":2.5,"volume":%d,"timestamp":%q}`, i, stamp)), "PB",
			fmt.Sprintf(`{"symbol":"PB","price":2.5,"volume":%d,"timestamp":"%s"}`, i, stamp))
		send(js(plain), "", string(plain))
	}
	refused := func(value []byte, key string, reason streamflow.Reason) {
		r.send(&kgo.Record{Value: value, Key: []byte(key)}, reason)
	}
	good := v1(map[string]any{"symbol": "AVRO", "price": "1", "volume": int64(1), "timestamp": now})
	refused(good, "OTHER", streamflow.ReasonKeyMismatch)
	refused(good[:9], "", streamflow.ReasonUndecodable)
	refused(good[:3], "", streamflow.ReasonUndecodable)
	refused(bytes.Replace(good, good[:5], []byte("\x00\x00\x00\xff\xff"), 1), "", streamflow.ReasonNoSchema)
	refused(v1(map[string]any{"symbol": "AVRO", "price": "-1", "volume": int64(1), "timestamp": now}), "", streamflow.ReasonBadPrice)
	refused(v1(map[string]any{"symbol": "AVRO", "price": "1", "volume": int64(1), "timestamp": now.Add(time.Hour)}), "", streamflow.ReasonFuture)
	refused(reg.framed("bad", sr.TypeProtobuf, "no proto at all")(nil, 0), "", streamflow.ReasonBadSchema)
	refused(js([]byte("[]")), "", streamflow.ReasonNotJSON)
	plain := tick(1)
	send(plain, "", string(plain))
	b := r.bridge(reg.use)
	r.mirrored()
	r.become(want)
	r.letters()
	if n := b.metric(t, "held"); n != 0 {
		t.Errorf("%v partitions are held", n)
	}
}

// letters checks that DLQ holds the records that are bad, as they were sent.
func (r *rig) letters() {
	r.t.Helper()
	letters := r.read(streamflow.StreamDeadLetters, streamflow.SubjectAllDeadLetters)
	if len(letters) != len(r.bad) {
		r.t.Errorf("%d dead letters, want %d", len(letters), len(r.bad))
	}
	for p, reason := range r.bad {
		if m := letters[p]; len(m.Headers) == 0 || string(m.Headers[0].Value) != string(reason) || !bytes.Equal(m.Data, r.sent[p].Value) {
			r.t.Errorf("%v: %q %q, want %s", p, m.Headers, m.Data, reason)
		}
	}
}

func TestFramedValuesNeedARegistry(t *testing.T) {
	r, reg := newRig(t, 1), newRegistry(t)
	v1 := reg.avro("ticks", avroTick)
	r.send(&kgo.Record{Value: v1(map[string]any{"symbol": "A", "price": "1", "volume": int64(1), "timestamp": time.Now()})}, streamflow.ReasonNoRegistry)
	r.send(&kgo.Record{Value: tick(1)}, "")
	r.bridge()
	r.mirrored()
	r.exact(0)
	for _, m := range r.read(streamflow.StreamDeadLetters, streamflow.SubjectAllDeadLetters) {
		if !strings.Contains(string(m.Headers[1].Value), "SCHEMA_REGISTRY_URL") {
			t.Errorf("the letter says %q", m.Headers[1].Value)
		}
	}
}

// Logins are masked whatever they come in, and refused ones tell nothing.
func TestFramedLoginsAreMasked(t *testing.T) {
	r, reg := newEventsRig(t, 1), newRegistry(t)
	write := reg.avro("logins", avroLogin)
	address := secret + "@example.com"
	login := map[string]any{"user_id": "u-1", "mail": address, "type": "login", "timestamp": time.Unix(1735830245, 0), "note": "from " + address}
	good := write(login)
	p := r.produce(r.users, &kgo.Record{Value: good, Key: []byte("u-1")}, "")
	login["type"] = "no type"
	r.produce(r.users, &kgo.Record{Value: write(login)}, streamflow.ReasonUnparsable)
	r.produce(r.users, &kgo.Record{Value: good[:len(good)-2]}, streamflow.ReasonUndecodable)
	r.produce(r.users, &kgo.Record{Value: append(bytes.Clone(good), secret...)}, streamflow.ReasonUndecodable)
	r.produce(r.users, &kgo.Record{Value: append([]byte{0, 0, 0, 9, 9}, good[5:]...)}, streamflow.ReasonNoSchema)
	login["type"] = "logout"
	r.produce(r.users, &kgo.Record{Value: write(login)}, "")
	r.bridge(r.routes, reg.use)
	r.arrived()
	r.checkLetters()
	want := fmt.Sprintf(`{"user_id":"u-1","user_email":%q,"type":"login","timestamp":"2025-01-02T15:04:05Z","note":"from %s"}`, r.mask.Text(address), r.mask.Text(address))
	if m := r.read(streamflow.StreamEvents, streamflow.SubjectAllEvents)[p]; string(m.Data) != want {
		t.Errorf("it became %s, want %s", m.Data, want)
	}
}
