package schemas

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/sr"

	"streamflow"
)

const avroAll = `{"type":"record","name":"All","fields":[
	{"name":"n","type":["null","All"]},
	{"name":"a","type":{"type":"array","items":{"type":"map","values":["null","boolean","int","long","float","double","bytes","string"]}}},
	{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
	{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":18,"scale":4}},
	{"name":"g","type":{"type":"bytes","logicalType":"big-decimal"}},
	{"name":"u","type":{"type":"string","logicalType":"uuid"}},
	{"name":"f","type":{"type":"fixed","name":"F","size":12,"logicalType":"duration"}},
	{"name":"t","type":[{"type":"int","logicalType":"date"},{"type":"long","logicalType":"local-timestamp-nanos"},{"type":"int","logicalType":"time-millis"},
		{"type":"long","logicalType":"timestamp-nanos"}],"aliases":["timestamp"]}]}`

const protoAll = `syntax = "proto3";
import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto"; import "google/protobuf/wrappers.proto";
import "google/protobuf/struct.proto"; import "google/protobuf/any.proto"; import "google/protobuf/field_mask.proto"; import "confluent/type/decimal.proto";
message All {
  All n = 1; repeated All r = 2; map<string, All> m = 3; string s = 4; bytes b = 5; double d = 6; float f = 7; sint64 i = 8; fixed64 u = 9;
  google.protobuf.Timestamp t = 10; google.protobuf.Duration z = 11; google.protobuf.Struct x = 12; google.protobuf.Any y = 13;
  confluent.type.Decimal c = 14; E e = 15; oneof o { int32 p = 16; google.protobuf.Value v = 17; } google.protobuf.FieldMask k = 18;
  google.protobuf.StringValue w = 19; message Within { optional bool q = 1; }
}
enum E { A = 0; B = 1; }`

// Whatever comes: valid JSON within bounds, or a fault of the value.
func FuzzJSON(f *testing.F) {
	r := newRig(f)
	ids := []int{r.register(sr.TypeAvro, avroTick), r.register(sr.TypeAvro, avroAll), r.register(sr.TypeProtobuf, protoTick), r.register(sr.TypeProtobuf, protoAll)}
	tick := r.avro(1, avroTick, map[string]any{"symbol": "AAPL", "price": big.NewRat(1, 4), "volume": int64(1), "timestamp": at, "exchange": "X", "bid": 1.5}, nil)
	f.Add(uint8(0), tick[5:])
	f.Add(uint8(1), []byte("\x00\x00\x02\x02\x31\x00\x02\x00"))
	f.Add(uint8(2), r.protobuf(1, []int{0}, file(protoTick), "main.proto", "market.Tick", `{"symbol":"S","timestamp":"2025-01-02T15:04:05Z","bid":1}`)[5:])
	f.Add(uint8(3), []byte("\x00\x0a\x04\x0a\x02\x0a\x00\x52\x02\x08\x01\x72\x05\x0a\x01\xff\x18\x02"))
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		text, err := r.JSON(t.Context(), frame(ids[int(which)%len(ids)], nil, body), ticks)
		var fault *streamflow.RejectError
		switch {
		case err != nil && (!errors.As(err, &fault) || !utf8.ValidString(fault.Detail)):
			t.Fatalf("%x: %v", body, err)
		case err == nil && (!json.Valid(text) || !utf8.Valid(text) || len(text) > 4*streamflow.MaxRecordBytes):
			t.Fatalf("%x becomes %d bytes: %.200q", body, len(text), text)
		}
		if fault != nil && strings.Contains(fault.Detail, "within the program") {
			t.Fatalf("%x makes it panic", body)
		}
	})
}
