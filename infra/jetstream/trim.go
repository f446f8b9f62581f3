package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// The server's own limits know no difference between a message and a position.
// A checkpoint that is older than the limit on age is dropped when the server
// starts, whatever its headers say, and one that is older than the limit on
// bytes allows at any time:
//
//	the server is off from Friday to Monday | it starts: cursors, checkpoints and
//	                                        | states are gone, all is derived again
//
// So the limit on age of a stream is far behind the one that is meant, which
// stands in the stream's metadata and which Trim enforces. It brings positions
// to the end of the stream before it removes what is around them.
const (
	metaKeep  = "streamflow.keep" // a duration
	ageFactor = 30                // how far behind it the server's limit is
	trimEvery = time.Minute
)

// keeps returns for how long a stream is to keep its messages; 0 is for ever.
func keeps(c jetstream.StreamConfig) time.Duration {
	if d, err := time.ParseDuration(c.Metadata[metaKeep]); err == nil {
		return d
	}
	return c.MaxAge
}

// KeepTrimmed trims all streams every minute until ctx ends. It may be run by
// several processes at once.
func (c *Client) KeepTrimmed(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		if err := c.Trim(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("streams were not trimmed; it is tried again in a minute", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Trim removes from all streams what is older than they are meant to keep it,
// but for positions and states. Of a stream that is more than half full it also
// brings forward the positions and states in its older half, which the limit
// on bytes would take next. Whoever holds the fence of one that is brought
// forward has to read it again.
func (c *Client) Trim(ctx context.Context) error {
	var failed []error
	for _, want := range Streams(DefaultLimits) {
		if err := c.trim(ctx, want.Name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			failed = append(failed, fmt.Errorf("trim stream %s: %w", want.Name, err))
		}
	}
	return errors.Join(failed...)
}

func (c *Client) trim(ctx context.Context, stream string) error {
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return err
	}
	info := s.CachedInfo()
	if info.State.Msgs == 0 {
		return nil
	}
	cut := uint64(0)
	// The slack keeps those that trim the same stream from doing it all at once.
	if keep := keeps(info.Config); keep > 0 && time.Since(info.State.FirstTime) > keep+keep/64 {
		if cut, err = c.find(ctx, stream, find{Stored: time.Now().Add(-keep)}); err != nil {
			return err
		}
		if cut == 0 { // nothing is as young
			cut = info.State.LastSeq + 1
		}
	}
	forward := cut
	if limit := info.Config.MaxBytes; limit > 0 && info.State.Bytes > uint64(limit)/2 {
		forward = max(cut, info.State.FirstSeq+(info.State.LastSeq-info.State.FirstSeq)/2)
	}
	if forward <= info.State.FirstSeq {
		return nil
	}
	if err := c.forward(ctx, s, forward); err != nil {
		return err
	}
	if cut <= info.State.FirstSeq {
		return nil
	}
	return s.Purge(ctx, jetstream.WithPurgeSequence(cut))
}

// forward brings the positions and states that stand before a sequence to the
// end of the stream. Nobody moves one to a place before it meanwhile, so when
// it succeeds there is none.
func (c *Client) forward(ctx context.Context, s jetstream.Stream, before uint64) error {
	stream := s.CachedInfo().Config.Name
	if mirror, filter := c.mirror(stream); mirror != nil {
		// A cursor counts what stands behind it, and must go on counting it.
		return c.old(ctx, stream, filter, before, func(m *streamflow.Message) error {
			p, err := streamflow.ParseCursorSubject(m.Subject)
			if err == nil {
				_, err = mirror.Claim(ctx, p)
			}
			return err
		})
	}
	for _, filter := range []string{"state.>", "checkpoint.>"} {
		err := c.old(ctx, stream, filter, before, func(m *streamflow.Message) error { return c.again(ctx, s, m.Sequence) })
		if err != nil {
			return err
		}
	}
	return nil
}

// old calls fn with what matches filter and is the newest of its subject, and
// yet stands before a sequence. It has its headers only.
func (c *Client) old(ctx context.Context, stream, filter string, before uint64, fn func(*streamflow.Message) error) error {
	var list []streamflow.Message
	err := c.scan(ctx, stream, scanOptions{Filter: filter, Newest: true, HeadersOnly: true}, func(m *streamflow.Message) error {
		if m.Sequence < before {
			list = append(list, *m)
		}
		return nil
	})
	for i := range list {
		if err == nil {
			err = fn(&list[i])
		}
	}
	return err
}

// again stores a position or a piece of state once more, in the place of what
// it was, unless somebody else has written it by then.
func (c *Client) again(ctx context.Context, s jetstream.Stream, sequence uint64) error {
	raw, err := s.GetMsg(ctx, sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = c.request(ctx, &nats.Msg{Subject: raw.Subject, Data: raw.Data, Header: nats.Header{
		headerRollup: {"sub"}, headerTTL: {"never"}, headerExpected: {strconv.FormatUint(sequence, 10)},
	}})
	if errors.Is(err, streamflow.ErrFenced) {
		return nil
	}
	return err
}
