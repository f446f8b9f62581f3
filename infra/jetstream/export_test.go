package jetstream

import (
	"context"
	"io"
)

// Replicated makes m write as it does to a stream with replicas, until it next
// looks at the stream.
func (m *Mirror) Replicated() { m.replicated.Store(true) }

// ReadTail returns how many messages are in a tail.
func ReadTail(r io.Reader) (n int, err error) {
	err = eachOfTail(r, func(*tailMessage) error { n++; return nil })
	return n, err
}

// Shares says whether d is read by a tap.
func (d *Durable) Shares() bool { return d.tap != nil }

// HoldInTaps sets how many messages taps hold.
func (c *Client) HoldInTaps(n int) { c.taps.size = n }

// Unpin takes a durable away from whoever has it.
func (c *Client) Unpin(ctx context.Context, stream, durable string) error {
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return err
	}
	return s.UnpinConsumer(ctx, durable, priorityGroup)
}

// Taps returns how many taps are open.
func (s *Taps) Taps() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.open {
		if o.tap != nil {
			n++
		}
	}
	return n
}
