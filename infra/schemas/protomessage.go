package schemas

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"streamflow"
)

// message writes a message as an object. names are what its fields go by; nil
// for a message within another, whose fields have their own. What is not set is
// left out, but for a default of the schema and a required member, whose zero
// the format does not write.
func (w *writer) message(m protoreflect.Message, names []field, members []streamflow.Member) {
	if !w.room() || w.wellKnown(m) {
		return
	}
	w.open('{')
	all := m.Descriptor().Fields()
	for i := range all.Len() {
		f := all.Get(i)
		name := string(f.Name())
		if names != nil {
			name = names[i].as(members)
		}
		zero := !f.HasPresence() && !f.IsList() && !f.IsMap() && required(members, name)
		if m.Has(f) || zero || f.HasDefault() && f.ContainingOneof() == nil {
			w.name(name)
			w.field(f, m.Get(f))
		}
	}
	w.close('}')
}

func (w *writer) field(f protoreflect.FieldDescriptor, v protoreflect.Value) {
	switch {
	case f.IsList():
		w.open('[')
		for i := range v.List().Len() {
			w.item()
			w.value(f, v.List().Get(i))
		}
		w.close(']')
	case f.IsMap():
		w.open('{')
		keys := make([]protoreflect.MapKey, 0, v.Map().Len())
		v.Map().Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool { keys = append(keys, k); return true })
		slices.SortFunc(keys, func(a, b protoreflect.MapKey) int { return cmp.Compare(a.String(), b.String()) })
		for _, k := range keys {
			w.name(k.String())
			w.value(f.MapValue(), v.Map().Get(k))
		}
		w.close('}')
	default:
		w.value(f, v)
	}
}

// value writes one value. Whole numbers of 64 bits are numbers: a volume is one.
func (w *writer) value(f protoreflect.FieldDescriptor, v protoreflect.Value) {
	switch f.Kind() {
	case protoreflect.BoolKind:
		w.bool(v.Bool())
	case protoreflect.StringKind:
		w.text(v.String())
	case protoreflect.BytesKind:
		w.bytes(v.Bytes())
	case protoreflect.FloatKind:
		w.float(v.Float(), 32)
	case protoreflect.DoubleKind:
		w.float(v.Float(), 64)
	case protoreflect.EnumKind:
		if known := f.Enum().Values().ByNumber(v.Enum()); known != nil {
			w.text(string(known.Name()))
		} else {
			w.integer(int64(v.Enum()))
		}
	case protoreflect.MessageKind, protoreflect.GroupKind:
		w.message(v.Message(), nil, nil)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		w.raw(fmt.Sprint(v.Uint()))
	default: // the signed ones
		w.integer(v.Int())
	}
}

// wellKnown writes a message that stands for something simpler, as in
// Protobuf's own JSON, and reports whether m is one.
func (w *writer) wellKnown(m protoreflect.Message) bool {
	name := m.Descriptor().FullName()
	get := func(number protoreflect.FieldNumber) protoreflect.Value {
		return m.Get(m.Descriptor().Fields().ByNumber(number))
	}
	switch name {
	case "google.protobuf.Timestamp":
		if nanos := get(2).Int(); nanos < 0 || nanos >= 1e9 {
			w.err = cmp.Or(w.err, fmt.Errorf("a Timestamp has %d nanoseconds", nanos))
			return true
		}
		w.time(time.Unix(get(1).Int(), get(2).Int()), time.RFC3339Nano)
	case "google.protobuf.Duration":
		seconds := new(big.Rat).SetFrac64(get(2).Int(), 1e9)
		seconds.Add(seconds, new(big.Rat).SetInt64(get(1).Int()))
		w.text(plain(seconds) + "s")
	case "confluent.type.Decimal":
		w.decimal(get(1).Bytes(), get(3).Int())
	case "google.protobuf.DoubleValue", "google.protobuf.FloatValue", "google.protobuf.Int64Value", "google.protobuf.UInt64Value",
		"google.protobuf.Int32Value", "google.protobuf.UInt32Value", "google.protobuf.BoolValue", "google.protobuf.StringValue",
		"google.protobuf.BytesValue", "google.protobuf.ListValue":
		f := m.Descriptor().Fields().ByNumber(1)
		w.field(f, m.Get(f))
	case "google.protobuf.Struct":
		f := m.Descriptor().Fields().ByNumber(1)
		w.field(f, m.Get(f))
	case "google.protobuf.Value":
		if f := m.WhichOneof(m.Descriptor().Oneofs().Get(0)); f != nil && f.Number() != 1 {
			w.field(f, m.Get(f))
		} else {
			w.raw("null")
		}
	case "google.protobuf.FieldMask":
		var paths []string
		for i := range get(1).List().Len() {
			paths = append(paths, get(1).List().Get(i).String())
		}
		w.text(strings.Join(paths, ","))
	default:
		return false
	}
	return true
}

// maxScale bounds the zeros that a few bytes can ask for.
const maxScale = 1000

// decimal writes an unscaled number, in two's complement with the highest byte
// first, times 10 to the -scale.
func (w *writer) decimal(unscaled []byte, scale int64) {
	if scale < -maxScale || scale > maxScale || len(unscaled) > maxScale {
		w.err = cmp.Or(w.err, fmt.Errorf("a Decimal has %d bytes and the scale %d", len(unscaled), scale))
		return
	}
	n := new(big.Int).SetBytes(unscaled)
	if len(unscaled) > 0 && unscaled[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(unscaled))))
	}
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(max(scale, -scale)), nil)
	r := new(big.Rat).SetInt(n)
	if scale < 0 {
		w.raw(plain(r.Mul(r, new(big.Rat).SetInt(power))))
		return
	}
	w.raw(plain(r.Quo(r, new(big.Rat).SetInt(power))))
}

// plain writes a number whose digits end, all of them.
func plain(r *big.Rat) string {
	digits, _ := r.FloatPrec()
	return r.FloatString(digits)
}
