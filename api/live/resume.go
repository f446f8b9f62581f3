package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/olahol/melody"

	"streamflow"
)

// resumer reads what resumed sessions missed.
type resumer struct {
	feed  Feed
	slots chan struct{} // how many may read at one time; none keeps its slot while its client is slow
	most  uint64        // how far back, in sequences
	chunk int           // bytes between two looks at the client
	wait  time.Duration // for a client that is slow, a hub that is behind, a feed that fails
}

func newResumer() resumer {
	return resumer{slots: make(chan struct{}, 4), most: 1_000_000, chunk: ownRoom / 4, wait: 10 * time.Millisecond}
}

// resume brings a session what it missed of one stream, and then lets its
// patterns join the index:
//
//	client has up to after | after+1 ... tip of the hub, out of the stream | live
//
// The tip moves on meanwhile, so this repeats until after is the tip, which is
// looked at and joined under the hub's lock: there is no gap and no overlap.
type resume struct {
	s        *session
	kind     int
	since    uint64
	after    uint64 // the session has all up to here
	epoch    int
	number   int                 // of the session's resumes
	patterns map[string]pattern  // guarded by the hub
	subjects map[string]*subject // not those of the hub: their newest message is one of the past
	filter   string
	cancel   context.CancelFunc
}

// missed is one message that is brought to a session.
type missed struct {
	sub      *subject
	sequence uint64
	msg      []byte
}

// resume starts one. The caller holds the hub's lock.
func (h *hub) resume(s *session, kind int, since uint64, patterns []pattern) {
	ctx, cancel := context.WithCancel(context.Background())
	r := &resume{
		s: s, kind: kind, since: since, after: since, epoch: h.epochs[kind], cancel: cancel,
		patterns: make(map[string]pattern), subjects: make(map[string]*subject), filter: kinds[kind].root + ".>",
	}
	for _, p := range patterns {
		r.patterns[p.text] = p
	}
	if len(r.patterns) == 1 {
		r.filter = patterns[0].text
	}
	s.begun++
	r.number = s.begun
	s.resumes[r] = struct{}{}
	go func() {
		outcome := h.bring(ctx, r)
		cancel()
		h.metrics.resumes.WithLabelValues(outcome).Inc()
		h.mu.Lock()
		delete(s.resumes, r)
		h.mu.Unlock()
		s.notify()
	}()
}

// errGone says that the stream does not hold what is asked for.
var errGone = errors.New("gone")

// bring runs a resume and returns how it ended.
func (h *hub) bring(ctx context.Context, r *resume) string {
	for ctx.Err() == nil {
		upTo, outcome := h.aim(r)
		if outcome != "" {
			return outcome
		}
		if upTo != 0 && r.s.roomy() {
			more, reached, err := h.read(ctx, r, upTo)
			switch {
			case errors.Is(err, errGone):
				return "gone"
			case err == nil:
				h.hand(r, more, reached)
				continue
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(h.replay.wait):
		}
	}
	return "cancelled"
}

// aim looks where the hub is: it lets the session join if it has caught up, or
// returns up to where to read.
func (h *hub) aim(r *resume) (upTo uint64, outcome string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	tip := h.tips[r.kind]
	switch {
	case r.waits(), h.seeded&(1<<r.kind) == 0:
		return 0, ""
	case r.epoch != h.epochs[r.kind]:
		h.gone(r, 0, tip)
		return 0, "gone"
	case tip < r.after:
		return r.after, "" // read: it tells whether the stream ends before that
	case tip > r.after && tip-r.after > h.replay.most:
		r.s.close(closure{code: melody.CloseTryAgainLater, reason: "slow",
			text: fmt.Sprintf("too slow to resume: %d messages behind", tip-r.after)})
		return 0, "slow"
	case tip > r.after:
		return tip, ""
	}
	if r.s.holds(r.subjects) {
		return 0, "" // its live messages would overtake these
	}
	for text, p := range r.patterns {
		if mine := r.s.subs[text]; mine != nil && mine.group == nil {
			mine.group = h.index.join(r.s, p, classAll)
		}
	}
	r.s.say(&subject{fixed: true, msg: []byte(`{"resumed":`), done: 1 << r.kind})
	return 0, "resumed"
}

// waits reports whether an earlier resume of the same stream goes on. Their
// patterns may overlap, and what the first lets join the second leaves out.
func (r *resume) waits() bool {
	for o := range r.s.resumes {
		if o.kind == r.kind && o.number < r.number {
			return true
		}
	}
	return false
}

// holds reports whether subjects of a resume are marked.
func (o *outbox) holds(subjects map[string]*subject) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.marked) == 0 {
		return false
	}
	for _, sub := range subjects {
		if _, waits := o.marked[sub]; waits {
			return true
		}
	}
	return false
}

