package trace

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"sync/atomic"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// gate stands in front of the SDK's queue and behind it: it knows how many
// spans are in between, and what became of each.
type gate struct {
	sdk.SpanProcessor // the queue
	exporter          sdk.SpanExporter
	collector         string
	log               *slog.Logger
	most              int64

	inside              atomic.Int64
	sent, full, refused atomic.Uint64
	failing             atomic.Bool
}

// queueLength is how many spans wait at most, as the standard has it.
const queueLength = 2048

func newGate(exporter sdk.SpanExporter, collector string, log *slog.Logger) *gate {
	g := &gate{exporter: exporter, collector: collector, log: log, most: queueLength}
	if n, err := strconv.Atoi(os.Getenv("OTEL_BSP_MAX_QUEUE_SIZE")); err == nil && n > 0 {
		g.most = int64(n)
	}
	// What is in the queue and on its way is counted here, so the queue itself is never full.
	g.SpanProcessor = sdk.NewBatchSpanProcessor(tally{g}, sdk.WithMaxQueueSize(int(g.most)))
	return g
}

// OnEnd lets a span in if there is room. It never waits.
func (g *gate) OnEnd(s sdk.ReadOnlySpan) {
	if g.inside.Add(1) > g.most {
		g.inside.Add(-1)
		g.full.Add(1)
		return
	}
	g.SpanProcessor.OnEnd(s)
}

// tally is the exporter as the queue sees it.
type tally struct{ *gate }

// ExportSpans sends spans. That it fails is said here, once until it succeeds:
// a collector that is away would fill the log.
func (t tally) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	defer t.inside.Add(-int64(len(spans)))
	if err := t.exporter.ExportSpans(ctx, spans); err != nil {
		t.refused.Add(uint64(len(spans)))
		if !t.failing.Swap(true) {
			t.log.Warn("traces are not taken by the collector: spans are dropped until it does", "collector", t.collector, "error", err)
		}
		return nil
	}
	t.sent.Add(uint64(len(spans)))
	if t.failing.Swap(false) {
		t.log.Info("traces are taken again", "collector", t.collector)
	}
	return nil
}

// Shutdown ends the exporter.
func (t tally) Shutdown(ctx context.Context) error { return t.exporter.Shutdown(ctx) }
