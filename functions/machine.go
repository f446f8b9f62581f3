package functions

import (
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"streamflow"
)

// machine is the state of all keys of a shard, and what a message does to it.
// It has no clock and no connection: the same messages and wake-ups in the same
// order make the same states and the same facts, which is what everything that
// survives a crash here rests on.
type machine struct {
	f             *Function
	shard, shards uint32
	cells         map[string]*cell
	order         []*cell // by key, if sorted
	sorted        bool
	due           dueHeap
	dirty         []*cell // whose state has changed since it was last viewed
	in            Input
	out           Output
	prefix        string // of subjects to which the function may publish
	maxFact       int    // bytes of a fact; 0 is any number
	applied       int    // of keys that are made now

	// Who must be able to leave a state as it was when its step fails needs a copy
	// of it from before. That costs as much as the step, so it is made for keys
	// only that are known to fail.
	careful  bool            // for all keys
	suspects map[string]bool // for these
	backup   []byte
}

// cell is the state of one key.
type cell struct {
	key   string
	state any
	due   int64 // when it wants to be woken, in Unix nanoseconds; 0 is never
	index int   // in the heap; -1 if it is not there
	woken int64 // the clock of the newest round that woke it
	dirty bool
	shown time.Time // when it was viewed last, by whoever keeps that
	// applied is how many rounds of the journal this key has behind it, while what
	// is published is stepped again.
	applied int
	cause   streamflow.Position // of its newest message
	hops    string              // the same
}

// StepError is why a message, or a wake-up, could not be stepped.
type StepError struct {
	Key   string
	Err   error
	Stack []byte // of a panic
}

func (e *StepError) Error() string { return fmt.Sprintf("step of key %q: %v", e.Key, e.Err) }

// Unwrap returns what the step said.
func (e *StepError) Unwrap() error { return e.Err }

// newMachine returns a machine without states for shard of shards.
func newMachine(f *Function, shard, shards int) *machine {
	m := &machine{f: f, shard: uint32(shard), shards: uint32(max(shards, 1)), cells: make(map[string]*cell), suspects: make(map[string]bool)}
	switch f.Writes {
	case streamflow.StreamCandles, streamflow.StreamIndicators, streamflow.StreamAlerts:
		m.prefix = strings.ToLower(f.Writes) + "."
	case streamflow.StreamResults:
		m.prefix = "results." + streamflow.Token(f.Name) + "."
	}
	return m
}

// reset forgets all states.
func (m *machine) reset() {
	clear(m.cells)
	m.order, m.due, m.dirty = nil, nil, nil
}

// hash is FNV-1a, 32 bits: which shard a key belongs to must not depend on the
// program that asks.
func hash(key string) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(key); i++ {
		h = (h ^ uint32(key[i])) * 16777619
	}
	return h
}

// read takes in what a message says, and tells to which key of this shard it
// belongs; "" if to none. An error is the message's own, and spoils no state.
func (m *machine) read(msg *streamflow.Message) (key string, err error) {
	m.in = Input{Message: msg}
	ticks := m.f.Reads == streamflow.StreamTicks
	if ticks && m.shards > 1 && m.f.keyless() {
		// The subject tells the symbol for less than the text of the tick does, and
		// most messages are for other shards.
		if s, ok := streamflow.TickSymbol(msg.Subject); ok && hash(s)%m.shards != m.shard {
			return "", nil
		}
	}
	if ticks {
		if m.in.Tick, err = msg.Tick(); err != nil {
			return "", m.ours(&StepError{Err: err})
		}
	}
	if key, err = m.keyOf(); err != nil {
		return "", m.ours(err)
	}
	if key == "" || m.shards > 1 && hash(key)%m.shards != m.shard {
		return "", nil
	}
	m.in.Key = key
	return key, nil
}

// ours gives an error of a message that belongs to no key to the first shard.
func (m *machine) ours(err error) error {
	if m.shard != 0 {
		return nil
	}
	return err
}

func (m *machine) keyOf() (key string, err error) {
	defer m.caught("", &err)
	return m.f.key(&m.in), nil
}

// step steps the message that was read last. After an error the output is as it
// was, and the state too if undone; if not, it may be spoiled.
func (m *machine) step() (undone bool, err error) {
	key := m.in.Key
	c, known := m.cells[key]
	if !known {
		c = &cell{key: strings.Clone(key), index: -1, applied: m.applied}
	}
	cause, hops := c.cause, c.hops
	c.cause, c.hops = m.in.Message.Position, m.in.Message.Hops
	if undone, err = m.run(c, known); err != nil {
		c.cause, c.hops = cause, hops
		return undone, err
	}
	if !known {
		m.add(c)
	}
	return true, nil
}