var errFull = errors.New("full")

// read reads some of what lies behind r.after and up to upTo, and returns up
// to where that is all. What the stream has lost is looked for behind the
// reading: what was there then was read.
func (h *hub) read(ctx context.Context, r *resume, upTo uint64) (more []missed, reached uint64, err error) {
	select {
	case h.replay.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	defer func() { <-h.replay.slots }()
	stream, bytes, now := kinds[r.kind].stream, 0, time.Now()
	if upTo > r.after {
		err = h.replay.feed.Range(ctx, stream, r.filter, r.after, upTo, func(batch []streamflow.Message) error {
			for i := range batch {
				m := &batch[i]
				if m.Sequence <= r.after || m.Sequence > upTo || !belongs(r.kind, m) || !h.takes(r, m.Subject) {
					continue
				}
				msg := r.encode(m, now)
				more = append(more, msg)
				if bytes += len(msg.msg) + messageCost; bytes >= h.replay.chunk {
					upTo = m.Sequence
					return errFull
				}
			}
			return nil
		})
	}
	if err != nil && !errors.Is(err, errFull) {
		return nil, 0, err
	}
	first, last, err := h.replay.feed.Bounds(ctx, stream)
	if err != nil {
		return nil, 0, err
	}
	if r.after+1 < first || r.after > last {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.gone(r, first, last)
		return nil, 0, errGone
	}
	if upTo == r.after { // the hub is behind the client
		return nil, 0, errFull
	}
	return more, upTo, nil
}

// takes reports whether a subject is one of those to be resumed, and not live
// by another subscription.
func (h *hub) takes(r *resume, name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.takesLocked(r, name)
}

func (h *hub) takesLocked(r *resume, name string) bool {
	if sub := h.memory.byName[name]; sub != nil && sub.wantedBy(r.s) {
		return false
	}
	for _, p := range r.patterns {
		if p.matches(name) {
			return true
		}
	}
	return false
}

// encode makes a message of the past.
func (r *resume) encode(m *streamflow.Message, now time.Time) missed {
	sub := r.subjects[m.Subject]
	if sub == nil {
		sub = &subject{name: m.Subject, kind: r.kind}
		r.subjects[m.Subject] = sub
	}
	msg := appendMessage(nil, r.kind, m, sub.prev, now)
	sub.prev = m.Sequence
	return missed{sub: sub, sequence: m.Sequence, msg: msg}
}

// hand puts what was read into the outbox.
func (h *hub) hand(r *resume, more []missed, reached uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	dropped := 0
	for i := range more {
		m := &more[i]
		if h.takesLocked(r, m.sub.name) { // still
			m.sub.msg = m.msg // what remains of it if the outbox overflows
			dropped += r.s.push(m.sub, m.msg, m.sequence)
		}
	}
	r.after = reached
	if dropped > 0 {
		h.metrics.dropped.Add(float64(dropped))
	}
	r.s.notify()
}

// gone tells a client that the stream does not hold what it asked for, and
// what is there; the subscriptions go on as new ones do. The caller holds the
// hub's lock.
func (h *hub) gone(r *resume, first, last uint64) {
	said := fmt.Sprintf(`{"gone":{"%s":{"since":%d,"first":%d,"last":%d}}}`, kinds[r.kind].stream, r.since, first, last)
	r.s.say(&subject{fixed: true, msg: []byte(said)})
	for text, p := range r.patterns {
		if mine := r.s.subs[text]; mine != nil && mine.group == nil {
			h.snapshot(r.s, p)
			mine.group = h.index.join(r.s, p, classAll)
		}
	}
	r.s.say(&subject{fixed: true, msg: []byte(`{"snapshot":"done","seq":`), done: 1 << r.kind})
}
