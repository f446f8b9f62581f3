package schemas

import (
	"bytes"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/sr"

	"streamflow"
)

// at is in every tick of these tests.
var at = time.Date(2025, 1, 2, 15, 4, 5, 123_456_000, time.UTC)

const avroTick = `{"type":"record","name":"Tick","namespace":"market","fields":[
	{"name":"symbol","type":"string"},
	{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":18,"scale":4}},
	{"name":"volume","type":"long"},
	{"name":"timestamp","type":{"type":"long","logicalType":"timestamp-micros"}},
	{"name":"exchange","type":["null","string"],"default":null},
	{"name":"bid","type":["null","double"],"default":null}]}`

func TestAvroTick(t *testing.T) {
	r := newRig(t)
	id := r.register(sr.TypeAvro, avroTick)
	tick := map[string]any{"symbol": "AAPL", "price": big.NewRat(18723, 100), "volume": int64(1) << 53, "timestamp": at, "exchange": "XNAS", "bid": nil}
	value := r.avro(id, avroTick, tick, nil)
	r.is(value, ticks, `{"symbol":"AAPL","price":187.23,"volume":9007199254740992,"timestamp":"2025-01-02T15:04:05.123456Z","exchange":"XNAS","bid":null}`)
	text, err := r.JSON(t.Context(), value, ticks)
	if err != nil {
		t.Fatal(err)
	}
	got, err := streamflow.DecodeTick(text, []byte("AAPL"), at)
	if err != nil || got.Price != 187.23 || !got.Time.Equal(at) || got.Volume != 1<<53 || got.Exchange != "XNAS" || got.Extra != nil {
		t.Errorf("%+v, %v", got, err)
	}
}

