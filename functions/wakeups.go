package functions

import (
	"cmp"
	"strings"
	"time"
)

// place is where a wake-up stands in the order of a round.
type place struct {
	Due int64  `json:"due"`
	Key string `json:"key"`
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.Due, o.Due), strings.Compare(p.Key, o.Key))
}

func (c *cell) place() place { return place{c.due, c.key} }

// soonest returns the cell that is due first by now and was not woken at now
// yet; nil if there is none.
func (m *machine) soonest(now int64) *cell {
	if len(m.due) == 0 || m.due[0].due > now {
		return nil
	}
	return m.due[0]
}

// wake steps c with the clock at now. It leaves the heap, and comes back with
// [machine.settle]: in one round every key is woken once.
func (m *machine) wake(c *cell, now int64) (undone bool, err error) {
	m.due.remove(c)
	c.woken = now
	m.in = Input{Key: c.key, Now: time.Unix(0, now).UTC()}
	return m.run(c, true)
}

// mute lets a cell whose wake-up fails sleep until its next message.
func (m *machine) mute(c *cell, now int64) {
	m.due.remove(c)
	c.woken, c.due = now, 0
}

// round wakes everyone who is due by now, in the order of (due, key).
func (m *machine) round(now int64, failed func(error)) {
	var woken []*cell
	for c := m.soonest(now); c != nil; c = m.soonest(now) {
		if _, err := m.wake(c, now); err != nil {
			failed(err)
			m.mute(c, now)
		}
		m.due.remove(c)
		woken = append(woken, c)
	}
	m.settle(woken)
}

// settle ends a round.
func (m *machine) settle(woken []*cell) {
	for _, c := range woken {
		m.due.fix(c)
	}
}

// dueHeap is a binary heap of the cells that want to be woken, the first one on
// top. Each cell knows its index, so that a step can move it.
type dueHeap []*cell

func (h dueHeap) less(i, j int) bool { return h[i].place().compare(h[j].place()) < 0 }

func (h dueHeap) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *dueHeap) push(c *cell) {
	c.index = len(*h)
	*h = append(*h, c)
	h.up(c.index)
}

// fix puts c where its due time belongs, wherever it was.
func (h *dueHeap) fix(c *cell) {
	switch {
	case c.due == 0:
		h.remove(c)
	case c.index < 0:
		h.push(c)
	default:
		if !h.down(c.index) {
			h.up(c.index)
		}
	}
}

func (h *dueHeap) remove(c *cell) {
	i, last := c.index, len(*h)-1
	if i < 0 {
		return
	}
	if i != last {
		h.swap(i, last)
	}
	(*h)[last] = nil
	*h = (*h)[:last]
	c.index = -1
	if i != last && !h.down(i) {
		h.up(i)
	}
}

func (h dueHeap) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.less(i, parent) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h dueHeap) down(i int) (moved bool) {
	for {
		child := 2*i + 1
		if child >= len(h) {
			return moved
		}
		if child+1 < len(h) && h.less(child+1, child) {
			child++
		}
		if !h.less(child, i) {
			return moved
		}
		h.swap(i, child)
		i, moved = child, true
	}
}