// run takes the input in, and undoes that if it fails and can be undone.
func (m *machine) run(c *cell, known bool) (undone bool, err error) {
	m.out.cause, m.out.hops = c.cause, c.hops
	before := m.out.mark()
	keep := known && (m.careful || m.suspects[c.key])
	if keep {
		if m.backup, err = m.encode(m.backup[:0], c); err != nil {
			return true, err
		}
	}
	due, err := m.attempt(c, known)
	if err == nil {
		err = m.out.check(before, m.prefix, m.maxFact)
	}
	if err != nil {
		m.out.rollback(before)
		return m.undo(c, known, keep), wrap(c.key, err)
	}
	if due != c.due {
		m.schedule(c, due, known)
	}
	if !c.dirty && m.f.views() {
		c.dirty = true
		m.dirty = append(m.dirty, c)
	}
	return true, nil
}

func (m *machine) attempt(c *cell, known bool) (due int64, err error) {
	defer m.caught(c.key, &err)
	if !known {
		c.state = m.f.create(c.key)
	}
	if err := m.f.step(c.state, &m.in, &m.out); err != nil {
		return 0, err
	}
	return nanos(m.f.wake(c.state)), nil
}

// undo gives c the state back that it had before its step, if that is known.
func (m *machine) undo(c *cell, known, kept bool) bool {
	if !known {
		return true // it is not one of ours yet
	}
	if !kept {
		return false
	}
	state, err := m.decode(c.key, m.backup)
	if err != nil {
		return false
	}
	c.state = state
	return true
}

// caught turns a panic of the author's code into an error.
func (m *machine) caught(key string, err *error) {
	if p := recover(); p != nil {
		*err = &StepError{Key: key, Err: fmt.Errorf("panic: %v", p), Stack: debug.Stack()}
	}
}

func wrap(key string, err error) error {
	if e, ok := err.(*StepError); ok {
		return e
	}
	return &StepError{Key: key, Err: err}
}

func (m *machine) encode(b []byte, c *cell) (data []byte, err error) {
	defer m.caught(c.key, &err)
	return m.f.encode(b, c.state)
}

func (m *machine) decode(key string, data []byte) (state any, err error) {
	defer m.caught(key, &err)
	return m.f.decode(key, data)
}

// add takes a new cell up.
func (m *machine) add(c *cell) {
	m.cells[c.key] = c
	m.order, m.sorted = append(m.order, c), false
	if c.due != 0 {
		m.due.push(c)
	}
}

// schedule notes when c wants to be woken. A cell that is not known yet gets
// into the heap when it is added.
func (m *machine) schedule(c *cell, due int64, known bool) {
	c.due = due
	if known {
		m.due.fix(c)
	}
}

// ordered returns all cells by key.
func (m *machine) ordered() []*cell {
	if !m.sorted {
		slices.SortFunc(m.order, func(a, b *cell) int { return strings.Compare(a.key, b.key) })
		m.sorted = true
	}
	return m.order
}

// keys returns all keys in their order.
func (m *machine) keys() []string {
	keys := make([]string, 0, len(m.order))
	for _, c := range m.ordered() {
		keys = append(keys, c.key)
	}
	return keys
}

// viewAll publishes what has changed since the last call to the output's views.
func (m *machine) viewAll() error { return m.viewSome(time.Time{}, 0, math.MaxInt) }

// viewSome publishes keys that have changed to the output's views, those first
// that have waited longest, until about so many views are there. No key is viewed
// again within apart.
func (m *machine) viewSome(now time.Time, apart time.Duration, about int) error {
	var first error
	n := 0
	for ; n < len(m.dirty) && len(m.out.shown) < about && !now.Before(m.dirty[n].shown.Add(apart)); n++ {
		c := m.dirty[n]
		c.dirty, c.shown = false, now
		if err := m.viewOf(c); err != nil && first == nil {
			first = err
		}
	}
	m.dirty = slices.Delete(m.dirty, 0, n)
	return first
}

func (m *machine) viewOf(c *cell) (err error) {
	before := m.out.mark()
	defer func() {
		if err != nil {
			m.out.rollback(before)
		}
	}()
	defer m.caught(c.key, &err)
	m.out.cause, m.out.hops = c.cause, c.hops
	m.f.view(c.state, c.key, &m.out)
	if len(m.out.facts) > before.facts {
		return &StepError{Key: c.key, Err: fmt.Errorf("View published a fact to %s: it may only call Output.View", m.out.facts[before.facts].subject)}
	}
	return m.out.check(before, m.prefix, m.maxFact)
}

// nanos returns t as Unix nanoseconds, 0 for never.
func nanos(t time.Time) int64 {
	if t.IsZero() || t.Year() >= 2262 {
		return 0
	}
	return max(t.UnixNano(), 1) // what is overdue since before 1970 is no more than overdue
}
