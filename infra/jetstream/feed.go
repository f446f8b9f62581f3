package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	tick, err := streamflow.DecodeTick(m.Data, nil, streamflow.AnyTime)
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
	s, err := f.c.js.Stream(ctx, streamflow.StreamTicks)
	if err != nil {
		return nil, 0, err
	}
	last = s.CachedInfo().State.LastSeq
	// Ticks that arrive meanwhile are newer than last; they may hide the one at
	// or before it, and Follow(last) brings them again.
	err = f.c.scan(ctx, streamflow.StreamTicks, scanOptions{Filter: streamflow.SubjectAllTicks, Newest: true}, func(m *streamflow.Message) error {
		if t, ok := mirrored(m); ok && m.Sequence <= last {
			newest = append(newest, t)
		}
		return nil
	})
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
	for {
		next, err := f.follow(ctx, after, fn)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var stop *stopError
		if errors.As(err, &stop) {
			return stop.err
		}
		if errors.Is(err, streamflow.ErrRebuilt) {
			return err
		}
		after = next
		f.c.log.Warn("the feed of ticks broke off, starting it again", "after", after, "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// stopError carries an error of fn, which ends Follow, past those of the feed.
type stopError struct{ err error }

func (e *stopError) Error() string { return e.err.Error() }

const feedBatch = 1000

func (f *Feed) follow(ctx context.Context, after uint64, fn func([]streamflow.Mirrored) error) (uint64, error) {
	s, err := f.c.js.Stream(ctx, streamflow.StreamTicks)
	if err != nil {
		return after, err
	}
	if last := s.CachedInfo().State.LastSeq; after > last {
		return after, fmt.Errorf("stream %s ends at %d, before %d: %w", streamflow.StreamTicks, last, after, streamflow.ErrRebuilt)
	}
	ordered, err := s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		// No filter: the cursors among the ticks are dropped here, because to look
		// for the next match costs the server several times as much as to take the
		// next. A consumer that acknowledges nothing can do without; see Durable.
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1,
		InactiveThreshold: 30 * time.Second, MaxResetAttempts: 1,
	})
	if err != nil {
		return after, err
	}
	in, stop, err := consume(ordered)
	if err != nil {
		return after, err
	}
	defer stop()
	batch := make([]streamflow.Mirrored, 0, feedBatch)
	var raw []jetstream.Msg
	var m streamflow.Message
	for {
		if raw, err = in.next(ctx, raw[:0], feedBatch); err != nil {
			return after, err
		}
		batch = batch[:0]
		for _, msg := range raw {
			meta, err := msg.Metadata()
			if err != nil {
				return after, err
			}
			after = meta.Sequence.Stream
			if isCursor(msg.Subject()) {
				continue
			}
			readMessage(&m, msg, meta)
			if t, ok := mirrored(&m); ok {
				batch = append(batch, t)
			}
		}
		if err := fn(batch); err != nil {
			return after, &stopError{err}
		}
	}
}
