package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"streamflow"
	"streamflow/infra/trace"
)

// traceFlags say what is traced, and where the traces go.
type traceFlags struct {
	TraceEndpoint string  `help:"OpenTelemetry collector that takes traces by OTLP over HTTP, such as http://127.0.0.1:4318; empty for no traces." placeholder:"URL" env:"OTEL_EXPORTER_OTLP_ENDPOINT"`
	TraceSample   float64 `help:"Share of the ticks that are traced, 0 to 1, the same for all parts; those that their producer traces are traced in any case." default:"0.001" env:"TRACE_SAMPLE,OTEL_TRACES_SAMPLER_ARG"`
}

// tracer records what is traced; a nil one traces nothing.
type tracer interface {
	Trace(m *streamflow.Message) (streamflow.Trace, bool)
	Record(s streamflow.Span)
}

// on says whether there is to be a tracer at all.
func (f traceFlags) on() bool {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") || os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return false
	}
	return f.TraceEndpoint != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

// tracer makes the tracer of a process, nil if there is to be none. Its part is
// the last to be stopped: what the others record at their end is sent too.
func (f traceFlags) tracer(name string, log *slog.Logger, r prometheus.Registerer) (tracer, []part, error) {
	if !f.on() {
		return nil, nil, nil
	}
	t, err := trace.New(trace.Config{Endpoint: f.TraceEndpoint, Sample: f.TraceSample, Service: name, Version: version(), Logger: log})
	if err != nil {
		return nil, nil, fmt.Errorf("--trace-endpoint, --trace-sample: %w", err)
	}
	counter := func(name, help string, labels prometheus.Labels, value func() uint64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "streamflow", Subsystem: "trace", Name: name, Help: help, ConstLabels: labels},
			func() float64 { return float64(value()) }))
	}
	const dropped, droppedHelp = "spans_dropped_total", "Spans that were dropped: the queue was full, or the collector did not take them."
	counter("spans_sent_total", "Spans that the collector has taken.", nil, t.Sent)
	counter(dropped, droppedHelp, prometheus.Labels{"reason": "queue_full"}, func() uint64 { full, _ := t.Dropped(); return full })
	counter(dropped, droppedHelp, prometheus.Labels{"reason": "not_taken"}, func() uint64 { _, refused := t.Dropped(); return refused })
	return t, []part{{"traces", func(ctx context.Context) error { <-ctx.Done(); return nil }, t.Close}}, nil
}
