package live

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/olahol/melody"
)

// wire is what a session writes to: a melody session.
type wire interface {
	Write(frame []byte) error
	CloseWithMsg(msg []byte) error
}

// How many frames melody may hold. It drops what does not fit its buffer
// without a word, so it is never handed more. Of frames with many messages two
// are enough: one that it writes and the next.
const (
	maxInFlight = 64
	maxBatches  = 2
)

// session is one websocket client. Its pump joins what waits in the outbox
// into frames and hands them to melody, no faster than the client takes them,
// so a slow client holds up nobody but itself.
type session struct {
	outbox
	subs    map[string]*subscription // guarded by the hub
	resumes map[*resume]struct{}     // guarded by the hub: those under way
	begun   int                      // guarded by the hub: how many resumes there were
	safe    [countKinds]uint64       // guarded by the hub: see [hub.heart]
	stamp   uint64                   // guarded by the hub: the last message pushed
	batch   uint64                   // guarded by the hub: the last batch in which it was touched
	behind  time.Time                // guarded by the hub: when it began to overflow
	spilled time.Time                // guarded by the hub: when it last overflowed
	counted uint64                   // guarded by the hub: how many conflated messages the metrics have
	request *http.Request
	wire    wire
	hang    func() // cuts the connection
	wake    chan struct{}
	done    chan struct{}
	batched atomic.Bool  // several messages to a frame
	flight  atomic.Int32 // frames
	load    atomic.Int64 // bytes of them
	lastOut atomic.Int64 // when melody last wrote a frame, or had none; unix nanoseconds

	closing sync.Once
	closed  chan closure // holds the one closure
	why     atomic.Value // string: its reason
	errors  errorWindow  // used by the reader only
	pace    pace         // used by the reader only
}

// closure says how a session ends.
type closure struct {
	code   int
	reason string // label of the metric
	text   string // for the client, at most 123 bytes
	drain  bool   // send what waits first
}

func newSession(r *http.Request) *session {
	return &session{
		subs: make(map[string]*subscription), resumes: make(map[*resume]struct{}), request: r,
		hang: func() {},
		wake: make(chan struct{}, 1), done: make(chan struct{}), closed: make(chan closure, 1),
	}
}

// notify wakes the pump.
func (s *session) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// close ends the session; the first call counts.
func (s *session) close(c closure) {
	s.closing.Do(func() {
		s.why.Store(c.reason)
		s.closed <- c
	})
}

// overflowed notes that messages were dropped, and ends a session that goes on
// like that. The caller holds the hub's lock.
func (s *session) overflowed(h *hub, now time.Time) {
	if now.Sub(s.spilled) > h.stall {
		s.behind = now
	}
	s.spilled = now
	if now.Sub(s.behind) > h.patience {
		dropped, _ := s.counts()
		s.close(closure{code: melody.CloseTryAgainLater, reason: "slow",
			text: fmt.Sprintf("too slow for %s; %d messages dropped; narrow the subscriptions or use mode latest", h.patience, dropped)})
	}
}

// most is how many frames melody may hold.
func (s *session) most() int32 {
	if s.batched.Load() {
		return maxBatches
	}
	return maxInFlight
}

// sent is called when melody has written a frame.
func (s *session) sent(frame []byte) {
	s.lastOut.Store(time.Now().UnixNano())
	s.load.Add(-int64(len(frame)))
	if cap(frame) <= 2*maxFrame {
		frames.Put(&frame)
	}
	// The pump stops at most(): it is woken when half of that is gone, not by
	// every frame.
	if n := s.flight.Add(-1); n == 0 || n == s.most()/2 {
		s.notify()
	}
}

// pump runs until the connection is gone.
func (s *session) pump(h *hub) {
	beat := time.NewTicker(h.heartbeat)
	defer beat.Stop()
	lane := time.NewTimer(time.Hour)
	defer lane.Stop()
	var parts []part
	var next time.Time
	for {
		if lane.Stop(); !next.IsZero() {
			lane.Reset(time.Until(next))
		}
		select {
		case <-s.done:
			return
		case c := <-s.closed:
			s.end(h, c, parts)
			return
		case now := <-beat.C:
			if s.stalled(h) {
				dropped, _ := s.counts()
				s.close(closure{code: melody.CloseTryAgainLater, reason: "slow",
					text: fmt.Sprintf("nothing taken for %s; %d messages dropped", h.stall, dropped)})
				continue
			}
			h.heart(s, now)
		case <-lane.C:
		case <-s.wake:
		}
		parts, next = s.flush(h, parts)
	}
}

