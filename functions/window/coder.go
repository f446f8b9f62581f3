package window

import (
	"fmt"

	"streamflow/functions/coder"
)

// Code codes the state of w: all that it knows but the plan, which must have
// lengths of the same sizes when it is read. value codes what one window holds.
func (w *Windows[A]) Code(c *coder.Coder, value func(c *coder.Coder, start int64, v *A)) {
	if c.Reads() {
		*w = New[A](w.plan)
	}
	k := &w.clock
	c.Restart()
	c.Near(&k.watermark)
	c.Near(&k.floor)
	c.Near(&k.produced)
	n := uint64(len(w.series))
	if c.Uint(&n); n != uint64(len(w.series)) {
		c.Fail(fmt.Errorf("it has windows of %d lengths, want %d", n, len(w.series)))
		return
	}
	for i := range w.series {
		w.series[i].code(c, k.floor, value)
	}
}

func (s *series[A]) code(c *coder.Coder, floor int64, value func(*coder.Coder, int64, *A)) {
	from := s.live(floor)
	n := uint64(len(s.items) - from)
	c.Uint(&n)
	c.Restart()
	last := int64(0) // start of the window before, in slides
	for i := uint64(0); i < n && c.Err() == nil; i++ {
		var w *Window[A]
		if c.Reads() {
			s.items = append(s.items, Window[A]{})
			w = &s.items[i]
		} else {
			w = &s.items[from+int(i)]
		}
		step := w.Start/s.slide - last
		c.Int(&step)
		last += step
		if most := always / s.slide; c.Reads() && (last > most || last < -most || i > 0 && step <= 0) {
			c.Fail(fmt.Errorf("window %d starts out of order", i))
			return
		}
		w.Start = last * s.slide
		w.code(c)
		value(c, w.Start, &w.Value)
		if c.Reads() && w.changed {
			s.changes++
			s.pending = min(s.pending, w.Start+s.size)
		}
	}
}

// code codes what a window is beside its start and its value.
func (w *Window[A]) code(c *coder.Coder) {
	x := uint64(w.Amended) << 2
	if w.done {
		x |= 2
	}
	if w.changed {
		x |= 1
	}
	c.Uint(&x)
	w.Amended, w.done, w.changed = uint32(x>>2), x&2 != 0, x&1 != 0
}
