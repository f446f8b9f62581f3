package api

import "sync"

// Bounds of what waits for one session.
const (
	maxPending  = 1 << 20   // bytes of data
	maxAnswers  = 256 << 10 // bytes of answers to the client's own messages
	messageCost = 64        // bytes that a waiting message costs beside its text
)

// outbox is what waits to be sent to one session. As long as the client keeps
// up, every message waits in queue. When queue passes its bound, the outbox
// conflates: it forgets the messages and remembers their subjects only, and
// takes the newest message of each when the client takes data again. So what a
// session holds is bounded, and the newest value of a subject is never lost.
//
// A subject stands in queue or in latest, never in both, so its messages keep
// their order.
type outbox struct {
	mu      sync.Mutex
	answers [][]byte
	queue   []queued
	latest  map[*subject]bool // to send the newest of; true: as a snapshot
	order   []*subject        // of latest, first come first served
	bytes   int               // in queue
	answer  int               // bytes in answers
	dropped uint64            // since the client was last told
	lost    uint64            // in all
	beat    bool              // a heartbeat is due
}

type queued struct {
	subject *subject
	msg     []byte
}

// push adds a live message, which the hub calls in stream order.
func (o *outbox) push(sub *subject, msg []byte) (conflated int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	cost := len(msg) + messageCost
	if _, waits := o.latest[sub]; !waits && o.bytes > 0 && o.bytes+cost > maxPending {
		conflated = o.conflate()
	}
	if snapshot, waits := o.latest[sub]; waits {
		if snapshot { // nothing is lost: the snapshot is taken later
			return conflated
		}
		o.drop(1)
		return conflated + 1
	}
	o.queue = append(o.queue, queued{sub, msg})
	o.bytes += cost
	return conflated
}

// conflate moves the subjects of the queue to latest and returns how many
// messages that loses.
func (o *outbox) conflate() int {
	before := len(o.order)
	for _, q := range o.queue {
		o.mark(q.subject, false)
	}
	lost := len(o.queue) - (len(o.order) - before)
	o.drop(lost)
	o.clearQueue()
	return lost
}

func (o *outbox) drop(n int) {
	o.dropped += uint64(n)
	o.lost += uint64(n)
}

// mark makes the newest message of a subject due.
func (o *outbox) mark(sub *subject, snapshot bool) {
	if _, waits := o.latest[sub]; waits {
		return
	}
	if o.latest == nil {
		o.latest = make(map[*subject]bool)
	}
	o.latest[sub] = snapshot
	o.order = append(o.order, sub)
}

// forget takes out what waits of subjects that are not wanted any more.
func (o *outbox) forget(wanted func(*subject) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	order := o.order[:0]
	for _, sub := range o.order {
		if wanted(sub) {
			order = append(order, sub)
		} else {
			delete(o.latest, sub)
		}
	}
	clear(o.order[len(order):])
	o.order = order
	queue := o.queue[:0]
	for _, q := range o.queue {
		if wanted(q.subject) {
			queue = append(queue, q)
		} else {
			o.bytes -= len(q.msg) + messageCost
		}
	}
	clear(o.queue[len(queue):])
	o.queue = queue
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

// heartbeat makes a heartbeat due; those that a client did not take are one. It
// gives back a large array that is not in use: most sessions never need it
// again.
func (o *outbox) heartbeat() {
	const small = 256
	o.mu.Lock()
	o.beat = true
	if len(o.queue) == 0 && cap(o.queue) > small {
		o.queue = nil
	}
	o.mu.Unlock()
}

// clearQueue empties the queue and keeps its array.
func (o *outbox) clearQueue() {
	clear(o.queue)
	o.queue = o.queue[:0]
	o.bytes = 0
}

// state reports whether anything waits, and whether it needs the hub to fill in
// newest messages.
func (o *outbox) state() (waits, needsHub bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.answers)+len(o.order)+len(o.queue) > 0 || o.beat || o.dropped > 0, len(o.order) > 0
}

// total returns how many messages were dropped since the session began.
func (o *outbox) total() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost
}

// snapshot makes the newest message of a subject due, marked as a snapshot.
func (o *outbox) snapshot(sub *subject) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mark(sub, true)
}

// abandon empties the outbox of a session that is gone, and returns how many
// messages it never sent.
func (o *outbox) abandon() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(o.order) + len(o.queue)
	o.order, o.latest, o.answers = nil, nil, nil
	o.clearQueue()
	return n
}
