package live

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"streamflow"
)

// hub keeps the newest message of every subject and hands live messages to the
// sessions that want them. One lock guards both, so that a session's snapshot
// and its first live message meet without a gap and without an overlap.
type hub struct {
	mu       sync.Mutex
	index    trie
	memory   memory
	sessions map[*session]struct{}
	touched  []*session // of the batch being published
	batches  uint64
	stamps   uint64
	scratch  []byte
	tips     [countKinds]uint64 // up to which sequence each stream is known
	epochs   [countKinds]int    // how often each was made anew
	seeded   uint16             // the kinds whose streams were read
	metrics  *metrics
	tracing  *tracing // nil traces nothing
	shared   lender   // of room for what waits

	heartbeat time.Duration // between heartbeats
	stall     time.Duration // how long a client may take nothing
	patience  time.Duration // how long a client may overflow again and again
	grace     time.Duration // between a close and the cut of the connection
	replay    resumer
	allow     func(r *http.Request, root string) bool
}

func newHub(m *metrics) *hub {
	return &hub{
		memory: newMemory(), sessions: make(map[*session]struct{}), metrics: m,
		heartbeat: 5 * time.Second, stall: 30 * time.Second, patience: time.Minute, grace: 5 * time.Second,
		replay: newResumer(), shared: lender{most: sharedRoom},
	}
}

// belongs reports whether a message is one that clients are shown. Others stand
// in the same streams: cursors, checkpoints, and what somebody published who is
// neither the bridge nor a function.
func belongs(kind int, m *streamflow.Message) bool {
	return kindOf(m.Subject) == kind && (!mirrored(kind) || m.Position.Topic != "")
}

// seed takes the newest message of every subject of a stream that was read up
// to last. Sessions that came before it get theirs as snapshots now.
func (h *hub) seed(kind int, newest []streamflow.Message, last uint64, taken time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.batches++
	again := h.seeded&(1<<kind) != 0
	h.tips[kind] = last
	h.seeded |= 1 << kind
	for i := range newest {
		m := &newest[i]
		if !belongs(kind, m) {
			continue
		}
		sub := h.subjectOf(m.Subject, kind)
		known := sub.known
		h.set(sub, m, taken)
		if known { // from before the stream was made anew: this is news
			sub.prev = 0
			h.deliver(sub)
			continue
		}
		for _, g := range sub.groups {
			for _, s := range g.members {
				s.snapshot(sub)
				h.touch(s)
			}
		}
	}
	if again {
		h.rebuilt(kind)
	}
	h.shrink()
	h.wakeTouched()
}

// rebuilt tells those who want a stream that its sequences count anew.
func (h *hub) rebuilt(kind int) {
	h.epochs[kind]++
	for s := range h.sessions {
		if s.kinds()&(1<<kind) != 0 {
			s.safe[kind] = 0
			h.answer(s, append(appendSequences([]byte(`{"rebuilt":`), &h.tips, 1<<kind), '}'))
			h.touch(s)
		}
	}
}

// publish takes a batch of live messages in stream order. It encodes a message
// only if somebody wants it, and then once.
func (h *hub) publish(kind int, batch []streamflow.Message, taken time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.batches++
	dropped := 0
	for i := range batch {
		m := &batch[i]
		if !belongs(kind, m) || m.Sequence <= h.tips[kind] {
			continue
		}
		sub := h.subjectOf(m.Subject, kind)
		h.tips[kind] = m.Sequence
		h.set(sub, m, taken)
		trace, traced := h.tracing.trace(m)
		if traced {
			h.tracing.expect(trace, m, h.encoded(sub), sub.wanting(), taken)
		}
		if len(sub.groups) > 0 {
			dropped += h.deliver(sub)
		}
		if traced {
			h.tracing.published(trace, m, sub.wanting())
		}
	}
	if dropped > 0 {
		h.metrics.dropped.Add(float64(dropped))
	}
	h.shrink()
	h.wakeTouched()
}

