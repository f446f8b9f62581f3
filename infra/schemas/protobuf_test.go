package schemas

import (
	"bytes"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
	"google.golang.org/protobuf/encoding/protowire"

	"streamflow"
)

const protoTick = `syntax = "proto3";
package market;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message Tick {
  string symbol = 1;
  double price = 2;
  int64 volume = 3;
  google.protobuf.Timestamp timestamp = 4;
  optional string exchange = 5;
  google.protobuf.DoubleValue bid = 6;
  double ask = 7;
  string id = 8;
}
message Other { message Within { string symbol = 1; } }
`

// file is a schema that refers to nothing of its own.
func file(text string) map[string]string { return map[string]string{"main.proto": text} }

func TestProtobufTick(t *testing.T) {
	r := newRig(t)
	id := r.register(sr.TypeProtobuf, protoTick)
	write := func(text string) []byte {
		return r.protobuf(id, []int{0}, file(protoTick), "main.proto", "market.Tick", text)
	}
	value := write(`{"symbol":"AAPL","price":187.23,"volume":"9007199254740992","timestamp":"2025-01-02T15:04:05.123456Z","exchange":"XNAS","bid":187.2}`)
	r.is(value, ticks, `{"symbol":"AAPL","price":187.23,"volume":9007199254740992,"timestamp":"2025-01-02T15:04:05.123456Z","exchange":"XNAS","bid":187.2}`)
	text, err := r.JSON(t.Context(), value, ticks)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := streamflow.DecodeTick(text, []byte("AAPL"), at); err != nil || got.Price != 187.23 || !got.Time.Equal(at) || got.Bid != 187.2 || got.Extra != nil {
		t.Errorf("%+v, %v", got, err)
	}
	// A volume of 0 is not written, and is there; a quote of 0 is none.
	r.is(write(`{"symbol":"AAPL","price":1,"timestamp":"1970-01-01T00:00:00Z"}`), ticks, `{"symbol":"AAPL","price":1,"volume":0,"timestamp":"1970-01-01T00:00:00Z"}`)
}

// Every type, each in a field x.
func TestProtobufTypes(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct{ field, json, want string }{
		{"bool x = 1;", `true`, `true`},
		{"int32 x = 1;", `-7`, `-7`},
		{"sint32 x = 1;", `-7`, `-7`},
		{"sfixed64 x = 1;", `"-7"`, `-7`},
		{"uint64 x = 1;", `"18446744073709551615"`, `18446744073709551615`},
		{"fixed32 x = 1;", `7`, `7`},
		{"float x = 1;", `187.23`, `187.23`},
		{"double x = 1;", `"NaN"`, `"NaN"`},
		{"string x = 1;", `"a\"é"`, `"a\"é"`},
		{"bytes x = 1;", `"AP8="`, `"AP8="`},
		{"E x = 1;", `"SELL"`, `"SELL"`},
		{"E x = 1;", `9`, `9`},
		{"repeated int32 x = 1;", `[1,2]`, `[1,2]`},
		{"repeated M x = 1;", `[{"y":1},{}]`, `[{"y":1},{}]`},
		{"map<string, M> x = 1;", `{"b":{"y":1},"a":{}}`, `{"a":{},"b":{"y":1}}`},
		{"map<int32, bool> x = 1;", `{"7":true}`, `{"7":true}`},
		{"oneof o { int32 x = 1; int32 z = 2; }", `0`, `0`},
		{"optional int32 x = 1;", `0`, `0`},
		{"M x = 1;", `{"y":3}`, `{"y":3}`},
		{"google.protobuf.Timestamp x = 1;", `"2025-01-02T15:04:05.1Z"`, `"2025-01-02T15:04:05.1Z"`},
		{"google.protobuf.Duration x = 1;", `"-1.5s"`, `"-1.5s"`},
		{"google.protobuf.Int64Value x = 1;", `"0"`, `0`},
		{"google.protobuf.StringValue x = 1;", `"s"`, `"s"`},
		{"google.protobuf.Struct x = 1;", `{"a":[1,null,{"b":"c"}]}`, `{"a":[1,null,{"b":"c"}]}`},
		{"google.protobuf.FieldMask x = 1;", `"a.b,c"`, `"a.b,c"`},
		{"confluent.type.Decimal x = 1;", `{"value":"SSM=","scale":2}`, `187.23`},
		{"confluent.type.Decimal x = 1;", `{"value":"/w==","scale":3}`, `-0.001`},
		{"confluent.type.Decimal x = 1;", `{"value":"Ag==","scale":-2}`, `200`},
		{"confluent.type.Decimal x = 1;", `{}`, `0`},
	} {
		text := `syntax = "proto3"; import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto"; import "google/protobuf/wrappers.proto";
			import "google/protobuf/struct.proto"; import "google/protobuf/field_mask.proto"; import "confluent/meta.proto"; import "confluent/type/decimal.proto";
			message X { ` + c.field + ` } message M { int32 y = 1; } enum E { BUY = 0; SELL = 1; }`
		files := file(text)
		for name, known := range confluent {
			files[name] = known
		}
		r.is(r.protobuf(r.register(sr.TypeProtobuf, text), []int{0}, files, "main.proto", "X", `{"x":`+c.json+`}`), ticks, `{"x":`+c.want+`}`)
	}
}

