package schemas

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bufbuild/protocompile"
	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"streamflow"
)

// rig is a registry and one who asks it.
type rig struct {
	t     testing.TB
	fake  *srfake.Registry
	asked atomic.Int64 // requests
	*Registry
}

func newRig(t testing.TB, options ...srfake.Option) *rig {
	t.Helper()
	r := &rig{t: t, fake: srfake.New(options...)}
	t.Cleanup(r.fake.Close)
	r.fake.Intercept(func(http.ResponseWriter, *http.Request) bool { r.asked.Add(1); return false })
	r.Registry = r.join(Config{URLs: []string{r.fake.URL()}})
	return r
}

func (r *rig) join(c Config) *Registry {
	r.t.Helper()
	registry, err := New(c)
	if err != nil {
		r.t.Fatal(err)
	}
	return registry
}

// register registers a schema under a subject of its own.
func (r *rig) register(kind sr.SchemaType, text string, references ...sr.SchemaReference) int {
	r.t.Helper()
	id, _, err := r.fake.RegisterSchema(r.t.Name()+"-"+strings.Repeat("v", int(r.asked.Add(1))), sr.Schema{Schema: text, Type: kind, References: references})
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// refer registers a schema that others refer to by name.
func (r *rig) refer(kind sr.SchemaType, name, text string, references ...sr.SchemaReference) sr.SchemaReference {
	r.t.Helper()
	_, version, err := r.fake.RegisterSchema("subject of "+name, sr.Schema{Schema: text, Type: kind, References: references})
	if err != nil {
		r.t.Fatal(err)
	}
	return sr.SchemaReference{Name: name, Subject: "subject of " + name, Version: version}
}

var header sr.ConfluentHeader

// frame puts the head of the wire format before a body.
func frame(id int, index []int, body []byte) []byte {
	b, _ := header.AppendEncode(nil, id, index)
	return append(b, body...)
}

// avro writes v with a schema, as its producer would.
func (r *rig) avro(id int, text string, v any, cache *avro.SchemaCache) []byte {
	r.t.Helper()
	if cache == nil {
		cache = new(avro.SchemaCache)
	}
	s, err := cache.Parse(text)
	if err != nil {
		r.t.Fatal(err)
	}
	body, err := s.Encode(v)
	if err != nil {
		r.t.Fatal(err)
	}
	return frame(id, nil, body)
}

// protobuf writes the message that Protobuf's own JSON describes, with a file.
func (r *rig) protobuf(id int, index []int, files map[string]string, main, message, text string) []byte {
	r.t.Helper()
	c := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{Accessor: protocompile.SourceAccessorFromMap(files)})}
	compiled, err := c.Compile(r.t.Context(), main)
	if err != nil {
		r.t.Fatal(err)
	}
	d, ok := compiled[0].FindDescriptorByName(protoreflect.FullName(message)).(protoreflect.MessageDescriptor)
	if !ok {
		r.t.Fatalf("no message %s", message)
	}
	m := dynamicpb.NewMessage(d)
	if err := protojson.Unmarshal([]byte(text), m); err != nil {
		r.t.Fatal(err)
	}
	body, err := proto.Marshal(m)
	if err != nil {
		r.t.Fatal(err)
	}
	return frame(id, index, body)
}

var ticks = streamflow.TickRoute("").Members

// is checks what a value says.
func (r *rig) is(value []byte, members []streamflow.Member, want string) {
	r.t.Helper()
	got, err := r.JSON(context.Background(), value, members)
	if err != nil {
		r.t.Errorf("%v, want %s", err, want)
		return
	}
	if string(got) != want || !json.Valid(got) {
		r.t.Errorf("got  %s\nwant %s", got, want)
	}
}

// refuses checks for which reason a value is refused, and what about.
func (r *rig) refuses(value []byte, reason streamflow.Reason, what string) {
	r.t.Helper()
	got, err := r.JSON(context.Background(), value, ticks)
	var fault *streamflow.RejectError
	if !errors.As(err, &fault) || fault.Reason != reason || !strings.Contains(fault.Detail, what) {
		r.t.Errorf("%.60q: %s, %v, want %s: %s", value, got, err, reason, what)
	}
}
