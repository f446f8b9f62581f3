package api

import (
	"sync"
	"time"

	"streamflow"
)

// hub keeps the newest message of every subject and hands live messages to the
// sessions that want them. One lock guards both, so that a session's snapshot
// and its first live message meet without a gap and without an overlap.
type hub struct {
	mu       sync.Mutex
	index    index
	sessions map[*session]struct{}
	touched  []*session // of the batch being published
	batches  uint64
	stamps   uint64
	scratch  []byte
	metrics  *wsMetrics

	heartbeat time.Duration // between heartbeats
	stall     time.Duration // how long a client may take nothing
	grace     time.Duration // between a close and the cut of the connection
}

func newHub(m *wsMetrics) *hub {
	return &hub{
		index: newIndex(), sessions: make(map[*session]struct{}), metrics: m,
		heartbeat: 5 * time.Second, stall: 30 * time.Second, grace: 5 * time.Second,
	}
}

// seed takes the newest tick of every symbol. Sessions that came before it get
// theirs as snapshots now.
func (h *hub) seed(newest []streamflow.Mirrored, taken time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.batches++
	for i := range newest {
		sub := h.index.subjectOf(newest[i].Tick.Symbol)
		known := sub.known
		sub.set(&newest[i], taken)
		if known { // from before the stream was rebuilt: this is news
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
	h.notifyTouched()
}

// publish takes a batch of live ticks in stream order. It encodes a tick only
// if somebody wants it, and then once.
func (h *hub) publish(batch []streamflow.Mirrored, taken time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.batches++
	conflated := 0
	for i := range batch {
		sub := h.index.subjectOf(batch[i].Tick.Symbol)
		sub.set(&batch[i], taken)
		if len(sub.groups) > 0 {
			conflated += h.deliver(sub)
		}
	}
	if conflated > 0 {
		h.metrics.conflated.Add(float64(conflated))
	}
	h.notifyTouched()
}

// touch remembers to wake s at the end of the batch, and not before, so that
// the messages of a batch share frames.
func (h *hub) touch(s *session) {
	if s.batch != h.batches {
		s.batch = h.batches
		h.touched = append(h.touched, s)
	}
}

func (h *hub) notifyTouched() {
	for i, s := range h.touched {
		s.notify()
		h.touched[i] = nil
	}
	h.touched = h.touched[:0]
}

// deliver pushes the newest message of a subject to each session that wants
// it, once, however many of its patterns match.
func (h *hub) deliver(sub *subject) (conflated int) {
	msg := h.encoded(sub)
	h.stamps++
	for _, g := range sub.groups {
		for _, s := range g.members {
			if s.stamp == h.stamps {
				continue
			}
			s.stamp = h.stamps
			conflated += s.push(sub, msg)
			h.touch(s)
		}
	}
	return conflated
}

// encoded returns the newest message of a subject as JSON, shared by all.
func (h *hub) encoded(sub *subject) []byte {
	if sub.msg == nil {
		h.scratch = appendData(h.scratch[:0], sub.name, &sub.newest, sub.taken)
		sub.msg = append(make([]byte, 0, len(h.scratch)), h.scratch...)
	}
	return sub.msg
}

// take fills parts from the outbox of s. Newest messages are read under the
// hub's lock: what is published after is pushed after, so nothing is sent
// twice or out of order.
func (h *hub) take(s *session, parts []part, needsHub bool) []part {
	now := time.Now()
	if !needsHub {
		return s.outbox.take(parts, now, nil)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return s.outbox.take(parts, now, h.encoded)
}

// set makes m the newest message. It copies what m points to into memory that
// the subject keeps.
func (sub *subject) set(m *streamflow.Mirrored, taken time.Time) {
	extra, hops := sub.newest.Tick.Extra[:0], sub.newest.Hops[:0]
	sub.newest = *m
	sub.newest.Tick.Extra = append(extra, m.Tick.Extra...)
	sub.newest.Hops = append(hops, m.Hops...)
	sub.taken, sub.msg, sub.known = taken, nil, true
}
