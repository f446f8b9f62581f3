package functions

import (
	"errors"
	"maps"
	"time"

	"streamflow"
)

// Batch runs a function over messages without a server, a clock or a crash: the
// undisturbed run that every disturbed one must equal, and the way to try a
// function on what has been.
type Batch struct {
	m        *machine
	topic    string
	next     int64 // number of the next fact
	messages []streamflow.Message
	counts   map[string]int64
}

// NewBatch returns a run that has seen nothing.
func NewBatch(f *Function) *Batch {
	b := &Batch{m: newMachine(f, 0, 1), topic: f.Name + ".batch", counts: make(map[string]int64)}
	b.m.careful = true // there is nothing to load a spoiled state from
	return b
}

// Step takes a message in and returns the facts that follow, valid until the
// next call. After an error, a [*StepError], the state is as it was: the
// message would be set aside.
func (b *Batch) Step(msg *streamflow.Message) ([]streamflow.Message, error) {
	b.m.out.reset()
	key, err := b.m.read(msg)
	if key != "" {
		_, err = b.m.step()
	}
	return b.take(), err
}

// Advance wakes everyone who is due by now, each once, in the order of due time
// and key, and returns the facts. A key whose wake-up fails sleeps until its
// next message.
func (b *Batch) Advance(now time.Time) ([]streamflow.Message, error) {
	b.m.out.reset()
	var all error
	b.m.round(now.UnixNano(), func(err error) { all = errors.Join(all, err) })
	return b.take(), all
}

// Views returns the views of all keys that have changed since the last call,
// valid until the next one.
func (b *Batch) Views() []streamflow.Message {
	b.m.out.reset()
	_ = b.m.viewAll() // one that fails is left out, as it is live
	b.messages = b.messages[:0]
	for i := range b.m.out.shown {
		b.messages = append(b.messages, b.m.out.message(&b.m.out.shown[i]))
	}
	return b.messages
}

// Save returns the whole state, in the form of a snapshot.
func (b *Batch) Save() ([]byte, error) { return b.m.save(nil) }

// Restore puts the state that Save returned in the place of the present one.
func (b *Batch) Restore(data []byte) error {
	m := newMachine(b.m.f, 0, 1)
	if err := m.restore(data); err != nil {
		return err
	}
	m.careful = true
	b.m = m
	return nil
}

// Keys returns all keys in their order.
func (b *Batch) Keys() []string { return b.m.keys() }

// Counts returns what the steps have counted with [Output.Count].
func (b *Batch) Counts() map[string]int64 { return maps.Clone(b.counts) }

// take numbers the facts of the output.
func (b *Batch) take() []streamflow.Message {
	out := &b.m.out
	b.messages = b.messages[:0]
	for i := range out.facts {
		m := out.message(&out.facts[i])
		m.Position = streamflow.Position{Topic: b.topic, Offset: b.next}
		m.Previous = b.next - 1
		b.next++
		b.messages = append(b.messages, m)
	}
	for name, n := range out.counts {
		b.counts[name] += n
	}
	return b.messages
}
