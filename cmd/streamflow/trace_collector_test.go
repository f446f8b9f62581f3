package main

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"streamflow"
)

// gotSpan is a span as the collector has it.
type gotSpan struct {
	*spans.Span
	service, instance string
}

func (s gotSpan) id() streamflow.SpanID       { return streamflow.SpanID(s.GetSpanId()) }
func (s gotSpan) trace() streamflow.TraceID   { return streamflow.TraceID(s.GetTraceId()) }
func (s gotSpan) start() time.Time            { return time.Unix(0, int64(s.GetStartTimeUnixNano())) }
func (s gotSpan) end() time.Time              { return time.Unix(0, int64(s.GetEndTimeUnixNano())) }
func (s gotSpan) text(key string) string      { return attributeOf(s.GetAttributes(), key).GetStringValue() }
func (s gotSpan) number(key string) int64     { return attributeOf(s.GetAttributes(), key).GetIntValue() }
func (s gotSpan) parent() (p [8]byte)         { copy(p[:], s.GetParentSpanId()); return p }
func (s gotSpan) of(p streamflow.SpanID) bool { return s.parent() == p }

func attributeOf(list []*common.KeyValue, key string) *common.AnyValue {
	for _, a := range list {
		if a.GetKey() == key {
			return a.GetValue()
		}
	}
	return nil
}

// collectorOf is an OTLP receiver over HTTP, as far as traces go.
type collectorOf struct {
	*httptest.Server
	mu    sync.Mutex
	spans []gotSpan
	path  string
}

func newCollector(t *testing.T) *collectorOf {
	t.Helper()
	c := &collectorOf{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			body, _ = gzip.NewReader(r.Body)
		}
		data, err := io.ReadAll(body)
		var request collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(data, &request)
		}
		if err != nil || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %s: %v", r.Method, r.Header.Get("Content-Type"), err)
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.path = r.URL.Path
		for _, rs := range request.GetResourceSpans() {
			about := rs.GetResource().GetAttributes()
			for _, ss := range rs.GetScopeSpans() {
				for _, s := range ss.GetSpans() {
					c.spans = append(c.spans, gotSpan{s, attributeOf(about, "service.name").GetStringValue(), attributeOf(about, "service.instance.id").GetStringValue()})
				}
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// of returns the spans of a trace.
func (c *collectorOf) of(id streamflow.TraceID) (list []gotSpan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.trace() == id {
			list = append(list, s)
		}
	}
	return list
}

// about returns the spans that name a position.
func (c *collectorOf) about(p streamflow.Position) (list []gotSpan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.text("streamflow.position") == p.String() {
			list = append(list, s)
		}
	}
	return list
}

// named returns those of a name.
func named(list []gotSpan, name string) (found []gotSpan) {
	for _, s := range list {
		if s.GetName() == name {
			found = append(found, s)
		}
	}
	return found
}

// has says that all of these names are among the spans.
func has(list []gotSpan, names ...string) (missing string) {
	for _, name := range names {
		if !slices.ContainsFunc(list, func(s gotSpan) bool { return s.GetName() == name }) {
			return name
		}
	}
	return ""
}
