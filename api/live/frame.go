package live

import (
	"slices"
	"strconv"
	"sync"
	"time"
)

// maxFrame is the size at which a frame takes no further message. It is small
// enough for a slow link to take one in a few seconds.
const maxFrame = 64 << 10

// part is one message of a frame.
type part struct {
	msg      []byte
	kind     int8 // -1: a word of the server
	snapshot bool // to be marked as such; msg is shared, so the mark is added in the frame
}

// snapshotMark goes before the closing brace of a snapshot.
const snapshotMark = `,"snapshot":true}`

// frames lends the buffers of frames, from the pump that fills one until
// melody has written it.
var frames = sync.Pool{New: func() any { return new([]byte) }}

// state says what waits: whether anything does that can be taken now, whether
// that needs the hub to fill in newest messages, and when the next lane opens.
func (o *outbox) state(now time.Time) (waits, needsHub bool, next time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.lanes {
		switch {
		case len(l.order) == 0:
		case l.class == classLatest || !now.Before(l.opens):
			needsHub = true
		case next.IsZero() || l.opens.Before(next):
			next = l.opens
		}
	}
	return needsHub || len(o.answers) > 0 || o.bytes > 0 || o.beat != nil || o.untold > 0, needsHub, next
}

// take moves up to one frame's worth of what waits, and at most so many
// messages, to parts, in the order: what was dropped, answers, heartbeat,
// queue, newest messages. The queue goes first, so that behind a snapshot comes
// only what is newer than all of it. newest makes the newest message of a
// subject, and is called only if the caller holds the hub's lock; without it
// (nil) the newest messages wait.
func (o *outbox) take(parts []part, most int, now time.Time, newest func(*subject) []byte) []part {
	o.mu.Lock()
	defer o.mu.Unlock()
	size := 0
	add := func(p part) bool {
		parts = append(parts, p)
		size += len(p.msg) + 1
		return size < maxFrame && len(parts) < most
	}
	if o.untold > 0 && !add(part{msg: o.notice(), kind: -1}) {
		return parts
	}
	for i, msg := range o.answers {
		o.answer -= len(msg)
		if o.answers[i] = nil; !add(part{msg: msg, kind: -1}) {
			o.answers = o.answers[i+1:]
			return parts
		}
	}
	o.answers = nil
	if o.beat != nil {
		msg := o.beat
		if o.beat = nil; !add(part{msg: msg, kind: -1}) {
			return parts
		}
	}
	if o.takeQueue(add) && newest != nil {
		o.takeLanes(add, now, newest)
	}
	return parts
}

// notice says how many messages were dropped, and from where to resume for them.
func (o *outbox) notice() []byte {
	b := strconv.AppendUint([]byte(`{"dropped":`), o.untold, 10)
	var since [countKinds]uint64
	var named uint16
	for i, first := range o.first {
		if first > 0 && i != kindPipeline {
			since[i] = first - 1
			named |= 1 << i
		}
	}
	b = appendSequences(append(b, `,"since":`...), &since, named)
	o.untold, o.first = 0, [countKinds]uint64{}
	return append(b, '}')
}

// appendSequences appends {"<stream>":<sequence>,...} of the kinds in a set.
func appendSequences(b []byte, sequences *[countKinds]uint64, set uint16) []byte {
	b = append(b, '{')
	comma := false
	for i, k := range kinds {
		if set&(1<<i) == 0 {
			continue
		}
		if comma {
			b = append(b, ',')
		}
		comma = true
		b = append(append(append(b, '"'), k.stream...), `":`...)
		b = strconv.AppendUint(b, sequences[i], 10)
	}
	return append(b, '}')
}

// takeQueue takes of the queue and reports whether there is room for more.
func (o *outbox) takeQueue(add func(part) bool) bool {
	for o.head < len(o.queue) {
		q := o.queue[o.head]
		o.queue[o.head] = queued{}
		o.head++
		o.bytes -= len(q.msg) + messageCost
		if !add(part{msg: q.msg, kind: int8(q.subject.kind)}) {
			if o.head > len(o.queue)/2 { // the array would grow for ever where there is always something
				o.queue, o.head = slices.Delete(o.queue, 0, o.head), 0
			}
			return false
		}
	}
	o.clearQueue()
	return true
}

// takeLanes takes newest messages of the lanes that are open.
func (o *outbox) takeLanes(add func(part) bool, now time.Time, newest func(*subject) []byte) {
	for _, l := range o.lanes {
		if l.class > 0 && now.Before(l.opens) || len(l.order) == 0 {
			continue
		}
		for i, sub := range l.order {
			why := o.marked[sub]
			delete(o.marked, sub)
			p := part{msg: newest(sub), kind: int8(sub.kind), snapshot: why == asSnapshot}
			if sub.fixed {
				p.kind = -1
			}
			if l.order[i] = nil; !add(p) {
				l.order = l.order[i+1:]
				return
			}
		}
		l.order = l.order[:0]
		l.opens = now.Add(time.Duration(l.class))
	}
}

// join writes parts as one frame: an object, or an array where there are
// several.
func join(b []byte, parts []part) []byte {
	size := 2
	for _, p := range parts {
		size += len(p.msg) + 1
		if p.snapshot {
			size += len(snapshotMark)
		}
	}
	b = slices.Grow(b, size)
	if len(parts) > 1 {
		b = append(b, '[')
	}
	for i, p := range parts {
		if i > 0 {
			b = append(b, ',')
		}
		if p.snapshot {
			b = append(b, p.msg[:len(p.msg)-1]...)
			b = append(b, snapshotMark...)
		} else {
			b = append(b, p.msg...)
		}
	}
	if len(parts) > 1 {
		b = append(b, ']')
	}
	return b
}
