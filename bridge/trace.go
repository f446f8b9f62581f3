package bridge

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

// Tracer records what is traced.
type Tracer interface {
	// Trace returns the trace of a message, and whether it is traced.
	Trace(m *streamflow.Message) (streamflow.Trace, bool)
	Record(s streamflow.Span)
}

// traced is a record whose spans are recorded once its message is committed.
type traced struct {
	trace             streamflow.Trace
	parent            streamflow.SpanID // the producer's; zero if it has none
	subject           string
	produced, fetched time.Time
	fault             string // why it was refused; "" if it was not
}

// follow takes note of a message that is traced. One whose producer traces it
// is made to say so, for all that comes of it.
func (s *sorter) follow(m *streamflow.Message, r *kgo.Record, fetched time.Time, refused error) {
	if s.tracer == nil {
		return
	}
	var parent streamflow.SpanID
	if len(r.Headers) > 0 {
		if id, span, ok := streamflow.ParseTraceparent(header(r, streamflow.HeaderTraceparent)); ok {
			m.Hops, parent = streamflow.CarryTrace(id, m.Hops), span
		}
	}
	trace, ok := s.tracer.Trace(m)
	if !ok {
		return
	}
	t := traced{trace: trace, parent: parent, subject: m.Subject, produced: r.Timestamp, fetched: fetched}
	if refused != nil {
		// The reason alone: what the record holds may be for nobody to see.
		t.fault = string(streamflow.NewDeadLetter(m.Position, refused).Reason)
	}
	s.traced = append(s.traced, t)
}

// record records the good messages of a batch that are traced, or the bad ones.
func (s *sorter) record(bad bool, batch int) {
	committed := time.Now()
	for _, t := range s.traced {
		if bad != (t.fault != "") {
			continue
		}
		at := t.trace.Origin
		kafka := t.trace.Span(streamflow.HopKafka, at)
		where := []streamflow.SpanAttribute{
			{Key: "messaging.system", Value: "kafka"}, {Key: "messaging.destination.name", Value: at.Topic},
			{Key: "messaging.kafka.offset", Value: int(at.Offset)}, {Key: "streamflow.position", Value: at.String()},
		}
		s.tracer.Record(streamflow.Span{
			Trace: t.trace.ID, ID: kafka, Parent: t.parent, Name: streamflow.HopKafka, Kind: streamflow.SpanProducer,
			Start: t.produced, End: t.fetched, Attributes: where,
		})
		s.tracer.Record(streamflow.Span{
			Trace: t.trace.ID, ID: t.trace.Span(streamflow.HopBridge, at), Parent: kafka, Name: streamflow.HopBridge, Kind: streamflow.SpanConsumer,
			Start: t.fetched, End: committed, Fault: t.fault,
			Attributes: append(where, streamflow.SpanAttribute{Key: "streamflow.subject", Value: t.subject}, streamflow.SpanAttribute{Key: "messaging.batch.message_count", Value: batch}),
		})
	}
}

// Trace has the records that are traced carry their trace, as the parent of
// whatever their readers do with them. function is the one whose sink it is.
func (d *Publisher) Trace(t Tracer, function string) { d.tracer, d.function = t, function }

// carry gives a record its trace.
func (d *Publisher) carry(m *streamflow.Message, r *kgo.Record) {
	if d.tracer == nil {
		return
	}
	if t, ok := d.tracer.Trace(m); ok {
		parent := t.Traceparent(t.Taker(d.function, m))
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: streamflow.HeaderTraceparent, Value: []byte(parent)})
	}
}
