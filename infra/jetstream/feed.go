package jetstream

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// Feed is the stream of committed ticks, for whatever must not see a tick
// before its batch has committed (a core subscription to ticks.> would).
type Feed struct{ c *Client }

// Feed returns the feed of committed ticks.
func (c *Client) Feed() *Feed { return &Feed{c} }

// mirrored reads a tick; ok is false for a message that is not the bridge's.
// Extra aliases the message's data.
func mirrored(m *streamflow.Message) (t streamflow.Mirrored, ok bool) {
	if m.Position.Topic == "" {
		return t, false
	}
	tick, err := m.Tick()
	if err != nil {
		return t, false
	}
	return streamflow.Mirrored{
		Tick: tick, Position: m.Position, Previous: m.Previous,
		Sequence: m.Sequence, Stored: m.Stored, Hops: streamflow.ParseHops(m.Hops),
	}, true
}

// Snapshot returns the newest committed tick of every symbol, and the sequence
// up to which that is true.
func (f *Feed) Snapshot(ctx context.Context) (newest []streamflow.Mirrored, last uint64, err error) {
	messages, last, err := f.c.Snapshot(ctx, streamflow.StreamTicks, streamflow.SubjectAllTicks)
	for i := range messages {
		if t, ok := mirrored(&messages[i]); ok {
			newest = append(newest, t)
		}
	}
	return newest, last, err
}

// Floor returns the sequence up to which the archive has stored every tick; 0
// if the archive has never run.
func (f *Feed) Floor(ctx context.Context) (uint64, error) {
	c, err := f.c.js.Consumer(ctx, streamflow.StreamTicks, streamflow.Durable(streamflow.FunctionArchive, 0))
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return c.CachedInfo().AckFloor.Stream, nil
}

// Follow calls fn with every tick after sequence after, in stream order, in
// batches as they arrive, until ctx ends or fn fails. It reconnects by itself.
// The slice is valid only during the call. It returns [streamflow.ErrRebuilt]
// if the stream has been made anew, so that its sequences mean something else.
func (f *Feed) Follow(ctx context.Context, after uint64, fn func([]streamflow.Mirrored) error) error {
	ticks := make([]streamflow.Mirrored, 0, feedBatch)
	return f.c.Follow(ctx, streamflow.StreamTicks, after, func(batch []streamflow.Message) error {
		ticks = ticks[:0]
		for i := range batch {
			if t, ok := mirrored(&batch[i]); ok {
				ticks = append(ticks, t)
			}
		}
		return fn(ticks)
	})
}
