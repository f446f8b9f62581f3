package window

import (
	"cmp"
	"slices"
)

// series holds the windows of one length, in the order of their starts. Nearly
// every event is in the newest, so nearly nothing but the end is touched.
type series[A any] struct {
	size, slide int64
	items       []Window[A]
	head        int   // items before it are dropped
	changes     int   // how many windows are open
	pending     int64 // the end of the first one that is; always if none
}

// add changes the windows that the event at t is in. Nothing before floor comes
// any more.
func (s *series[A]) add(t, floor int64, change func(*A)) {
	if n := len(s.items); n > s.head && s.size == s.slide {
		if w := &s.items[n-1]; t >= w.Start && t-w.Start < s.size {
			s.touch(w, change)
			return
		}
	}
	for start := t - mod(t, s.slide); start > t-s.size; start -= s.slide {
		s.touch(s.at(start, floor), change)
	}
}

func (s *series[A]) touch(w *Window[A], change func(*A)) {
	change(&w.Value)
	if w.done {
		w.Amended++
	}
	if !w.changed {
		w.changed = true
		s.changes++
		s.pending = min(s.pending, w.Start+s.size)
	}
}

// mod is the remainder that is never negative.
func mod(a, b int64) int64 {
	m := a % b
	if m < 0 {
		m += b
	}
	return m
}

// at returns the window that starts at start, made if need be.
func (s *series[A]) at(start, floor int64) *Window[A] {
	i, there := s.find(start)
	if !there {
		s.prune(floor)
		i, _ = s.find(start)
		s.items = slices.Insert(s.items, i, Window[A]{Start: start})
	}
	return &s.items[i]
}

func (s *series[A]) find(start int64) (index int, there bool) {
	if n := len(s.items); n == s.head || s.items[n-1].Start < start {
		return n, false
	}
	i, there := slices.BinarySearchFunc(s.items[s.head:], start, func(w Window[A], start int64) int { return cmp.Compare(w.Start, start) })
	return s.head + i, there
}

// prune drops what no event can change any more. Their memory is used again once
// that pays: each window is moved a few times in its life.
func (s *series[A]) prune(floor int64) {
	s.head = s.live(floor)
	if s.head == len(s.items) || len(s.items) == cap(s.items) && s.head >= cap(s.items)/4 {
		s.items = s.items[:copy(s.items, s.items[s.head:])]
		s.head = 0
	}
}

// live returns the index of the first window that ends behind floor.
func (s *series[A]) live(floor int64) int {
	i := s.head
	for i < len(s.items) && s.items[i].Start+s.size <= floor {
		i++
	}
	return i
}

// close hands out the open windows that end at until or before, the oldest
// first.
func (s *series[A]) close(until int64, length int, done func(int, *Window[A])) {
	i := len(s.items)
	for n := s.changes; n > 0; {
		i--
		if s.items[i].changed {
			n--
		}
	}
	s.pending = always
	for ; i < len(s.items); i++ {
		w := &s.items[i]
		if !w.changed {
			continue
		}
		if end := w.Start + s.size; end > until {
			s.pending = end
			return
		}
		w.changed, w.done = false, true
		s.changes--
		done(length, w)
	}
}
