package jetstream

import (
	"context"
	"errors"

	"streamflow"
)

// Bounds returns the first and the last sequence of a stream; of an empty one
// first is last+1.
func (c *Client) Bounds(ctx context.Context, stream string) (first, last uint64, err error) {
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return 0, 0, err
	}
	state := s.CachedInfo().State
	if state.Msgs == 0 {
		return state.LastSeq + 1, state.LastSeq, nil
	}
	return state.FirstSeq, state.LastSeq, nil
}

var errBehind = errors.New("behind the range")

// Range calls fn with the messages of stream behind sequence after and up to
// upTo that match filter, in stream order, but for positions and states, until
// that is all or fn fails, whose error it returns. The slice is valid only
// during the call.
func (c *Client) Range(ctx context.Context, stream, filter string, after, upTo uint64, fn func([]streamflow.Message) error) error {
	batch := make([]streamflow.Message, 0, 64)
	flush := func() error {
		err := fn(batch)
		batch = batch[:0]
		return err
	}
	err := c.scan(ctx, stream, scanOptions{Filter: filter, From: after + 1}, func(m *streamflow.Message) error {
		if m.Sequence > upTo {
			return errBehind
		}
		if isBookkeeping(m.Subject) {
			return nil
		}
		if batch = append(batch, *m); len(batch) < cap(batch) {
			return nil
		}
		return flush()
	})
	if err == nil || errors.Is(err, errBehind) {
		err = nil
		if len(batch) > 0 {
			err = flush()
		}
	}
	return err
}
