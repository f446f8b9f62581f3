package trace

import (
	"context"
	"encoding/binary"
	"math/rand/v2"

	"go.opentelemetry.io/otel/trace"
)

// ids gives a span the IDs that its context names, for they follow from the
// message: see [streamflow.Trace].
type ids struct{}

type idsKey struct{}

// wanted are the IDs of a span.
type wanted struct {
	trace trace.TraceID
	span  trace.SpanID
}

// NewIDs implements the SDK's IDGenerator for the first span of a trace.
func (ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	w, _ := ctx.Value(idsKey{}).(wanted)
	return w.trace, w.orAny()
}

// NewSpanID implements it for the others.
func (ids) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	w, _ := ctx.Value(idsKey{}).(wanted)
	return w.orAny()
}

// orAny returns an ID at random where none is wanted: nobody names the span.
func (w wanted) orAny() trace.SpanID {
	for !w.span.IsValid() {
		binary.NativeEndian.PutUint64(w.span[:], rand.Uint64())
	}
	return w.span
}
