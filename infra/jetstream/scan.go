package jetstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// scanOptions choose what of a stream is read.
type scanOptions struct {
	Filter      string // by subject; to read all is cheaper than most of it
	From        uint64 // the first sequence; 0 is 1
	HeadersOnly bool
	Newest      bool // only the newest message of each subject
	// Known is a sequence that the stream has reached for sure. A leader that was
	// paused, and does not know yet that there is another, may say less.
	Known uint64
}

// pull is how many messages are asked for at a time.
const pull = 5000

// scan reads what a stream holds now, in order, and calls fn with each message
// up to the sequence that is the newest at the start. The message is valid only
// during the call.
func (c *Client) scan(ctx context.Context, stream string, o scanOptions, fn func(*streamflow.Message) error) error {
	s, err := ask(ctx, func(ctx context.Context) (jetstream.Stream, error) { return c.js.Stream(ctx, stream) })
	if err != nil {
		return err
	}
	last := s.CachedInfo().State.LastSeq
	if last < o.Known {
		return fmt.Errorf("it is said to end at %d, before %d, which is there: a leader of before has answered", last, o.Known)
	}
	if last < o.From || s.CachedInfo().State.Msgs == 0 {
		return nil
	}
	cfg := jetstream.ConsumerConfig{
		FilterSubject: o.Filter, HeadersOnly: o.HeadersOnly,
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(o.From, 1),
	}
	if o.Newest {
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverLastPerSubjectPolicy, 0
		cfg.FilterSubject = cmp.Or(o.Filter, ">") // the server wants one
	}
	consumer, remove, err := passing(ctx, s, cfg)
	if err != nil {
		return err
	}
	defer remove()
	at := max(o.From, 1) - 1
	for {
		if err := drain(ctx, consumer, last, &at, fn); err != nil || at >= last {
			return err
		}
		if behind, err := c.behind(ctx, stream, o.Filter, at, last); err != nil || !behind {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(behindWait):
		}
		if _, err := consumer.Info(ctx); err != nil { // how much is pending by now
			return err
		}
	}
}

// passing makes a consumer that acknowledges nothing and is kept in memory, for
// as long as it takes until remove is called.
func passing(ctx context.Context, s jetstream.Stream, cfg jetstream.ConsumerConfig) (consumer jetstream.Consumer, remove func(), err error) {
	cfg.AckPolicy, cfg.MemoryStorage, cfg.InactiveThreshold = jetstream.AckNonePolicy, true, time.Minute
	if consumer, err = s.CreateConsumer(ctx, cfg); err != nil {
		return nil, nil, err
	}
	return consumer, func() {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = s.DeleteConsumer(clean, consumer.CachedInfo().Name) // it also expires by itself
	}, nil
}

// behindWait is how long a replica that is behind is left alone.
const behindWait = 20 * time.Millisecond

// unknownTimes is how often a consumer that was just made may be unknown where we
// are connected: the node that it lives on tells the others, and us before them.
const unknownTimes = 100

// behind says that messages up to sequence last which match filter stand behind
// sequence at, where a consumer has delivered all that it knows of. It lives on
// any one of a stream's replicas, and that one may be behind the leader: who
// counts what was mirrored must not take its end for the stream's.
func (c *Client) behind(ctx context.Context, stream, filter string, at, last uint64) (bool, error) {
	if replicated, err := c.replicated(ctx, stream); err != nil || !replicated {
		return false, err
	}
	next, err := c.find(ctx, stream, find{Sequence: at + 1, Subject: cmp.Or(filter, ">")})
	return next != 0 && next <= last, err
}