// The index says which message it is, also one within another.
func TestProtobufIndex(t *testing.T) {
	r := newRig(t)
	id := r.register(sr.TypeProtobuf, protoTick)
	r.is(r.protobuf(id, []int{1, 0}, file(protoTick), "main.proto", "market.Other.Within", `{"symbol":"S"}`), nil, `{"symbol":"S"}`)
	for _, index := range [][]int{{2}, {-1}, {1, 1}, {0, 0}, make([]int, maxIndexes+1)} {
		r.refuses(frame(id, index, nil), streamflow.ReasonUndecodable, "index")
	}
	r.refuses(append(frame(id, nil, nil), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), streamflow.ReasonUndecodable, "index")
	r.refuses(frame(id, nil, nil), streamflow.ReasonUndecodable, "index")
}

// A schema grows, shrinks and renames; defaults of proto2 are there.
func TestProtobufEvolution(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct{ schema, json, want string }{
		{`syntax = "proto3"; message T { string symbol = 1; double price = 2; }`, `{"symbol":"S","price":1}`, `{"symbol":"S","price":1}`},
		{`syntax = "proto3"; message T { string symbol = 1; double price = 2; repeated string flags = 9; }`, `{"symbol":"S","price":1,"flags":["x"]}`, `{"symbol":"S","price":1,"flags":["x"]}`},
		{`syntax = "proto3"; message T { string ticker = 1 [json_name="symbol"]; double price = 2; }`, `{"symbol":"S","price":1}`, `{"symbol":"S","price":1}`},
		{`syntax = "proto3"; message T { string symbol = 1; double last = 3; double price = 2; }`, `{"symbol":"S","last":2}`, `{"symbol":"S","last":2,"price":0}`},
		{`syntax = "proto2"; message T { required string symbol = 1; optional double price = 2 [default = 1.5]; optional int64 volume = 3; }`, `{"symbol":"S"}`, `{"symbol":"S","price":1.5}`},
		{`edition = "2023"; message T { string symbol = 1; double price = 2 [features.field_presence = IMPLICIT]; int64 volume = 3; }`, `{"symbol":"S"}`, `{"symbol":"S","price":0}`},
	} {
		id := r.register(sr.TypeProtobuf, c.schema)
		r.is(r.protobuf(id, []int{0}, file(c.schema), "main.proto", "T", c.json), ticks, c.want)
	}
	// A producer that is ahead of its own schema: what that does not have is left out.
	id := r.register(sr.TypeProtobuf, `syntax = "proto3"; message T { string symbol = 1; }`)
	value := append(frame(id, []int{0}, nil), protowire.AppendVarint(protowire.AppendTag(nil, 7, protowire.VarintType), 5)...)
	r.is(value, nil, `{}`)
}

