package live

import (
	"context"

	"streamflow"
)

// Feed is what the streams hold and what comes to them. Messages that a method
// hands to fn, and what they point to, are valid only during the call.
type Feed interface {
	// Snapshot returns the newest message of every subject of a stream that
	// matches filter, and the sequence up to which that is true.
	Snapshot(ctx context.Context, stream, filter string) (newest []streamflow.Message, last uint64, err error)
	// Follow calls fn with every message behind sequence after, in the order of
	// the stream, in batches as they come, until ctx ends or fn fails. It
	// reconnects by itself, and returns [streamflow.ErrRebuilt] if the stream
	// was made anew.
	Follow(ctx context.Context, stream string, after uint64, fn func([]streamflow.Message) error) error
	// Range calls fn with the messages behind after and up to upTo that match
	// filter, in the order of the stream, until that is all or fn fails, whose
	// error it returns.
	Range(ctx context.Context, stream, filter string, after, upTo uint64, fn func([]streamflow.Message) error) error
	// Bounds returns the first and the last sequence of a stream; of an empty
	// one first is last+1.
	Bounds(ctx context.Context, stream string) (first, last uint64, err error)
}

// Tap sees every message of a stream that clients can be shown, after them.
type Tap interface {
	// Seed takes the newest message of every subject: at the start, and again if
	// the stream was made anew.
	Seed(stream string, newest []streamflow.Message)
	// Apply takes a batch of live messages, which is valid only during the call.
	Apply(stream string, batch []streamflow.Message)
}