// flush hands melody frames while it takes some and there are some. next is
// when more can be taken, if that is a matter of time.
func (s *session) flush(h *hub, parts []part) (_ []part, next time.Time) {
	defer func() { clear(parts[:cap(parts)]) }() // or the next frame would keep this one's messages alive
	for {
		free := int(s.most() - s.flight.Load())
		if free <= 0 || s.load.Load() >= maxBatches*maxFrame {
			return parts, time.Time{}
		}
		now := time.Now()
		waits, needsHub, opens := s.state(now)
		if !waits {
			return parts, opens
		}
		if s.flight.Load() == 0 {
			s.lastOut.Store(now.UnixNano()) // the wait for the client starts here
		}
		one := !s.batched.Load()
		if !one {
			free = 1 << 20 // messages, of one frame
		}
		if parts = h.take(s, parts[:0], free, now, needsHub); len(parts) == 0 {
			return parts, opens
		}
		if !s.write(h, parts, one) {
			return parts, time.Time{} // closed: done follows
		}
	}
}

// write hands parts to melody, as one frame or as one each.
func (s *session) write(h *hub, parts []part, one bool) bool {
	h.metrics.count(parts)
	n := len(parts)
	if one {
		n = 1
	}
	for len(parts) > 0 {
		frame := join((*frames.Get().(*[]byte))[:0], parts[:n])
		h.tracing.sending(frame, parts[:n])
		parts = parts[n:]
		s.load.Add(int64(len(frame)))
		s.flight.Add(1)
		if s.wire.Write(frame) != nil {
			return false
		}
		h.metrics.frames.Inc()
	}
	return true
}

// stalled reports whether the client has taken nothing for too long.
func (s *session) stalled(h *hub) bool {
	return s.flight.Load() > 0 && time.Since(time.Unix(0, s.lastOut.Load())) > h.stall
}

// end closes the connection. melody writes the close frame after the frames in
// flight; where the client takes nothing it would be lost, so the connection
// is cut after a grace.
func (s *session) end(h *hub, c closure, parts []part) {
	cut := time.AfterFunc(h.grace, s.hang)
	defer cut.Stop()
	for c.drain {
		parts, _ = s.flush(h, parts)
		if waits, _, _ := s.state(time.Now()); !waits {
			break
		}
		select {
		case <-s.wake:
		case <-s.done:
			return
		}
	}
	_ = s.wire.CloseWithMsg(melody.FormatCloseMessage(c.code, c.text))
	<-s.done
}

// errorWindow counts the errors of one client.
type errorWindow struct {
	began time.Time
	count int
}

// Errors that a client may cause within a window.
const (
	maxErrors   = 100
	errorPeriod = 10 * time.Second
)

// exceeded counts one error and reports whether it is one too many.
func (w *errorWindow) exceeded(now time.Time) bool {
	if now.Sub(w.began) > errorPeriod {
		w.began, w.count = now, 0
	}
	w.count++
	return w.count > maxErrors
}

// pace slows a client that makes the hub look through many subjects again and
// again: it waits in its own reader, where nobody else does.
type pace struct {
	spent time.Duration
	last  time.Time
}

// Each subject that a change of subscriptions touches costs paceCost; paceFree
// of that is free in each second, or so.
const (
	paceCost = 2 * time.Microsecond
	paceFree = 200 * time.Millisecond
)

// wait takes what a change cost, and returns how long to wait for it.
func (p *pace) wait(subjects int, now time.Time) time.Duration {
	p.spent = max(0, p.spent-now.Sub(p.last)/5) + time.Duration(subjects+10)*paceCost
	p.last = now
	return max(0, p.spent-paceFree)
}

// read does what a client's message asks for, and holds the client back where
// that was much.
func (s *session) read(h *hub, data []byte) {
	wait := s.pace.wait(h.receive(s, data), time.Now())
	if wait == 0 {
		return
	}
	select {
	case <-s.done:
	case <-time.After(min(wait, time.Second)):
	}
}
