package window

import (
	"iter"
	"time"
)

// Window is one window of a key. Times are Unix nanoseconds; End is Start and
// the size of its length.
type Window[A any] struct {
	Start int64
	// Amended is how many events have changed it after it was first done.
	Amended uint32
	done    bool // it was handed out
	changed bool // it is not what was handed out
	Value   A
}

// Open reports whether the window has changed since it was handed out, or never
// was.
func (w *Window[A]) Open() bool { return w.changed }

// Windows are the windows of one key. Events and windows are taken by the index
// of their length in the plan. They are made by [New] and must not be copied
// once they are in use.
type Windows[A any] struct {
	plan   *Plan
	clock  clock
	series []series[A]
}

// New returns the windows of a key of which nothing is known.
func New[A any](p *Plan) Windows[A] {
	w := Windows[A]{plan: p, clock: newClock(), series: make([]series[A], len(p.Lengths))}
	for i, l := range p.Lengths {
		w.series[i] = series[A]{size: int64(l.Size), slide: int64(l.Slide), pending: always}
	}
	return w
}

// Add takes in an event of time at, whose message was produced at produced.
// change is called for each window that the event is in, with what the window
// holds so far: the zero A if nothing. done is called for each window that is
// done by now: those that the event is behind first, then, if it is late, its
// own. What they are given is valid during the call.
//
// A refused event changes nothing.
func (w *Windows[A]) Add(at, produced time.Time, change func(*A), done func(length int, window *Window[A])) Verdict {
	t := nanos(at)
	if v := w.clock.observe(&w.plan.Policy, t, nanos(produced)); v != Taken {
		return v
	}
	mark := w.clock.watermark
	for i := range w.series {
		s := &w.series[i]
		if s.pending <= mark {
			s.close(mark, i, done)
		}
		s.add(t, w.clock.floor, change)
		if s.pending <= mark {
			s.close(mark, i, done)
		}
	}
	return Taken
}

// Wake returns when Advance has something to do, zero for never. An event may
// put that off.
func (w *Windows[A]) Wake() time.Time {
	pending := int64(always)
	for i := range w.series {
		pending = min(pending, w.series[i].pending)
	}
	if pending == always {
		return time.Time{}
	}
	return time.Unix(0, max(pending, w.clock.produced)+w.clock.patience(&w.plan.Policy))
}

// Advance tells that it is now and that all messages that were there by then
// have been added. If the key has been silent for the grace of the plan, done is
// called for the windows that ended that long ago.
//
// The watermark stays: silence is no proof that nothing is on its way. What
// comes is taken in and amends.
func (w *Windows[A]) Advance(now time.Time, done func(length int, window *Window[A])) {
	until := nanos(now) - w.clock.patience(&w.plan.Policy)
	if w.clock.produced > until {
		return
	}
	for i := range w.series {
		if s := &w.series[i]; s.pending <= until {
			s.close(until, i, done)
		}
	}
}

// Watermark returns the time before which no event is expected; zero before the
// first one.
func (w *Windows[A]) Watermark() time.Time { return instant(w.clock.watermark) }

// Floor returns the time before which no event is taken in: a window that ends
// there or before never changes again. It is zero before the first event.
func (w *Windows[A]) Floor() time.Time { return instant(w.clock.floor) }

func instant(t int64) time.Time {
	if t <= never {
		return time.Time{}
	}
	return time.Unix(0, t).UTC()
}

// Growing returns the open window of a length that the newest events are in, nil
// if there is none. It is not one that only events ahead of their time are in,
// unless there is no other.
func (w *Windows[A]) Growing(length int) *Window[A] {
	s := &w.series[length]
	high := w.clock.watermark + int64(w.plan.Policy.Delay)
	var found *Window[A]
	for i, n := len(s.items)-1, s.changes; n > 0; i-- {
		if !s.items[i].changed {
			continue
		}
		if found = &s.items[i]; found.Start <= high {
			break
		}
		n--
	}
	return found
}

// All returns the windows of a length that an event can still change, the
// oldest first. They must not be changed, and no event added meanwhile.
func (w *Windows[A]) All(length int) iter.Seq[*Window[A]] {
	return func(yield func(*Window[A]) bool) {
		s := &w.series[length]
		for i := s.live(w.clock.floor); i < len(s.items); i++ {
			if !yield(&s.items[i]) {
				return
			}
		}
	}
}