// touch remembers to wake s at the end of the batch, and not before, so that
// the messages of a batch share frames.
func (h *hub) touch(s *session) {
	if s.batch != h.batches {
		s.batch = h.batches
		h.touched = append(h.touched, s)
	}
}

func (h *hub) wakeTouched() {
	for i, s := range h.touched {
		s.notify()
		h.touched[i] = nil
	}
	h.touched = h.touched[:0]
}

// deliver gives the newest message of a subject to each session that wants it,
// once, by the most generous of its subscriptions.
func (h *hub) deliver(sub *subject) (dropped int) {
	h.stamps++
	for _, g := range sub.groups {
		for _, s := range g.members {
			if s.stamp == h.stamps {
				continue
			}
			s.stamp = h.stamps
			if g.class != classAll {
				if s.news(sub, g.class) {
					h.touch(s)
				}
				continue
			}
			if n := s.push(sub, h.encoded(sub), sub.m.Sequence); n > 0 {
				dropped += n
				s.overflowed(h, sub.taken)
			}
			h.touch(s)
		}
	}
	return dropped
}

// encoded returns the newest message of a subject as JSON, shared by all.
func (h *hub) encoded(sub *subject) []byte {
	if sub.fixed {
		return h.words(sub)
	}
	if sub.msg == nil {
		h.scratch = appendMessage(h.scratch[:0], sub.kind, &sub.m, sub.prev, sub.taken)
		sub.msg = append(make([]byte, 0, len(h.scratch)), h.scratch...)
	}
	return sub.msg
}

// words makes what the server says at a place among messages: behind a snapshot
// or what was resumed, up to which sequence of each stream the client has all.
// The pipeline stands in no stream: alone it leaves that empty.
func (h *hub) words(sub *subject) []byte {
	if sub.done == 0 {
		return sub.msg
	}
	return append(appendSequences(append([]byte(nil), sub.msg...), &h.tips, sub.done&h.seeded&^(1<<kindPipeline)), '}')
}

// take fills parts from the outbox of s. Newest messages are read under the
// hub's lock: what is published after is pushed after, so nothing is sent
// twice or out of order.
func (h *hub) take(s *session, parts []part, most int, now time.Time, needsHub bool) []part {
	if !needsHub {
		return s.outbox.take(parts, most, now, nil)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return s.outbox.take(parts, most, now, h.encoded)
}

// heart makes the heartbeat of a session due. It says up to which sequence of
// each stream everything that the session wants was handed on, for which it
// looks at a moment when nothing waits; while something does, the last such
// moment stands.
func (h *hub) heart(s *session, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	kinds := s.kinds() &^ (1 << kindPipeline)
	resuming := s.resuming()
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	if s.bytes == 0 && len(s.marked) == 0 {
		for i := range s.safe {
			if kinds&(1<<i) != 0 && resuming&(1<<i) == 0 {
				s.safe[i] = h.tips[i]
			}
		}
	}
	for i, n := range s.safe {
		if n == 0 {
			kinds &^= 1 << i
		}
	}
	b := strconv.AppendInt([]byte(`{"heartbeat":`), now.UnixMilli(), 10)
	b = strconv.AppendUint(append(b, `,"dropped":`...), s.dropped, 10)
	b = strconv.AppendUint(append(b, `,"conflated":`...), s.conflated, 10)
	s.beat = append(appendSequences(append(b, `,"seq":`...), &s.safe, kinds), '}')
	h.metrics.conflated.Add(float64(s.conflated - s.counted))
	s.counted = s.conflated
	const small = 256
	if s.bytes == 0 && cap(s.queue) > small {
		s.queue = nil // most sessions never need a large one again
	}
	if len(s.marked) == 0 {
		s.marked, s.lanes = nil, slices.DeleteFunc(s.lanes, func(l *lane) bool { return l.class == classLatest || now.After(l.opens) })
	}
}
