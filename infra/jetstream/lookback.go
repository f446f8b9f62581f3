package jetstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// JetStream reads forward only. To read back, a window of sequences is read and
// turned round, then the window before it. How wide it must be depends on how
// many of its sequences are still there and match: it grows where little is
// found, and is given up and narrowed where there is too much.
const (
	backWindow   = 512
	widestWindow = 1 << 22
	fullWindow   = 4096   // messages
	backAtMost   = 20_000 // messages in all
)

// Back returns messages of a stream that match filter, the newest first, at or
// below sequence upTo (0: the newest): up to limit of those that pick takes. It
// looks at a bounded number of messages, so that there may be fewer though older
// ones are there; next is where to go on, 0 if it has come to the beginning.
func (c *Client) Back(ctx context.Context, stream, filter string, upTo uint64, limit int, pick func(*streamflow.Message) bool) (found []streamflow.Message, next uint64, err error) {
	s, err := c.looking(ctx, stream)
	if err != nil {
		return nil, 0, err
	}
	state := &s.CachedInfo().State
	high, width, seen := state.LastSeq, uint64(backWindow), 0
	if upTo != 0 {
		high = min(high, upTo)
	}
	for high >= max(state.FirstSeq, 1) && state.Msgs > 0 {
		low := max(state.FirstSeq, 1)
		if high-low >= width {
			low = high - width + 1
		}
		var got []streamflow.Message
		n, err := window(ctx, s, filter, low, high, func(m *streamflow.Message) {
			if pick(m) {
				got = append(got, *m)
			}
		})
		if err == errFull && width > 1 {
			width = max(width/16, 1)
			continue
		}
		if err != nil && err != errFull {
			return nil, 0, fmt.Errorf("stream %s: %w", stream, err)
		}
		slices.Reverse(got)
		if found = append(found, got...); len(found) > limit {
			return found[:limit], found[limit].Sequence, nil
		}
		if seen += n; low == max(state.FirstSeq, 1) {
			break
		}
		if high = low - 1; seen >= backAtMost {
			return found, high, nil
		}
		if n < fullWindow/16 {
			width = min(4*width, widestWindow)
		}
	}
	return found, 0, nil
}

// errFull says that a window holds too much to be read at once.
var errFull = errors.New("the window is full")

// window calls fn with the messages in [low, high] that match filter, in order,
// and returns how many there were.
func window(ctx context.Context, s jetstream.Stream, filter string, low, high uint64, fn func(*streamflow.Message)) (n int, err error) {
	consumer, remove, err := passing(ctx, s, jetstream.ConsumerConfig{
		FilterSubject: filter, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: low,
	})
	if err != nil {
		return 0, err
	}
	defer remove()
	var m streamflow.Message
	for pending := consumer.CachedInfo().NumPending; pending > 0; {
		ask := min(pending, high-low+1, backWindow)
		batch, err := consumer.Fetch(int(ask), jetstream.FetchMaxWait(2*time.Second))
		if err != nil {
			return n, err
		}
		got := 0
		for msg := range batch.Messages() {
			meta, err := msg.Metadata()
			if err != nil {
				return n, err
			}
			if got++; meta.Sequence.Stream > high {
				return n, nil
			}
			if n++; n > fullWindow {
				return n, errFull
			}
			pending = meta.NumPending
			readMessage(&m, msg, meta)
			fn(&m)
		}
		if err := ctx.Err(); err != nil {
			return n, err
		}
		if err := batch.Error(); err != nil && !errors.Is(err, nats.ErrTimeout) {
			return n, err
		}
		if got == 0 {
			return n, nil // the rest has aged out meanwhile
		}
	}
	return n, nil
}
