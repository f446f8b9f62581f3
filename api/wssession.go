package api

import (
	"fmt"
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

// maxInFlight is how many frames melody may hold: one that it writes and the
// next. melody drops what does not fit its buffer without a word, so it is
// never handed more.
const maxInFlight = 2

// session is one websocket client. Its pump joins what waits in the outbox
// into frames and hands them to melody, no faster than the client takes them,
// so a slow client holds up nobody but itself.
type session struct {
	outbox
	subs    map[string]pattern // guarded by the hub
	stamp   uint64             // guarded by the hub: the last message pushed
	batch   uint64             // guarded by the hub: the last batch in which it was touched
	wire    wire
	hang    func() // cuts the connection
	wake    chan struct{}
	done    chan struct{}
	flight  atomic.Int32
	lastOut atomic.Int64 // when melody last wrote a frame, or had none; unix nanoseconds

	closing sync.Once
	closed  chan closure // holds the one closure
	why     atomic.Value // string: its reason
	errors  errorWindow  // used by the reader only
}

// closure says how a session ends.
type closure struct {
	code   int
	reason string // label of the metric
	text   string // for the client, at most 123 bytes
	drain  bool   // send what waits first
}

func newSession() *session {
	return &session{
		subs: make(map[string]pattern),
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

// sent is called when melody has written a frame.
func (s *session) sent(frame []byte) {
	s.lastOut.Store(time.Now().UnixNano())
	if cap(frame) <= 2*maxFrame {
		frames.Put(&frame)
	}
	s.flight.Add(-1)
	s.notify()
}

// pump runs until the connection is gone.
func (s *session) pump(h *hub) {
	beat := time.NewTicker(h.heartbeat)
	defer beat.Stop()
	var parts []part
	for {
		select {
		case <-s.done:
			return
		case c := <-s.closed:
			s.end(h, c, parts)
			return
		case <-beat.C:
			s.heartbeat()
			if s.stalled(h) {
				s.close(closure{code: melody.CloseTryAgainLater, reason: "slow",
					text: fmt.Sprintf("nothing taken for %s; %d messages dropped", h.stall, s.total())})
				continue
			}
		case <-s.wake:
		}
		parts = s.flush(h, parts)
	}
}

// flush hands melody frames while it takes some and there are some.
func (s *session) flush(h *hub, parts []part) []part {
	for s.flight.Load() < maxInFlight {
		waits, needsHub := s.state()
		if !waits {
			break
		}
		if s.flight.Load() == 0 {
			s.lastOut.Store(time.Now().UnixNano()) // the wait for the client starts here
		}
		if parts = h.take(s, parts[:0], needsHub); len(parts) == 0 {
			break
		}
		frame := join((*frames.Get().(*[]byte))[:0], parts)
		s.flight.Add(1)
		if s.wire.Write(frame) != nil {
			break // closed: done follows
		}
		h.metrics.frames.Inc()
		h.metrics.messages.Add(float64(len(parts)))
	}
	clear(parts[:cap(parts)]) // or the next frame would keep this one's messages alive
	return parts
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
		parts = s.flush(h, parts)
		if waits, _ := s.state(); !waits {
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
