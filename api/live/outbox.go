package live

import (
	"slices"
	"sync"
	"time"
)

// Bounds of what waits for one session.
const (
	maxAnswers  = 256 << 10 // bytes of answers to the client's own messages
	messageCost = 64        // bytes that a waiting message costs beside its text
)

// outbox is what waits to be sent to one session. Of what a session wants all
// of, every message waits in queue, as long as the client keeps up. Of what it
// wants the newest of, and of all when queue has passed its bound, only the
// subjects are remembered, and the newest message of each is taken when the
// client takes data again. So what a session holds is bounded, and the newest
// value of a subject is never lost.
//
// A subject stands in queue or is marked, never both, so its messages keep
// their order.
type outbox struct {
	mu      sync.Mutex
	answers [][]byte
	queue   []queued
	head    int // of queue: what stands before it was taken
	bytes   int // in queue
	room    room
	marked  map[*subject]mark
	lanes   []*lane // by class; the first is that of classLatest
	answer  int     // bytes in answers
	beat    []byte  // the heartbeat that is due

	untold    uint64             // dropped since the client was last told
	first     [countKinds]uint64 // of each stream, the sequence of the first of those
	dropped   uint64             // in all
	conflated uint64             // in all
}

type queued struct {
	subject  *subject
	msg      []byte
	sequence uint64
}

// mark says why the newest message of a subject is due.
type mark uint8

const (
	asNews     mark = iota
	asSnapshot      // the session has none of the subject yet
)

// lane is the marked subjects of one class. It is open at one moment of each
// period, and of classLatest always.
type lane struct {
	class class
	order []*subject // first come, first served
	opens time.Time
}

// push adds a live message that the session must have, which the hub calls in
// stream order. conflated and dropped are how many messages it left out.
func (o *outbox) push(sub *subject, msg []byte, sequence uint64) (dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	cost := len(msg) + messageCost
	if _, waits := o.marked[sub]; !waits && o.bytes > 0 && !o.room.holds(o.bytes+cost) {
		dropped = o.overflow()
	}
	if why, waits := o.marked[sub]; waits {
		if why == asSnapshot { // nothing is lost: the snapshot is taken later
			return dropped
		}
		o.drop(sub, sub.prev)
		return dropped + 1
	}
	o.queue = append(o.queue, queued{sub, msg, sequence})
	o.bytes += cost
	return dropped
}

// news says that a subject of which the newest is enough has a new one. It
// reports whether that was not known yet.
func (o *outbox) news(sub *subject, c class) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if why, waits := o.marked[sub]; waits {
		if why == asNews {
			o.conflated++
		}
		return false
	}
	o.mark(sub, asNews, c)
	return true
}

// overflow moves the subjects of the queue to the marked ones and returns how
// many messages that drops.
func (o *outbox) overflow() (dropped int) {
	l := o.lane(classLatest)
	before := len(l.order)
	for i := len(o.queue) - 1; i >= o.head; i-- { // the last of each subject is not lost
		q := &o.queue[i]
		if _, again := o.marked[q.subject]; again {
			o.drop(q.subject, q.sequence)
			dropped++
			continue
		}
		o.mark(q.subject, asNews, classLatest)
	}
	slices.Reverse(l.order[before:])
	o.clearQueue()
	return dropped
}

// drop counts a message that the client never gets.
func (o *outbox) drop(sub *subject, sequence uint64) {
	o.untold++
	o.dropped++
	if first := &o.first[sub.kind]; *first == 0 || sequence < *first {
		*first = max(sequence, 1)
	}
}

// mark makes the newest message of a subject due.
func (o *outbox) mark(sub *subject, why mark, c class) {
	if _, waits := o.marked[sub]; waits {
		return
	}
	if o.marked == nil {
		o.marked = make(map[*subject]mark)
	}
	o.marked[sub] = why
	l := o.lane(c)
	l.order = append(l.order, sub)
}

// lane returns the lane of a class, made where it is new.
func (o *outbox) lane(c class) *lane {
	if len(o.lanes) == 0 {
		o.lanes = []*lane{{class: classLatest}}
	}
	i, found := slices.BinarySearchFunc(o.lanes, c, func(l *lane, c class) int { return int(l.class - c) })
	if !found {
		o.lanes = slices.Insert(o.lanes, i, &lane{class: c})
	}
	return o.lanes[i]
}

// snapshot makes the newest message of a subject due, marked as a snapshot.
func (o *outbox) snapshot(sub *subject) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mark(sub, asSnapshot, classLatest)
}

// say adds a word of the server that must stand behind what waits: sub.msg, or
// what the hub makes of it when it is taken.
func (o *outbox) say(sub *subject) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mark(sub, asNews, classLatest)
}

// reply adds the answer to a client's message, and reports whether the client
// still takes its answers.
func (o *outbox) reply(msg []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answers = append(o.answers, msg)
	o.answer += len(msg)
	return o.answer <= maxAnswers
}

// forget takes out what waits of subjects that are not wanted any more.
func (o *outbox) forget(wanted func(*subject) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.lanes {
		l.order = slices.DeleteFunc(l.order, func(sub *subject) bool {
			gone := !sub.fixed && !wanted(sub)
			if gone {
				delete(o.marked, sub)
			}
			return gone
		})
	}
	o.queue = slices.DeleteFunc(slices.Delete(o.queue, 0, o.head), func(q queued) bool {
		gone := !wanted(q.subject)
		if gone {
			o.bytes -= len(q.msg) + messageCost
		}
		return gone
	})
	o.head = 0
}

// hasten opens all lanes at once: what they hold back may be wanted sooner now.
func (o *outbox) hasten() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.lanes {
		l.opens = time.Time{}
	}
}

// clearQueue empties the queue and keeps its array.
func (o *outbox) clearQueue() {
	clear(o.queue)
	o.queue, o.head, o.bytes = o.queue[:0], 0, 0
	o.room.giveBack()
}

// roomy reports whether the queue takes much more.
func (o *outbox) roomy() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes < ownRoom/4
}

// counts returns how many messages were left out since the session began.
func (o *outbox) counts() (dropped, conflated uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.dropped, o.conflated
}

// abandon empties the outbox of a session that is gone, and returns how many
// messages it never sent.
func (o *outbox) abandon() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(o.marked) + len(o.queue) - o.head
	o.lanes, o.marked, o.answers, o.beat = nil, nil, nil, nil
	o.clearQueue()
	return n
}
