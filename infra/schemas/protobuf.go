package schemas

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/bufbuild/protocompile"
	"github.com/twmb/franz-go/pkg/sr"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"streamflow"
)

// protobufSchema reads values that were written with a .proto file.
type protobufSchema struct {
	file   protoreflect.FileDescriptor
	fields map[protoreflect.FullName][]field // by message, in their order
}

// maxIndexes bounds how deep a message may stand in others.
const maxIndexes = 32

// ours is the path of a schema itself, by which errors name it.
const ours = "the schema"

// confluent are the files that Confluent's serializers know without a reference.
var confluent = map[string]string{
	"confluent/meta.proto": `syntax = "proto3";
package confluent;
import "google/protobuf/descriptor.proto";
message Meta {
  string doc = 1;
  map<string, string> params = 2;
  repeated string tags = 3;
}
extend google.protobuf.FileOptions { Meta file_meta = 1088; }
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }
`,
	"confluent/type/decimal.proto": `syntax = "proto3";
package confluent.type;
message Decimal {
  bytes value = 1;
  uint32 precision = 2;
  int32 scale = 3;
}
`,
}

func newProtobuf(ctx context.Context, s source) (schema, error) {
	files := maps.Clone(confluent)
	for _, p := range s.parts {
		files[p.name] = p.text
	}
	files[ours] = s.text
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{Accessor: protocompile.SourceAccessorFromMap(files)}),
		MaxParallelism: 1,
	}
	compiled, err := compiler.Compile(ctx, ours)
	if err != nil {
		return nil, err
	}
	p := &protobufSchema{compiled[0], make(map[protoreflect.FullName][]field)}
	p.learn(p.file.Messages())
	return p, nil
}

// learn gathers the names of the fields of messages, and of those within them.
func (p *protobufSchema) learn(messages protoreflect.MessageDescriptors) {
	for i := range messages.Len() {
		m := messages.Get(i)
		var all []field
		for j := range m.Fields().Len() {
			f := m.Fields().Get(j)
			all = append(all, field{string(f.Name()), []string{f.JSONName()}})
		}
		p.fields[m.FullName()] = fields(all)
		p.learn(m.Messages())
	}
}

func (p *protobufSchema) decode(w *writer, body []byte, members []streamflow.Member) error {
	index, body, err := new(sr.ConfluentHeader).DecodeIndex(body, maxIndexes)
	if err != nil {
		return errors.New("its list of message indexes cannot be read")
	}
	of, at := p.file.Messages(), protoreflect.MessageDescriptor(nil)
	for _, i := range index {
		if i < 0 || i >= of.Len() {
			return fmt.Errorf("the schema has no message at index %v", index)
		}
		at = of.Get(i)
		of = at.Messages()
	}
	m := dynamicpb.NewMessage(at)
	if err := (proto.UnmarshalOptions{RecursionLimit: 2 * maxDepth, DiscardUnknown: true}).Unmarshal(body, m); err != nil {
		return fmt.Errorf("it is no %.100s", at.FullName())
	}
	w.message(m, p.fields[at.FullName()], members)
	return nil
}
