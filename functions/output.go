package functions

import (
	"encoding/json"
	"fmt"

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
}

// result is one message of an Output: data[from:to].
type result struct {
	subject  string
	from, to int
	cause    streamflow.Position
	hops     string
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
	return result{subject: subject, from: from, to: len(o.data)}
}

// reset forgets everything but the memory.
func (o *Output) reset() {
	o.facts, o.shown, o.data, o.err = o.facts[:0], o.shown[:0], o.data[:0], nil
	clear(o.counts)
}