// drain hands on all that the consumer has pending up to sequence last, and
// notes in at how far it has come.
func drain(ctx context.Context, consumer jetstream.Consumer, last uint64, at *uint64, fn func(*streamflow.Message) error) error {
	pending, unknown := consumer.CachedInfo().NumPending, 0
	var m streamflow.Message
	for pending > 0 {
		batch, err := consumer.Fetch(int(min(pending, pull)), jetstream.FetchMaxWait(5*time.Second))
		if err != nil {
			return err
		}
		before, began := pending, *at
		for msg := range batch.Messages() {
			meta, err := msg.Metadata()
			if err != nil {
				return err
			}
			if pending = meta.NumPending; meta.Sequence.Stream > last {
				*at = last
				return nil
			}
			*at = meta.Sequence.Stream
			readMessage(&m, msg, meta)
			if err := fn(&m); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		delivered := *at != began
		err = batch.Error()
		if errors.Is(err, nats.ErrNoResponders) && !delivered && unknown < unknownTimes {
			unknown++
			time.Sleep(behindWait)
			continue
		}
		if err != nil && !errors.Is(err, nats.ErrTimeout) {
			return err
		}
		// The rest was deleted or has aged out meanwhile. As many pending as before do not say so alone: others write while we read.
		if pending == before && !delivered {
			info, err := consumer.Info(ctx)
			if err != nil {
				return err
			}
			if pending = info.NumPending; pending == before {
				return fmt.Errorf("consumer of %s delivers nothing with %d messages pending", info.Stream, pending)
			}
		}
	}
	return nil
}

// readMessage fills m from a delivered message. A missing or unreadable position leaves
// Position.Topic empty: the message did not come through the bridge, or, in a
// stream of results, is a view.
func readMessage(m *streamflow.Message, msg jetstream.Msg, meta *jetstream.MsgMetadata) {
	*m = streamflow.Message{Subject: msg.Subject(), Data: msg.Data(), Sequence: meta.Sequence.Stream, Stored: meta.Timestamp}
	h := msg.Headers()
	if streamflow.IsResult(m.Subject) {
		readResult(m, h)
	} else if p, err := streamflow.ParsePosition(first(h, streamflow.HeaderPosition)); err == nil {
		m.Position, m.Previous = p, p.Offset-1
		if previous := first(h, streamflow.HeaderPrevious); previous != "" {
			if n, err := strconv.ParseInt(previous, 10, 64); err == nil {
				m.Previous = n
			}
		}
	}
	m.Hops = first(h, streamflow.HeaderHops)
	if first(h, streamflow.HeaderReason) != "" {
		for _, key := range letterHeaders {
			if v := first(h, key); v != "" {
				m.Headers = append(m.Headers, streamflow.Header{Key: key, Value: []byte(v)})
			}
		}
	}
}

// readResult reads where a result stands, and what it follows from.
func readResult(m *streamflow.Message, h nats.Header) {
	if p, err := streamflow.ParsePosition(first(h, streamflow.HeaderPosition)); err == nil {
		m.Cause = p
	}
	if p, err := streamflow.ParsePosition(first(h, streamflow.HeaderOutput)); err == nil {
		m.Position, m.Previous = p, p.Offset-1
	}
	if replay := first(h, streamflow.HeaderReplay); replay != "" {
		m.Headers = append(m.Headers, streamflow.Header{Key: streamflow.HeaderReplay, Value: []byte(replay)})
	}
}

// isCursor tells the bridge's cursors, which stand among the messages.
func isCursor(subject string) bool { return strings.HasPrefix(subject, "cursor.") }

// letterHeaders are what a dead letter carries beside its position.
var letterHeaders = [...]string{
	streamflow.HeaderReason, streamflow.HeaderDetail, streamflow.HeaderKey, streamflow.HeaderHeaders, streamflow.HeaderCut,
}

// first reads a header without the canonical spelling that Get would try.
func first(h nats.Header, key string) string {
	if v := h[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Scan calls fn with every message of stream that matches filter, oldest
// first, up to the newest one at the start.
func (c *Client) Scan(ctx context.Context, stream, filter string, headersOnly bool, fn func(*streamflow.Message) error) error {
	return c.scan(ctx, stream, scanOptions{Filter: filter, HeadersOnly: headersOnly}, fn)
}
