package api

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
	snapshot bool // to be marked as such; msg is shared, so the mark is added in the frame
}

// snapshotMark goes before the closing brace of a snapshot.
const snapshotMark = `,"snapshot":true}`

// frames lends the buffers of frames, from the pump that fills one until
// melody has written it.
var frames = sync.Pool{New: func() any { return new([]byte) }}

// take moves up to one frame's worth of what waits to parts, in the order:
// what was dropped, answers, heartbeat, newest messages, queue. newest returns
// the newest message of a subject, and is called only if the caller holds the
// hub's lock; without it (nil), newest messages and the queue behind them wait.
func (o *outbox) take(parts []part, now time.Time, newest func(*subject) []byte) []part {
	o.mu.Lock()
	defer o.mu.Unlock()
	size := 0
	add := func(msg []byte, snapshot bool) bool {
		parts = append(parts, part{msg, snapshot})
		size += len(msg) + 1
		return size < maxFrame
	}
	if o.dropped > 0 {
		add(object(`{"dropped":`, int64(o.dropped)), false)
		o.dropped = 0
	}
	for i, msg := range o.answers {
		o.answer -= len(msg)
		if o.answers[i] = nil; !add(msg, false) {
			o.answers = o.answers[i+1:]
			return parts
		}
	}
	o.answers = nil
	if o.beat {
		o.beat = false
		add(object(`{"heartbeat":`, now.UnixMilli()), false)
	}
	if len(o.order) > 0 {
		if newest == nil || !o.takeLatest(add, newest) {
			return parts
		}
	}
	o.takeQueue(add)
	return parts
}

// takeLatest takes newest messages and reports whether there is room for more.
func (o *outbox) takeLatest(add func([]byte, bool) bool, newest func(*subject) []byte) bool {
	for i, sub := range o.order {
		snapshot := o.latest[sub]
		delete(o.latest, sub)
		if o.order[i] = nil; !add(newest(sub), snapshot) {
			o.order = o.order[i+1:]
			return false
		}
	}
	o.order, o.latest = nil, nil
	return true
}

func (o *outbox) takeQueue(add func([]byte, bool) bool) {
	for i, q := range o.queue {
		o.bytes -= len(q.msg) + messageCost
		if !add(q.msg, false) {
			o.queue = slices.Delete(o.queue, 0, i+1) // moves a few KiB, and keeps the array
			return
		}
	}
	o.clearQueue()
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

func object(head string, n int64) []byte {
	return append(strconv.AppendInt([]byte(head), n, 10), '}')
}
