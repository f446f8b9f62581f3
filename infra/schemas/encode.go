package schemas

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bufbuild/protocompile"
	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/sr"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"streamflow"
)

// Formats of framed values, as [Registry.TickEncoder] names them.
const (
	FormatAvro       = "avro"
	FormatProtobuf   = "protobuf"
	FormatJSONSchema = "json-schema"
)

// tickSchemas describe a tick as the simulator sends it.
var tickSchemas = map[string]sr.Schema{
	FormatAvro: {Type: sr.TypeAvro, Schema: `{"type":"record","name":"Tick","namespace":"streamflow","fields":[
  {"name":"symbol","type":"string"},
  {"name":"price","type":"double"},
  {"name":"volume","type":"long"},
  {"name":"timestamp","type":{"type":"long","logicalType":"timestamp-micros"}},
  {"name":"exchange","type":["null","string"],"default":null},
  {"name":"bid","type":["null","double"],"default":null},
  {"name":"ask","type":["null","double"],"default":null}]}`},
	FormatProtobuf: {Type: sr.TypeProtobuf, Schema: `syntax = "proto3";
package streamflow;
import "google/protobuf/timestamp.proto";
message Tick {
  string symbol = 1;
  double price = 2;
  int64 volume = 3;
  google.protobuf.Timestamp timestamp = 4;
  optional string exchange = 5;
  optional double bid = 6;
  optional double ask = 7;
}
`},
	FormatJSONSchema: {Type: sr.TypeJSON, Schema: `{"$schema":"http://json-schema.org/draft-07/schema#","title":"Tick","type":"object","required":["symbol","price","timestamp"],"properties":{
  "symbol":{"type":"string"},"price":{"type":"number","exclusiveMinimum":0},"volume":{"type":"integer","minimum":0},
  "timestamp":{"type":"string","format":"date-time"},"exchange":{"type":"string"},"bid":{"type":"number"},"ask":{"type":"number"}}}`},
}

// TickEncoder registers the schema of a tick for the values of a topic, as
// serializers do (subject TOPIC-value), and returns what turns the JSON text of a
// tick into a framed value. It may be used by several goroutines.
func (r *Registry) TickEncoder(ctx context.Context, topic, format string) (func(text []byte) ([]byte, error), error) {
	schema, known := tickSchemas[format]
	if !known {
		return nil, fmt.Errorf("format %q: want %s, %s or %s", format, FormatAvro, FormatProtobuf, FormatJSONSchema)
	}
	if r.client == nil {
		return nil, errors.New("a format other than json needs a schema registry: set SCHEMA_REGISTRY_URL")
	}
	body, err := tickBody(ctx, format, schema.Schema)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askAtMost)
	defer cancel()
	registered, err := r.client.CreateSchema(ctx, topic+"-value", schema)
	if err != nil {
		return nil, fmt.Errorf("schema registry at %s: the schema of a tick, subject %s-value, is not registered: %w", r.where, topic, err)
	}
	var index []int
	if format == FormatProtobuf {
		index = []int{0}
	}
	head, err := new(sr.ConfluentHeader).AppendEncode(nil, registered.ID, index)
	if err != nil {
		return nil, err
	}
	return func(text []byte) ([]byte, error) {
		return body(append(make([]byte, 0, len(head)+len(text)), head...), text)
	}, nil
}

// tickBody returns what appends the body of a format.
func tickBody(ctx context.Context, format, schema string) (func(to, text []byte) ([]byte, error), error) {
	switch format {
	case FormatAvro:
		parsed, err := avro.Parse(schema)
		if err != nil {
			return nil, err
		}
		return func(to, text []byte) ([]byte, error) {
			t, err := streamflow.DecodeTick(text, nil, time.Now())
			if err != nil {
				return nil, err
			}
			return parsed.AppendEncode(to, map[string]any{
				"symbol": t.Symbol, "price": t.Price, "volume": t.Volume, "timestamp": t.Time,
				"exchange": optional(t.Exchange), "bid": optional(t.Bid), "ask": optional(t.Ask),
			})
		}, nil
	case FormatProtobuf:
		const file = "tick.proto"
		compiler := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
			Accessor: protocompile.SourceAccessorFromMap(map[string]string{file: schema}),
		})}
		files, err := compiler.Compile(ctx, file)
		if err != nil {
			return nil, err
		}
		message := files[0].Messages().Get(0)
		return func(to, text []byte) ([]byte, error) {
			m := dynamicpb.NewMessage(message) // JSON of Protobuf is the JSON of a tick
			if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, m); err != nil {
				return nil, fmt.Errorf("%.200s: %w", strings.TrimSpace(string(text)), err)
			}
			return proto.MarshalOptions{}.MarshalAppend(to, m)
		}, nil
	}
	return func(to, text []byte) ([]byte, error) { return append(to, text...), nil }, nil
}

// optional is a member of a union with null.
func optional[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}
