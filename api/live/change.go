package live

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/olahol/melody"
)

// subscription is one pattern of a session.
type subscription struct {
	pattern pattern
	class   class
	group   *group // nil while it is resumed
}

// receive does what a client's message asks for, or says why not. The socket
// stays open unless the client goes on with errors. It returns how many
// subjects were looked at.
func (h *hub) receive(s *session, data []byte) (looked int) {
	r, err := parseRequest(data)
	if err == nil {
		looked, err = h.change(s, &r)
	}
	if err != nil {
		h.fail(s, err)
		return looked
	}
	if r.ping != nil {
		b := strconv.AppendInt([]byte(`{"pong":`), *r.ping, 10)
		b = strconv.AppendInt(append(b, `,"time":`...), time.Now().UnixMilli(), 10)
		h.answer(s, append(b, '}'))
	}
	s.notify()
	return looked
}

// fail tells a client its error.
func (h *hub) fail(s *session, err *clientError) {
	h.metrics.errors.WithLabelValues(err.Code).Inc()
	h.answer(s, encode(map[string]*clientError{"error": err}))
	s.notify()
	if s.errors.exceeded(time.Now()) {
		s.close(closure{code: melody.ClosePolicyViolation, reason: "abuse",
			text: fmt.Sprintf("more than %d errors within %s", maxErrors, errorPeriod)})
	}
}

func (h *hub) answer(s *session, msg []byte) {
	if !s.reply(msg) {
		s.close(closure{code: melody.ClosePolicyViolation, reason: "abuse", text: "answers pile up unread"})
	}
}

// change adds subscriptions, then takes others away, so that a client that
// widens or narrows what it wants misses nothing in between.
func (h *hub) change(s *session, r *request) (looked int, err *clientError) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, here := h.sessions[s]; !here {
		return 0, nil
	}
	if err := h.permit(s, r); err != nil {
		return 0, err
	}
	if r.batch != nil {
		s.batched.Store(*r.batch)
		if r.subscribe == nil && r.unsubscribe == nil && r.ping == nil {
			h.answer(s, strconv.AppendBool([]byte(`{"batch":`), *r.batch))
			s.answers[len(s.answers)-1] = append(s.answers[len(s.answers)-1], '}')
		}
	}
	before := len(s.subs)
	if r.subscribe != nil {
		h.answer(s, listing("subscribed", r.subscribe))
		looked += h.subscribe(s, r)
	}
	if r.unsubscribe != nil {
		for _, p := range r.unsubscribe {
			h.unsubscribe(s, p.text)
		}
		s.forget(func(sub *subject) bool { return h.asked(s, sub.name) })
		h.answer(s, listing("unsubscribed", r.unsubscribe))
	}
	h.metrics.subscriptions.Add(float64(len(s.subs) - before))
	return looked, nil
}

// permit says why a request cannot be done.
func (h *hub) permit(s *session, r *request) *clientError {
	if n := s.after(r); n > maxSubscriptions {
		return refuse(codeTooMany, "this makes %d subscriptions, the limit is %d; a wildcard such as \"ticks.*\" takes in all", n, maxSubscriptions)
	}
	rates := map[class]bool{r.class: true, classAll: true, classLatest: true}
	for _, sub := range s.subs {
		rates[sub.class] = true
	}
	if len(rates) > maxRates+2 {
		return refuse(codeTooMany, "this makes %d different values of maxRate, the limit is %d", len(rates)-2, maxRates)
	}
	for _, p := range r.subscribe {
		if root := h.forbidden(s, p); root != "" {
			return refuse(codeForbidden, "subject %.80q: %s needs a key with more rights, or name the other kinds only", p.text, root)
		}
	}
	for i, k := range kinds {
		if tip, since := h.tips[i], r.since[i]; r.resumes&(1<<i) != 0 && tip > since && tip-since > h.replay.most {
			return refuse(codeTooFar, "since: %s %d is %d messages back, the limit is %d: ask GET /api for what is older than %d, and subscribe with that, or without since",
				k.stream, since, tip-since, h.replay.most, tip-h.replay.most)
		}
	}
	return nil
}

