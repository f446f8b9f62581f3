package live

import "sync/atomic"

// Bounds of the messages that wait for sessions, in bytes. A busy stream brings
// two or three MiB a second, and after a pause of a machine or of a browser the
// messages of that pause at once: a session that takes its messages must not
// lose any by that, so beside its own room it borrows of one that all share.
// Who really is too slow fills it and overflows, which gives all back.
const (
	ownRoom    = 1 << 20   // of each session
	mostRoom   = 16 << 20  // of one session with what it borrowed
	sharedRoom = 128 << 20 // that all sessions borrow of
	roomStep   = 1 << 20   // that are borrowed at once
)

// lender is the room that sessions share.
type lender struct {
	most int64
	lent atomic.Int64
}

// lend reports whether there was so much.
func (l *lender) lend(bytes int64) bool {
	if l.lent.Add(bytes) <= l.most {
		return true
	}
	l.lent.Add(-bytes)
	return false
}

// room is how much may wait for one session.
type room struct {
	lender   *lender // nil: there is none but its own
	borrowed int64
}

// holds reports whether there is room for so much, and borrows what it takes.
func (r *room) holds(bytes int) bool {
	if bytes > mostRoom {
		return false
	}
	for int64(bytes) > ownRoom+r.borrowed {
		if r.lender == nil || !r.lender.lend(roomStep) {
			return false
		}
		r.borrowed += roomStep
	}
	return true
}

// giveBack returns what was borrowed.
func (r *room) giveBack() {
	if r.borrowed > 0 {
		r.lender.lent.Add(-r.borrowed)
		r.borrowed = 0
	}
}
