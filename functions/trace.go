package functions

import (
	"time"

	"streamflow"
)

// Tracer records what is traced.
type Tracer interface {
	// Trace returns the trace of a message, and whether it is traced.
	Trace(m *streamflow.Message) (streamflow.Trace, bool)
	Record(s streamflow.Span)
}

// trace records what a sink did with messages that are traced.
func (r *Runner) trace(messages []streamflow.Message, began time.Time) {
	end := time.Now()
	for i := range messages {
		m := &messages[i]
		t, ok := r.Tracer.Trace(m)
		if !ok {
			continue
		}
		span := spanOf(t, r.Function, m, r.heard, end, len(messages))
		r.Tracer.Record(span)
		r.Tracer.Record(streamflow.Span{
			Trace: t.ID, Parent: span.ID, Name: r.Function + ".commit", Kind: streamflow.SpanProducer, Start: began, End: end,
		})
	}
}

// spanOf is the span of a function that takes a message in, until all that
// follows from it is committed.
func spanOf(t streamflow.Trace, function string, m *streamflow.Message, from, to time.Time, batch int) streamflow.Span {
	return streamflow.Span{
		Trace: t.ID, ID: t.Taker(function, m), Parent: t.Maker(m), Name: function, Kind: streamflow.SpanConsumer, Start: from, End: to,
		Attributes: []streamflow.SpanAttribute{
			{Key: "messaging.system", Value: "nats"}, {Key: "messaging.destination.name", Value: m.Subject},
			{Key: "messaging.batch.message_count", Value: batch}, {Key: "streamflow.position", Value: t.Origin.String()},
		},
	}
}

// steps are the messages of a batch that are traced, on their way through a
// shard. A nil Tracer traces nothing.
type steps struct {
	tracer Tracer
	list   []step
}

// step is one of them.
type step struct {
	trace          streamflow.Trace
	message        *streamflow.Message
	began, stepped time.Time
	facts          int       // that it caused
	from, stored   time.Time // when they were committed
	fault          streamflow.Reason
}

// begin says that a message is about to be stepped; a nil step is of one that is
// not traced.
func (s *steps) begin(m *streamflow.Message, silent bool) *step {
	if s.tracer == nil || silent {
		return nil
	}
	t, ok := s.tracer.Trace(m)
	if !ok {
		return nil
	}
	return &step{trace: t, message: m, began: time.Now()}
}

// end says that it was stepped.
func (s *step) end() {
	if s != nil {
		s.stepped = time.Now()
	}
}

// add takes up a step that is to be recorded when the batch is done. fault is
// why it was given up; "" if it was not.
func (s *steps) add(one *step, facts int, fault streamflow.Reason) {
	if one != nil {
		one.facts, one.fault = facts, fault
		s.list = append(s.list, *one)
	}
}

// committed says that all facts of the steps so far are stored.
func (s *steps) committed(from time.Time) {
	for i := range s.list {
		if one := &s.list[i]; one.stored.IsZero() && one.facts > 0 {
			one.from, one.stored = from, time.Now()
		}
	}
}

// done records the steps of a batch that came at a time.
func (s *steps) done(function string, came time.Time, batch int) {
	if len(s.list) == 0 {
		return
	}
	now := time.Now()
	for i := range s.list {
		one := &s.list[i]
		span := spanOf(one.trace, function, one.message, came, now, batch)
		span.Fault = string(one.fault)
		s.tracer.Record(span)
		s.tracer.Record(streamflow.Span{
			Trace: one.trace.ID, Parent: span.ID, Name: function + ".step", Start: one.began, End: one.stepped, Fault: span.Fault,
			Attributes: []streamflow.SpanAttribute{{Key: "streamflow.facts", Value: one.facts}},
		})
		if !one.stored.IsZero() {
			s.tracer.Record(streamflow.Span{
				Trace: one.trace.ID, Parent: span.ID, Name: function + ".commit", Kind: streamflow.SpanProducer, Start: one.from, End: one.stored,
			})
		}
	}
	s.drop()
}

// drop forgets the steps of a batch that has failed: it comes again.
func (s *steps) drop() { s.list = s.list[:0] }

// showed records the views of traced messages that were shown.
func (s *steps) showed(function string, views []streamflow.Message, from time.Time) {
	if s.tracer == nil {
		return
	}
	for i := range views {
		m := &views[i]
		if t, ok := s.tracer.Trace(m); ok {
			s.tracer.Record(streamflow.Span{
				Trace: t.ID, Parent: t.Maker(m), Name: function + ".view", Kind: streamflow.SpanProducer, Start: from, End: time.Now(),
				Attributes: []streamflow.SpanAttribute{{Key: "messaging.system", Value: "nats"}, {Key: "messaging.destination.name", Value: m.Subject}},
			})
		}
	}
}
