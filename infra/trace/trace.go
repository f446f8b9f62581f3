package trace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"streamflow"
)

// Config says where spans go. What OpenTelemetry has variables for and is not
// here is read from them: headers, certificates, compression, time limits, the
// queue, the resource.
type Config struct {
	Endpoint string  // URL of the collector, to which /v1/traces is added
	Sample   float64 // share of the messages that are traced
	Service  string  // its name, unless OTEL_SERVICE_NAME says otherwise
	Version  string
	Logger   *slog.Logger
}

// Tracer records spans. Its methods may be called at once.
type Tracer struct {
	sampler  streamflow.Sampler
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	gate     *gate
}

const (
	// A collector that is away is tried again for so long; then its spans are given
	// up, and the log says so.
	retryFirst  = time.Second
	retryAtMost = 5 * time.Second
	retryFor    = 15 * time.Second
	closeAtMost = 3 * time.Second
)

// New returns a Tracer. It connects to nothing yet: the error is about settings.
func New(c Config) (*Tracer, error) {
	if !(c.Sample >= 0 && c.Sample <= 1) {
		return nil, fmt.Errorf("share of traced ticks %v: want 0 to 1, such as 0.001 for one in a thousand", c.Sample)
	}
	if protocol := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")); protocol == "grpc" {
		return nil, errors.New("OTEL_EXPORTER_OTLP_PROTOCOL=grpc: traces are sent by HTTP only: leave it out, and name the collector's port for HTTP, as a rule 4318")
	}
	ctx := context.Background()
	options := []otlptracehttp.Option{otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
		Enabled: true, InitialInterval: retryFirst, MaxInterval: retryAtMost, MaxElapsedTime: retryFor,
	})}
	collector := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") // it goes first, and is the whole URL
	if collector == "" {
		u, err := url.Parse(c.Endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("collector %q: want a URL such as http://127.0.0.1:4318", c.Endpoint)
		}
		collector = u.JoinPath("v1/traces").String()
		options = append(options, otlptracehttp.WithEndpointURL(collector))
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(collector); err == nil {
		collector = u.Redacted() // for the log
	}
	host, _ := os.Hostname()
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", c.Service), attribute.String("service.version", c.Version),
		attribute.String("service.instance.id", fmt.Sprintf("%s-%d", host, os.Getpid())), attribute.String("host.name", host),
	), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	g := newGate(exporter, collector, c.Logger)
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(g), sdk.WithIDGenerator(ids{}), sdk.WithSampler(sdk.AlwaysSample()), sdk.WithResource(about))
	c.Logger.Info("ticks are traced", "collector", collector, "share", c.Sample)
	return &Tracer{streamflow.NewSampler(c.Sample), provider, provider.Tracer("streamflow"), g}, nil
}

// Trace returns the trace of a message, and whether it is traced.
func (t *Tracer) Trace(m *streamflow.Message) (streamflow.Trace, bool) { return t.sampler.Trace(m) }

var kinds = map[streamflow.SpanKind]trace.SpanKind{
	streamflow.SpanInternal: trace.SpanKindInternal, streamflow.SpanProducer: trace.SpanKindProducer, streamflow.SpanConsumer: trace.SpanKindConsumer,
}

// Record sends a span, sooner or later, or never.
func (t *Tracer) Record(s streamflow.Span) {
	ctx := context.WithValue(context.Background(), idsKey{}, wanted{trace.TraceID(s.Trace), trace.SpanID(s.ID)})
	if s.Parent != (streamflow.SpanID{}) {
		ctx = trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID(s.Trace), SpanID: trace.SpanID(s.Parent), TraceFlags: trace.FlagsSampled, Remote: true,
		}))
	}
	attributes := make([]attribute.KeyValue, 0, len(s.Attributes))
	for _, a := range s.Attributes {
		switch v := a.Value.(type) {
		case string:
			attributes = append(attributes, attribute.String(a.Key, v))
		case int:
			attributes = append(attributes, attribute.Int(a.Key, v))
		}
	}
	_, span := t.tracer.Start(ctx, s.Name, trace.WithTimestamp(s.Start), trace.WithSpanKind(kinds[s.Kind]), trace.WithAttributes(attributes...))
	if s.Fault != "" {
		span.SetStatus(codes.Error, s.Fault)
	}
	if s.End.Before(s.Start) { // by the clocks of two machines
		s.End = s.Start
	}
	span.End(trace.WithTimestamp(s.End))
}

// Sent returns how many spans the collector has taken.
func (t *Tracer) Sent() uint64 { return t.gate.sent.Load() }

// Dropped returns how many spans were dropped because the queue was full, and
// how many the collector did not take.
func (t *Tracer) Dropped() (full, refused uint64) { return t.gate.full.Load(), t.gate.refused.Load() }

// Close sends what waits, for a few seconds at most.
func (t *Tracer) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeAtMost)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // what it says was said by the gate
}
