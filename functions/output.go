package functions

import (
	"encoding/json"
	"fmt"
	"strings"

	"streamflow"
)

// MaxFacts is how many facts one step may publish: what one atomic write holds.
const MaxFacts = 900

// Output takes what a step publishes. What is given to it is copied.
type Output struct {
	facts, shown []result
	data         []byte // of all of them, one behind the other
	scratch      []byte
	counts       map[string]int64
	err          error
	silent       bool
	cause        streamflow.Position // of what is published from now on
	hops         string              // the same
}

// result is one message of an Output: data[from:to].
type result struct {
	subject  string
	from, to int
	cause    streamflow.Position
	hops     string
	replay   bool // it was published before
}

// Publish adds a fact: a result that is published exactly once.
func (o *Output) Publish(subject string, data []byte) {
	o.facts = append(o.facts, o.add(subject, data))
}

// PublishJSON adds a fact, written as JSON. What JSON cannot express, such as
// NaN, fails the step.
func (o *Output) PublishJSON(subject string, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		o.err = fmt.Errorf("publish to %s: %w", subject, err)
		return
	}
	o.Publish(subject, data)
}

// View adds a view: what a later fact looks like so far. Only the newest of a
// subject is worth anything, and none is sure to be seen.
func (o *Output) View(subject string, data []byte) {
	o.shown = append(o.shown, o.add(subject, data))
}

// Count adds n to a counter of the function, such as "late": metric
// streamflow_function_events_total, label event. Use few names.
func (o *Output) Count(name string, n int64) {
	if o.silent {
		return // it was counted before
	}
	if o.counts == nil {
		o.counts = make(map[string]int64)
	}
	o.counts[name] += n
}

// Scratch returns an empty slice to write data into before they are published,
// so that a step need not allocate one. It is valid until the next call.
func (o *Output) Scratch() []byte {
	if o.scratch == nil {
		o.scratch = make([]byte, 0, 4096)
	}
	return o.scratch[:0]
}

func (o *Output) add(subject string, data []byte) result {
	from := len(o.data)
	o.data = append(o.data, data...)
	return result{subject: subject, from: from, to: len(o.data), cause: o.cause, hops: o.hops}
}

// reset forgets everything but the memory.
func (o *Output) reset() {
	o.rollback(mark{})
	clear(o.counts)
}

// mark is how much an Output holds.
type mark struct{ facts, shown, data int }

func (o *Output) mark() mark { return mark{len(o.facts), len(o.shown), len(o.data)} }

// rollback takes back what was published since before.
func (o *Output) rollback(before mark) {
	o.facts, o.shown, o.data, o.err = o.facts[:before.facts], o.shown[:before.shown], o.data[:before.data], nil
}

// check says what is wrong with what was published since before. The server
// would refuse it again and again, and with it everything in its batch.
func (o *Output) check(before mark, prefix string, maxBytes int) error {
	if o.err != nil {
		return o.err
	}
	if n := len(o.facts) - before.facts; n > MaxFacts {
		return fmt.Errorf("%d facts: one step may publish %d", n, MaxFacts)
	}
	for _, list := range [][]result{o.facts[before.facts:], o.shown[before.shown:]} {
		for i := range list {
			if err := list[i].check(prefix, maxBytes); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *result) check(prefix string, maxBytes int) error {
	if n := r.to - r.from; maxBytes > 0 && n > maxBytes {
		return fmt.Errorf("publish to %s: %d bytes, the limit is %d", r.subject, n, maxBytes)
	}
	if !strings.HasPrefix(r.subject, prefix) {
		return fmt.Errorf("publish to %q: the function's subjects begin with %q", r.subject, prefix)
	}
	for i := 0; i < len(r.subject); i++ {
		switch c := r.subject[i]; {
		case c <= ' ' || c == 0x7f || c == '*' || c == '>':
			return fmt.Errorf("publish to %q: %q may not stand in a subject, see streamflow.Token", r.subject, c)
		case c == '.' && (i == 0 || r.subject[i-1] == '.'):
			return fmt.Errorf("publish to %q: a token is empty", r.subject)
		}
	}
	if r.subject == "" || r.subject[len(r.subject)-1] == '.' {
		return fmt.Errorf("publish to %q: the last token is empty", r.subject)
	}
	return nil
}

// message returns a result as a message without a position of its own.
func (o *Output) message(r *result) streamflow.Message {
	return streamflow.Message{Subject: r.subject, Data: o.data[r.from:r.to:r.to], Cause: r.cause, Hops: r.hops}
}