func TestProtobufReferences(t *testing.T) {
	r := newRig(t)
	side := `syntax = "proto3"; package a; enum Side { BUY = 0; SELL = 1; }`
	venue := `syntax = "proto3"; package a; import "a/side.proto"; message Venue { string code = 1; Side side = 2; }`
	main := `syntax = "proto3"; import "a/venue.proto"; import "confluent/meta.proto"; message T { option (confluent.message_meta).doc = "x"; string symbol = 1; a.Venue venue = 2; }`
	files := map[string]string{"a/side.proto": side, "a/venue.proto": venue, "main.proto": main, "confluent/meta.proto": confluent["confluent/meta.proto"]}
	ref := r.refer(sr.TypeProtobuf, "a/venue.proto", venue, r.refer(sr.TypeProtobuf, "a/side.proto", side))
	id := r.register(sr.TypeProtobuf, main, ref)
	r.is(r.protobuf(id, []int{0}, files, "main.proto", "T", `{"symbol":"S","venue":{"code":"X","side":"SELL"}}`), ticks, `{"symbol":"S","venue":{"code":"X","side":"SELL"}}`)
	r.refuses(frame(r.register(sr.TypeProtobuf, main), []int{0}, nil), streamflow.ReasonBadSchema, "a/venue.proto")
}

func TestProtobufIsRefused(t *testing.T) {
	r := newRig(t)
	id := r.register(sr.TypeProtobuf, protoTick)
	r.refuses(frame(id, []int{0}, []byte{0xff}), streamflow.ReasonUndecodable, "no market.Tick")
	r.refuses(frame(id, []int{0}, []byte("\x0a\x02\xff\xff")), streamflow.ReasonUndecodable, "no market.Tick") // not UTF-8
	timestamp := func(seconds, nanos uint64) []byte {
		b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), seconds)
		b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), nanos)
		return frame(id, []int{0}, protowire.AppendBytes(protowire.AppendTag(nil, 4, protowire.BytesType), b))
	}
	r.refuses(timestamp(1, 1e9), streamflow.ReasonUndecodable, "nanoseconds")
	r.refuses(timestamp(1<<62, 0), streamflow.ReasonUndecodable, "years")
	deep := `syntax = "proto3"; message N { N n = 1; }`
	body := []byte{}
	for range 100 {
		body = protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), body)
	}
	r.refuses(frame(r.register(sr.TypeProtobuf, deep), []int{0}, body), streamflow.ReasonUndecodable, "nested")
	for range 400 {
		body = protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), body)
	}
	r.refuses(frame(r.register(sr.TypeProtobuf, deep), []int{0}, body), streamflow.ReasonUndecodable, "")
	zeros := `syntax = "proto3"; import "confluent/type/decimal.proto"; message D { repeated confluent.type.Decimal d = 1; }`
	id = r.register(sr.TypeProtobuf, zeros)
	files := map[string]string{"main.proto": zeros, "confluent/type/decimal.proto": confluent["confluent/type/decimal.proto"]}
	r.refuses(r.protobuf(id, []int{0}, files, "main.proto", "D", `{"d":[{"scale":2000000000}]}`), streamflow.ReasonUndecodable, "scale")
	many := `{"value":"AQ==","scale":1000}` + strings.Repeat(`,{"value":"AQ==","scale":1000}`, 100)
	r.refuses(r.protobuf(id, []int{0}, files, "main.proto", "D", `{"d":[`+many+`]}`), streamflow.ReasonTooLarge, "as JSON")
	r.refuses(frame(r.register(sr.TypeProtobuf, `syntax = "proto3"; message`), []int{0}, nil), streamflow.ReasonBadSchema, "the schema")
	r.refuses(frame(id, nil, bytes.Repeat([]byte{0}, 70_000)), streamflow.ReasonTooLarge, "limit")
}