// forbidden returns the first root of a pattern that the client may not see.
func (h *hub) forbidden(s *session, p pattern) string {
	for i, k := range kinds {
		if h.allow != nil && p.kinds&(1<<i) != 0 && !h.allow(s.request, k.root) {
			return k.root
		}
	}
	return ""
}

// after counts the subscriptions that s will have.
func (s *session) after(r *request) int {
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

// subscribe adds what a request subscribes and returns how many subjects it
// looked at. What is to be resumed joins the index later, see [resume].
func (h *hub) subscribe(s *session, r *request) (looked int) {
	s.hasten()
	var fresh uint16
	resumed := make([][]pattern, countKinds)
	for _, p := range r.subscribe {
		if kind := p.kind(); kind >= 0 && r.resumes&(1<<kind) != 0 {
			if s.subs[p.text] != nil { // again: what waits of it comes out of the stream
				h.unsubscribe(s, p.text)
				s.forget(func(sub *subject) bool { return h.asked(s, sub.name) })
			}
			s.subs[p.text] = &subscription{pattern: p, class: classAll}
			resumed[kind] = append(resumed[kind], p)
			continue
		}
		if old := s.subs[p.text]; old != nil {
			if old.group != nil && old.class != r.class {
				h.index.leave(s, old.group)
				old.class, old.group = r.class, h.index.join(s, p, r.class)
			}
			continue
		}
		fresh |= p.kinds
		looked += h.snapshot(s, p)
		s.subs[p.text] = &subscription{pattern: p, class: r.class, group: h.index.join(s, p, r.class)}
	}
	if fresh != 0 {
		s.say(&subject{fixed: true, msg: []byte(`{"snapshot":"done","seq":`), done: fresh})
	}
	for kind, patterns := range resumed {
		if len(patterns) > 0 {
			h.resume(s, kind, r.since[kind], patterns)
		}
	}
	return looked
}

// kind returns the one kind of a pattern that names it, -1 if it names none.
func (p *pattern) kind() int {
	if p.tokens[0] == "*" || p.tokens[0] == ">" {
		return -1
	}
	return kindOf(p.text)
}

// snapshot makes due the newest message of each subject that a pattern adds.
func (h *hub) snapshot(s *session, p pattern) (looked int) {
	h.index.top.each(p.tokens, func(sub *subject) {
		looked++
		if sub.known && !sub.wantedBy(s) {
			s.snapshot(sub)
		}
	})
	return looked
}

// unsubscribe takes one subscription away.
func (h *hub) unsubscribe(s *session, text string) {
	old := s.subs[text]
	if old == nil {
		return
	}
	delete(s.subs, text)
	if old.group != nil {
		h.index.leave(s, old.group)
		return
	}
	for r := range s.resumes {
		if delete(r.patterns, text); len(r.patterns) == 0 {
			r.cancel()
		}
	}
}

// wantedBy reports whether a live subscription of s takes in the subject.
func (sub *subject) wantedBy(s *session) bool {
	for _, g := range sub.groups {
		if mine := s.subs[g.pattern.text]; mine != nil && mine.group == g {
			return true
		}
	}
	return false
}

// asked reports whether any subscription of s takes in a subject, live or
// being resumed.
func (h *hub) asked(s *session, name string) bool {
	if sub := h.memory.byName[name]; sub != nil && sub.wantedBy(s) {
		return true
	}
	for _, mine := range s.subs {
		if mine.pattern.matches(name) {
			return true
		}
	}
	return false
}

// kinds returns a bit for each kind that s has subscribed.
func (s *session) kinds() (set uint16) {
	for _, sub := range s.subs {
		set |= sub.pattern.kinds
	}
	return set
}

// resuming returns a bit for each kind of which a resume is under way.
func (s *session) resuming() (set uint16) {
	for r := range s.resumes {
		set |= 1 << r.kind
	}
	return set
}

// join lets a session in.
func (h *hub) join(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sessions[s] = struct{}{}
	s.room.lender = &h.shared
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
	for text := range s.subs {
		h.unsubscribe(s, text)
	}
	_, conflated := s.counts()
	h.metrics.conflated.Add(float64(conflated - s.counted))
	h.metrics.dropped.Add(float64(s.abandon()))
	s.close(closure{reason: "client"}) // unless we closed it
	h.metrics.closed.WithLabelValues(strings.Clone(s.why.Load().(string))).Inc()
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
