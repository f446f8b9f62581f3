package schemas

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/twmb/avro"

	"streamflow"
)

// avroSchema reads values that were written with a schema of Avro.
type avroSchema struct {
	schema *avro.Schema
	fields []field // of the record; nil if it is something else
}

// moment is a time that is no instant, in its layout.
type moment struct {
	time   time.Time
	layout string
}

// avroTypes are the logical types that the library reads as something that does
// not tell them apart from others.
var avroTypes = []avro.SchemaOpt{
	avro.CustomType{LogicalType: "date", AvroType: "int", Decode: func(v any, _ *avro.SchemaNode) (any, error) {
		days, ok := v.(int32)
		if !ok {
			return nil, avro.ErrSkipCustomType
		}
		return moment{time.Unix(int64(days)*24*60*60, 0), layoutDate}, nil
	}},
	localTimestamp("local-timestamp-millis", time.UnixMilli),
	localTimestamp("local-timestamp-micros", time.UnixMicro),
	localTimestamp("local-timestamp-nanos", func(n int64) time.Time { return time.Unix(0, n) }),
}

func localTimestamp(name string, at func(int64) time.Time) avro.CustomType {
	return avro.CustomType{LogicalType: name, AvroType: "long", Decode: func(v any, _ *avro.SchemaNode) (any, error) {
		n, ok := v.(int64)
		if !ok {
			return nil, avro.ErrSkipCustomType
		}
		return moment{at(n), layoutLocal}, nil
	}}
}

func newAvro(s source) (schema, error) {
	var cache avro.SchemaCache
	for _, p := range s.parts {
		if _, err := cache.Parse(p.text, avroTypes...); err != nil {
			return nil, fmt.Errorf("%.100s, to which it refers: %w", p.name, err)
		}
	}
	parsed, err := cache.Parse(s.text, avroTypes...)
	if err != nil {
		return nil, err
	}
	a := &avroSchema{schema: parsed}
	if root := parsed.Root(); len(root.Fields) > 0 {
		for i := range root.Fields {
			a.fields = append(a.fields, field{root.Fields[i].Name, root.Fields[i].Aliases})
		}
		a.fields = fields(a.fields)
	}
	return a, nil
}

func (a *avroSchema) decode(w *writer, body []byte, members []streamflow.Member) error {
	var v any
	rest, err := a.schema.Decode(body, &v)
	if err != nil {
		return avroFault(err)
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes are left over", len(rest))
	}
	record, ok := v.(map[string]any)
	if !ok || a.fields == nil {
		w.avro(v)
		return nil
	}
	w.open('{')
	for i := range a.fields {
		w.name(a.fields[i].as(members))
		w.avro(record[a.fields[i].name])
	}
	w.close('}')
	return nil
}

// avroFault says what the library says, but for what it quotes of the value.
func avroFault(err error) error {
	what := "it cannot be read"
	var short *avro.ShortBufferError
	if errors.As(err, &short) {
		what = "it ends too early"
	}
	var semantic *avro.SemanticError
	if errors.As(err, &semantic) && semantic.Field != "" {
		return fmt.Errorf("%s in field %.100s", what, semantic.Field)
	}
	return errors.New(what)
}

// avro writes what the library has read.
func (w *writer) avro(v any) {
	if !w.room() {
		return
	}
	switch v := v.(type) {
	case nil:
		w.raw("null")
	case bool:
		w.bool(v)
	case int32:
		w.integer(int64(v))
	case int64:
		w.integer(v)
	case float32:
		w.float(float64(v), 32)
	case float64:
		w.float(v, 64)
	case string:
		w.text(v)
	case []byte:
		w.bytes(v)
	case *big.Rat: // a decimal, so its digits end
		w.raw(plain(v))
	case time.Time:
		w.time(v, time.RFC3339Nano)
	case moment:
		w.time(v.time, v.layout)
	case time.Duration: // of a day
		w.time(time.Unix(0, 0).UTC().Add(v), layoutClock)
	case [16]byte:
		w.text(fmt.Sprintf("%x-%x-%x-%x-%x", v[:4], v[4:6], v[6:8], v[8:10], v[10:]))
	case avro.Duration:
		w.text(v.String())
	case []any:
		w.open('[')
		for _, item := range v {
			w.item()
			w.avro(item)
		}
		w.close(']')
	case map[string]any:
		w.open('{')
		for _, name := range slices.Sorted(maps.Keys(v)) {
			w.name(name)
			w.avro(v[name])
		}
		w.close('}')
	default:
		w.err = fmt.Errorf("the type %T is not known", v)
	}
}
