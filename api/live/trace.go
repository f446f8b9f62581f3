package live

import (
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"

	"streamflow"
)

// Tracer records what is traced.
type Tracer interface {
	// Trace returns the trace of a message, and whether it is traced.
	Trace(m *streamflow.Message) (streamflow.Trace, bool)
	Record(s streamflow.Span)
}

const (
	// tracedFrames is how many websockets are shown of those that a traced message
	// goes to: thousands would hide the rest of the trace.
	tracedFrames = 8
	// tracedFor is how long is waited for them: where the newest is enough, a
	// message may be replaced before it is sent.
	tracedFor = 5 * time.Second
)

// tracing follows traced messages to the websockets. A message is known by the
// bytes that all its readers share, a frame by its own.
type tracing struct {
	tracer   Tracer
	instance string       // tells this process from others that send the same
	open     atomic.Int32 // messages and frames that are waited for; mostly none
	mu       sync.Mutex
	messages map[*byte]*outgoing
	frames   map[*byte]*framed
}

// outgoing is a traced message that waits to be sent.
type outgoing struct {
	trace  streamflow.TraceID
	parent streamflow.SpanID
	name   string // of the subject
	since  time.Time
	left   int // how many more frames are shown
}

// framed are the traced messages of a frame.
type framed struct {
	list  []*outgoing
	since time.Time
}

// newTracing returns nil for a nil tracer; all its methods may be called then.
func newTracing(t Tracer) *tracing {
	if t == nil {
		return nil
	}
	return &tracing{tracer: t, instance: rand.Text(), messages: make(map[*byte]*outgoing), frames: make(map[*byte]*framed)}
}

// trace returns the trace of a message that has come out of its stream.
func (t *tracing) trace(m *streamflow.Message) (streamflow.Trace, bool) {
	if t == nil {
		return streamflow.Trace{}, false
	}
	return t.tracer.Trace(m)
}

// expect says that a traced message is about to be handed to so many sessions,
// as msg.
func (t *tracing) expect(trace streamflow.Trace, m *streamflow.Message, msg []byte, sessions int, now time.Time) {
	if sessions == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(now)
	t.messages[&msg[0]] = &outgoing{
		trace: trace.ID, parent: t.span(trace, m), name: m.Subject, since: now, left: min(sessions, tracedFrames),
	}
	t.count()
}

// published records that a message was handed to all sessions that want it.
func (t *tracing) published(trace streamflow.Trace, m *streamflow.Message, sessions int) {
	t.tracer.Record(streamflow.Span{
		Trace: trace.ID, ID: t.span(trace, m), Parent: trace.Maker(m), Name: hopAPI, Kind: streamflow.SpanConsumer, Start: m.Stored, End: time.Now(),
		Attributes: []streamflow.SpanAttribute{
			{Key: "messaging.system", Value: "nats"}, {Key: "messaging.destination.name", Value: m.Subject},
			{Key: "streamflow.position", Value: trace.Origin.String()}, {Key: "streamflow.sessions", Value: sessions},
		},
	})
}

// span is the span of this process.
func (t *tracing) span(trace streamflow.Trace, m *streamflow.Message) streamflow.SpanID {
	return trace.Taker(hopAPI+" "+t.instance+" "+m.Subject, m)
}

// sending says that a frame with those parts is about to be written.
func (t *tracing) sending(frame []byte, parts []part) {
	if t == nil || t.open.Load() == 0 {
		return
	}
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(now)
	var list []*outgoing
	for i := range parts {
		if len(parts[i].msg) == 0 {
			continue
		}
		key := &parts[i].msg[0]
		o := t.messages[key]
		if o == nil {
			continue
		}
		if list = append(list, o); o.left == 1 {
			delete(t.messages, key)
		}
		o.left--
	}
	if len(list) > 0 {
		t.frames[&frame[0]] = &framed{list, now}
	}
	t.count()
}

// sent records that a frame was written.
func (t *tracing) sent(frame []byte) {
	if t == nil || t.open.Load() == 0 || len(frame) == 0 {
		return
	}
	t.mu.Lock()
	f := t.frames[&frame[0]]
	delete(t.frames, &frame[0])
	t.count()
	t.mu.Unlock()
	if f == nil {
		return
	}
	now := time.Now()
	for _, o := range f.list {
		t.tracer.Record(streamflow.Span{
			Trace: o.trace, Parent: o.parent, Name: "websocket", Kind: streamflow.SpanProducer, Start: o.since, End: now,
			Attributes: []streamflow.SpanAttribute{{Key: "messaging.destination.name", Value: o.name}, {Key: "streamflow.frame.bytes", Value: len(frame)}},
		})
	}
}

// forget lets go of what was not sent. The caller holds the lock.
func (t *tracing) forget(now time.Time) {
	for key, o := range t.messages {
		if now.Sub(o.since) > tracedFor {
			delete(t.messages, key)
		}
	}
	for key, f := range t.frames {
		if now.Sub(f.since) > time.Minute { // its session is gone
			delete(t.frames, key)
		}
	}
}

// count is called with the lock held, after a change.
func (t *tracing) count() { t.open.Store(int32(len(t.messages) + len(t.frames))) }

// wanting is how many sessions want a subject; one that does twice counts twice.
func (sub *subject) wanting() (n int) {
	for _, g := range sub.groups {
		n += len(g.members)
	}
	return n
}