// Every type and logical type, each in a field x.
func TestAvroTypes(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		typ  string
		v    any
		want string
	}{
		{`"null"`, nil, `null`},
		{`"boolean"`, true, `true`},
		{`"int"`, int32(math.MinInt32), `-2147483648`},
		{`"long"`, int64(math.MaxInt64), `9223372036854775807`},
		{`"float"`, float32(187.23), `187.23`},
		{`"double"`, 1e-9, `1e-09`},
		{`"double"`, math.NaN(), `"NaN"`},
		{`"double"`, math.Inf(-1), `"-Infinity"`},
		{`"double"`, math.Inf(1), `"Infinity"`},
		{`"string"`, "a\"\\\n\x7f<é>\u2028", "\"a\\\"\\\\\\u000a\x7f<é>\u2028\""},
		{`"bytes"`, []byte{0, 255}, `"AP8="`},
		{`{"type":"fixed","name":"F","size":2}`, []byte{0, 255}, `"AP8="`},
		{`{"type":"enum","name":"E","symbols":["BUY","SELL"]}`, "SELL", `"SELL"`},
		{`{"type":"array","items":"int"}`, []int32{1, 2}, `[1,2]`},
		{`{"type":"array","items":"int"}`, []int32{}, `[]`},
		{`{"type":"map","values":"int"}`, map[string]any{"b": int32(2), "a": int32(1)}, `{"a":1,"b":2}`},
		{`["null","int",{"type":"record","name":"R","fields":[{"name":"y","type":"int"}]}]`, map[string]any{"y": int32(7)}, `{"y":7}`},
		{`["null","string"]`, nil, `null`},
		{`{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`, big.NewRat(-5, 100), `-0.05`},
		{`{"type":"fixed","name":"D","size":8,"logicalType":"decimal","precision":18,"scale":0}`, big.NewRat(-12, 1), `-12`},
		{`{"type":"int","logicalType":"date"}`, at, `"2025-01-02"`},
		{`{"type":"int","logicalType":"time-millis"}`, 15*time.Hour + 4*time.Minute + time.Millisecond, `"15:04:00.001"`},
		{`{"type":"long","logicalType":"time-micros"}`, time.Microsecond, `"00:00:00.000001"`},
		{`{"type":"long","logicalType":"timestamp-millis"}`, at, `"2025-01-02T15:04:05.123Z"`},
		{`{"type":"long","logicalType":"timestamp-micros"}`, at, `"2025-01-02T15:04:05.123456Z"`},
		{`{"type":"long","logicalType":"timestamp-nanos"}`, at.Add(1), `"2025-01-02T15:04:05.123456001Z"`},
		{`{"type":"long","logicalType":"timestamp-millis"}`, time.UnixMilli(-1), `"1969-12-31T23:59:59.999Z"`},
		{`{"type":"long","logicalType":"local-timestamp-millis"}`, at, `"2025-01-02T15:04:05.123"`},
		{`{"type":"long","logicalType":"local-timestamp-micros"}`, at, `"2025-01-02T15:04:05.123456"`},
		{`["null",{"type":"long","logicalType":"local-timestamp-nanos"}]`, at, `"2025-01-02T15:04:05.123456"`},
		{`{"type":"string","logicalType":"uuid"}`, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", `"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"`},
		{`{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}`, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", `"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"`},
		{`{"type":"fixed","name":"P","size":12,"logicalType":"duration"}`, avro.Duration{Days: 3}, `"P3D"`},
		{`{"type":"string","logicalType":"no-such"}`, "s", `"s"`},
	} {
		text := `{"type":"record","name":"X","fields":[{"name":"x","type":` + c.typ + `}]}`
		r.is(r.avro(r.register(sr.TypeAvro, text), text, map[string]any{"x": c.v}, nil), ticks, `{"x":`+c.want+`}`)
	}
}

// A schema grows, shrinks and renames, and its values go on to be read, also
// side by side.
func TestAvroEvolution(t *testing.T) {
	r := newRig(t)
	field := func(name, rest string) string { return `{"name":"` + name + `",` + rest + `}` }
	record := func(fields ...string) string {
		return `{"type":"record","name":"Tick","fields":[` + strings.Join(fields, ",") + `]}`
	}
	text, double, long := `"type":"string"`, `"type":"double"`, `"type":"long"`
	tick := map[string]any{"symbol": "AAPL", "price": 1.5, "volume": int64(7), "timestamp": int64(1735830245)}
	with := func(name string, v any) map[string]any {
		m := map[string]any{name: v}
		for k, v := range tick {
			m[k] = v
		}
		return m
	}
	base := []string{field("symbol", text), field("price", double), field("volume", long), field("timestamp", long)}
	for _, c := range []struct {
		schema string
		v      any
		want   string
	}{
		{record(base...), tick, `{"symbol":"AAPL","price":1.5,"volume":7,"timestamp":1735830245}`},
		{record(append(base, field("venue", `"type":["null","string"],"default":null`))...), with("venue", "X"),
			`{"symbol":"AAPL","price":1.5,"volume":7,"timestamp":1735830245,"venue":"X"}`},
		{record(field("symbol", text), field("last", double+`,"aliases":["cost","price"]`), field("volume", long), field("timestamp", long)), with("last", 2.5),
			`{"symbol":"AAPL","price":2.5,"volume":7,"timestamp":1735830245}`},
	} {
		id := r.register(sr.TypeAvro, c.schema)
		r.is(r.avro(id, c.schema, c.v, nil), ticks, c.want)
	}
}

// A schema may refer to others, and those to others in turn.
func TestAvroReferences(t *testing.T) {
	r := newRig(t)
	side, venue := `{"type":"enum","name":"a.Side","symbols":["BUY","SELL"]}`, `{"type":"record","name":"a.Venue","fields":[{"name":"code","type":"string"},{"name":"side","type":"a.Side"}]}`
	sideRef := r.refer(sr.TypeAvro, "a.Side", side)
	venueRef := r.refer(sr.TypeAvro, "a.Venue", venue, sideRef)
	main := `{"type":"record","name":"T","fields":[{"name":"symbol","type":"string"},{"name":"side","type":"a.Side"},{"name":"venue","type":"a.Venue"}]}`
	id := r.register(sr.TypeAvro, main, sideRef, venueRef)
	var cache avro.SchemaCache
	for _, text := range []string{side, venue} {
		if _, err := cache.Parse(text); err != nil {
			t.Fatal(err)
		}
	}
	v := map[string]any{"symbol": "S", "side": "BUY", "venue": map[string]any{"code": "X", "side": "SELL"}}
	r.is(r.avro(id, main, v, &cache), ticks, `{"symbol":"S","side":"BUY","venue":{"code":"X","side":"SELL"}}`)
}

func TestAvroIsRefused(t *testing.T) {
	r := newRig(t)
	id := r.register(sr.TypeAvro, avroTick)
	good := r.avro(id, avroTick, map[string]any{"symbol": "AAPL", "price": big.NewRat(1, 1), "volume": int64(1), "timestamp": at, "exchange": nil, "bid": nil}, nil)
	r.refuses(good[:len(good)-3], streamflow.ReasonUndecodable, "it ends too early in field timestamp")
	r.refuses(append(bytes.Clone(good), 0), streamflow.ReasonUndecodable, "1 bytes are left over")
	r.refuses(frame(id, nil, []byte{1}), streamflow.ReasonUndecodable, "field symbol")
	r.refuses(frame(id, nil, nil), streamflow.ReasonUndecodable, "too early")
	r.refuses(bytes.Replace(good, []byte("AAPL"), []byte("AA\xffL"), 1), streamflow.ReasonNotUTF8, "UTF-8")
	late := r.avro(id, avroTick, map[string]any{"symbol": "AAPL", "price": big.NewRat(1, 1), "volume": int64(1), "timestamp": int64(math.MaxInt64), "exchange": nil, "bid": nil}, nil)
	r.refuses(late, streamflow.ReasonUndecodable, "years")
	twice := strings.Replace(avroTick, `"name":"bid"`, `"name":"symbol"`, 1)
	r.refuses(frame(r.register(sr.TypeAvro, twice), nil, nil), streamflow.ReasonBadSchema, "symbol")
	deep := `{"type":"record","name":"N","fields":[{"name":"n","type":["null","N"]}]}`
	r.refuses(frame(r.register(sr.TypeAvro, deep), nil, append(bytes.Repeat([]byte{2}, 200), 0)), streamflow.ReasonUndecodable, "nested")
	r.refuses(frame(r.register(sr.TypeAvro, deep), nil, append(bytes.Repeat([]byte{2}, 60_000), 0)), streamflow.ReasonUndecodable, "")
	wide := `{"type":"record","name":"W","fields":[{"name":"w","type":{"type":"array","items":"double"}}]}`
	numbers := make([]float64, 8000)
	for i := range numbers {
		numbers[i] = math.Pi / float64(i+1)
	}
	r.refuses(r.avro(r.register(sr.TypeAvro, wide), wide, map[string]any{"w": numbers}, nil), streamflow.ReasonTooLarge, "as JSON")
	// A few bytes that say that endlessly many nothings follow.
	nothings := `{"type":"record","name":"Z","fields":[{"name":"z","type":{"type":"array","items":"null"}}]}`
	r.refuses(frame(r.register(sr.TypeAvro, nothings), nil, []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0}), streamflow.ReasonUndecodable, "")
	// What is no object is for the route to refuse.
	r.is(frame(r.register(sr.TypeAvro, `"int"`), nil, []byte{2}), ticks, `1`)
}
