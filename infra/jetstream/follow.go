package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// feedBatch is how many messages a follower is given at a time at most.
const feedBatch = 1000

// Snapshot returns the newest message of every subject of stream that matches
// filter, "" for all, but for positions and states, and the sequence up to which
// that is true.
func (c *Client) Snapshot(ctx context.Context, stream, filter string) (newest []streamflow.Message, last uint64, err error) {
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return nil, 0, err
	}
	last = s.CachedInfo().State.LastSeq
	// Messages that arrive meanwhile are newer than last; they may hide the one at
	// or before it, and Follow(last) brings them again.
	err = c.scan(ctx, stream, scanOptions{Filter: filter, Newest: true}, func(m *streamflow.Message) error {
		if m.Sequence <= last && !isBookkeeping(m.Subject) {
			newest = append(newest, *m)
		}
		return nil
	})
	return newest, last, err
}

// Follow calls fn with every message of stream after sequence after, but for
// positions and states, in stream order, in batches as they arrive, until ctx
// ends or fn fails. It reconnects by itself. The slice is valid only during the
// call. It returns [streamflow.ErrRebuilt] if the stream has been made anew, so
// that its sequences mean something else.
func (c *Client) Follow(ctx context.Context, stream string, after uint64, fn func([]streamflow.Message) error) error {
	var born time.Time // of the stream that after is of
	for {
		next, err := c.follow(ctx, stream, after, &born, fn)
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
		c.log.Warn("the feed broke off, starting it again", "stream", stream, "after", after, "error", err)
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

// same says whether sequence after is one of this stream, not of an earlier one
// of its name.
func same(info *jetstream.StreamInfo, after uint64) error {
	name, first, last := info.Config.Name, info.Config.FirstSeq, info.State.LastSeq
	if after > last {
		return fmt.Errorf("stream %s ends at %d, before %d: %w", name, last, after, streamflow.ErrRebuilt)
	}
	if after > 0 && after+1 < first {
		return fmt.Errorf("stream %s began at %d, after %d: %w", name, first, after, streamflow.ErrRebuilt)
	}
	return nil
}

func (c *Client) follow(ctx context.Context, stream string, after uint64, born *time.Time, fn func([]streamflow.Message) error) (uint64, error) {
	c.taps.enter(stream)
	defer c.taps.leave(stream)
	for {
		upTo, r, err := c.followAlone(ctx, stream, after, born, fn)
		if err != nil {
			return upTo, err
		}
		after, err = followTap(ctx, r, fn)
		var stop *stopError
		if errors.As(err, &stop) || ctx.Err() != nil {
			return after, err
		}
		c.log.Debug("following alone", "stream", stream, "because", err)
	}
}

// followAlone follows until it can go on by a tap.
func (c *Client) followAlone(ctx context.Context, stream string, after uint64, born *time.Time, fn func([]streamflow.Message) error) (uint64, *tapReader, error) {
	f, err := c.openFeeder(ctx, stream, after)
	if err != nil {
		return after, nil, err
	}
	defer f.stop()
	if born.IsZero() {
		*born = f.born
	}
	if err := anew(stream, *born, f.born); err != nil {
		return after, nil, err
	}
	for {
		batch, upTo, err := f.next(ctx)
		if err != nil {
			return after, nil, err
		}
		after = upTo
		if err := fn(batch); err != nil {
			return after, nil, &stopError{err}
		}
		if c.taps.near(f.left) {
			if r := c.tapReader(ctx, stream, after); r != nil {
				return after, r, nil
			}
		}
	}
}

// followTap follows until the tap has gone past, or is there no more.
func followTap(ctx context.Context, r *tapReader, fn func([]streamflow.Message) error) (after uint64, err error) {
	var batch []streamflow.Message
	for {
		if batch, err = r.read(ctx, batch[:0], feedBatch, nil); err != nil {
			return r.behind, err
		}
		if err := fn(batch); err != nil {
			return r.behind, &stopError{err}
		}
	}
}

// feeder reads a stream as it grows, in order, and acknowledges nothing.
type feeder struct {
	c        *Client
	stream   string
	born     time.Time // of the stream
	consumer string    // that has delivered what came last
	in       *intake
	stop     func()
	raw      []jetstream.Msg
	batch    []streamflow.Message
	left     uint64 // how many messages stood behind what came last
}

// openFeeder begins behind a sequence of the stream.
func (c *Client) openFeeder(ctx context.Context, stream string, after uint64) (*feeder, error) {
	s, err := c.reachable(ctx, stream, after)
	if err != nil {
		return nil, err
	}
	ordered, err := s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		// No filter: the cursors among the messages are dropped here, because to look
		// for the next match costs the server several times as much as to take the
		// next. A consumer that acknowledges nothing can do without; see Durable.
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1,
		InactiveThreshold: 30 * time.Second, MaxResetAttempts: 1,
	})
	if err != nil {
		return nil, err
	}
	in, stop, err := consume(ordered)
	if err != nil {
		return nil, err
	}
	return &feeder{
		c: c, stream: stream, born: s.CachedInfo().Created, in: in, stop: stop, batch: make([]streamflow.Message, 0, feedBatch),
	}, nil
}

// reachable returns a stream of which a sequence is one.
func (c *Client) reachable(ctx context.Context, stream string, sequence uint64) (jetstream.Stream, error) {
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return nil, err
	}
	return s, same(s.CachedInfo(), sequence)
}

// next waits for messages, and returns those that are no positions or states, and
// the sequence of the last that came. They are valid until the next call.
func (f *feeder) next(ctx context.Context) (batch []streamflow.Message, upTo uint64, err error) {
	if f.raw, err = f.in.next(ctx, f.raw[:0], feedBatch); err != nil {
		return nil, 0, err
	}
	f.batch = f.batch[:0]
	for _, msg := range f.raw {
		meta, err := msg.Metadata()
		if err != nil {
			return nil, 0, err
		}
		if meta.Consumer != f.consumer {
			if err := f.check(ctx); err != nil {
				return nil, 0, err
			}
			f.consumer = meta.Consumer
		}
		upTo, f.left = meta.Sequence.Stream, meta.NumPending
		if !isBookkeeping(msg.Subject()) {
			f.batch = append(f.batch, streamflow.Message{})
			readMessage(&f.batch[len(f.batch)-1], msg, meta)
		}
	}
	return f.batch, upTo, nil
}

// check looks whether the stream is still the one that it was. A consumer that is
// gone is made again by the library, at the sequence that comes next, in
// whatever stream has the name by then.
func (f *feeder) check(ctx context.Context) error {
	s, err := f.c.js.Stream(ctx, f.stream)
	if err != nil {
		return err
	}
	return anew(f.stream, f.born, s.CachedInfo().Created)
}

// anew says whether a stream is another one than it was.
func anew(stream string, was, is time.Time) error {
	if was.Equal(is) {
		return nil
	}
	return fmt.Errorf("stream %s was made at %s, and again at %s: %w", stream, was.Format(time.RFC3339Nano), is.Format(time.RFC3339Nano), streamflow.ErrRebuilt)
}

// isBookkeeping tells what stands among the messages of a stream and is none:
// the bridge's cursors, the functions' checkpoints and states.
func isBookkeeping(subject string) bool {
	return isCursor(subject) || strings.HasPrefix(subject, "state.") || strings.HasPrefix(subject, "checkpoint.")
}
