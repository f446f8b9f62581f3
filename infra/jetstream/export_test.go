package jetstream

import "io"

// Replicated makes m write as it does to a stream with replicas, until it next
// looks at the stream.
func (m *Mirror) Replicated() { m.replicated.Store(true) }

// ReadTail returns how many messages are in a tail.
func ReadTail(r io.Reader) (n int, err error) {
	err = eachOfTail(r, func(*tailMessage) error { n++; return nil })
	return n, err
}
