package api

import (
	"time"

	"github.com/olahol/melody"
)

// receive does what a client's message asks for, or says why not. The socket
// stays open unless the client goes on with errors.
func (h *hub) receive(s *session, data []byte) {
	r, err := parseRequest(data)
	if err == nil {
		err = h.change(s, r)
	}
	if err != nil {
		h.fail(s, err)
		return
	}
	s.notify()
}

// fail tells a client its error.
func (h *hub) fail(s *session, err *clientError) {
	h.answer(s, encode(map[string]*clientError{"error": err}))
	s.notify()
	if s.errors.exceeded(time.Now()) {
		s.close(closure{code: melody.ClosePolicyViolation, reason: "abuse", text: "more than 100 errors within 10 s"})
	}
}

func (h *hub) answer(s *session, msg []byte) {
	if !s.reply(msg) {
		s.close(closure{code: melody.ClosePolicyViolation, reason: "abuse", text: "answers pile up unread"})
	}
}

// change adds subscriptions, then takes others away, so that a client that
// widens or narrows what it wants misses nothing in between.
func (h *hub) change(s *session, r request) *clientError {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, here := h.sessions[s]; !here {
		return nil
	}
	if n := s.after(r); n > maxSubscriptions {
		return refuse(codeTooMany, "this makes %d subscriptions, the limit is %d; a wildcard such as \"ticks.*\" takes in all", n, maxSubscriptions)
	}
	before := len(s.subs)
	if r.subscribe != nil {
		h.answer(s, listing("subscribed", r.subscribe))
		for _, p := range r.subscribe {
			h.index.add(s, p, func(sub *subject) {
				if sub.known {
					s.snapshot(sub)
				}
			})
		}
	}
	if r.unsubscribe != nil {
		for _, p := range r.unsubscribe {
			h.index.remove(s, p)
		}
		s.forget(func(sub *subject) bool { return sub.wantedBy(s) })
		h.answer(s, listing("unsubscribed", r.unsubscribe))
	}
	h.metrics.subscriptions.Add(float64(len(s.subs) - before))
	return nil
}

// after counts the subscriptions that s will have.
func (s *session) after(r request) int {
	n := len(s.subs)
	fresh := make(map[string]bool, len(r.subscribe))
	for _, p := range r.subscribe {
		if _, has := s.subs[p.text]; !has {
			fresh[p.text] = true
		}
	}
	n += len(fresh)
	gone := make(map[string]bool, len(r.unsubscribe))
	for _, p := range r.unsubscribe {
		if _, has := s.subs[p.text]; (has || fresh[p.text]) && !gone[p.text] {
			gone[p.text] = true
			n--
		}
	}
	return n
}

// join lets a session in.
func (h *hub) join(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sessions[s] = struct{}{}
	h.metrics.sessions.Inc()
}

// leave takes a session and its subscriptions out, and stops its pump.
func (h *hub) leave(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, here := h.sessions[s]; !here {
		return
	}
	delete(h.sessions, s)
	h.metrics.sessions.Dec()
	h.metrics.subscriptions.Sub(float64(len(s.subs)))
	for _, p := range s.subs {
		h.index.remove(s, p)
	}
	h.metrics.dropped.Add(float64(s.abandon()))
	s.close(closure{reason: "client"}) // unless we closed it
	h.metrics.closed.WithLabelValues(s.why.Load().(string)).Inc()
	close(s.done)
}

// closeAll ends every session with the same closure.
func (h *hub) closeAll(c closure) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.sessions {
		s.close(c)
	}
}
