package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// Mirror is a stream into which the bridge mirrors partitions, each with its
// cursor. It satisfies the bridge's Target.
type Mirror struct {
	c       *Client
	stream  string
	subject func(topic string, partition int32) string // of the cursor
	// replicated is whether the stream has replicas, as Claim saw it.
	replicated atomic.Bool
}

// Ticks is the stream of ticks with its cursors.
func (c *Client) Ticks() *Mirror {
	return &Mirror{c: c, stream: streamflow.StreamTicks, subject: streamflow.CursorSubject}
}

// DeadLetters is the stream of dead letters with its own cursors.
func (c *Client) DeadLetters() *Mirror {
	return &Mirror{c: c, stream: streamflow.StreamDeadLetters, subject: streamflow.DeadLetterCursorSubject}
}

// cursorData is the body of a cursor message.
type cursorData struct {
	Next int64 `json:"next"`
	Last int64 `json:"last"`
	// Since is the stream sequence behind which messages may stand that Next
	// does not count yet. It is left out where that is the cursor's own.
	Since *uint64 `json:"since,omitempty"`
	Topic string  `json:"topic,omitempty"` // [streamflow.Cursor].TopicID
}

// parseCursor reads a cursor and the sequence behind which to count on.
func parseCursor(m *jetstream.RawStreamMsg) (cur streamflow.Cursor, since uint64, err error) {
	cur = streamflow.Start
	if m == nil {
		return cur, 0, nil
	}
	var d cursorData
	if err := json.Unmarshal(m.Data, &d); err != nil {
		return cur, 0, fmt.Errorf("cursor %s: unreadable %.80q: %w", m.Subject, m.Data, err)
	}
	since = m.Sequence
	if d.Since != nil {
		since = *d.Since
	}
	return streamflow.Cursor{Next: d.Next, Last: d.Last, Fence: m.Sequence, TopicID: d.Topic}, since, nil
}

// MaxPayload is the largest message that the server takes, headers included.
func (m *Mirror) MaxPayload() int { return int(m.c.nc.MaxPayload()) }

// few is up to how many messages are stored without the cursor.
const few = 16

// Commit stores messages, in their order, so that cur holds, and returns the
// fence that then does. [streamflow.ErrFenced] says that the cursor has been
// moved by another writer since cur was read, and that nothing was stored after
// that. After any error the first of the messages may have been stored, which
// [Mirror.Claim] settles.
//
// Every message stands under the fence of the cursor and carries its position,
// so it is as good as a cursor itself: the cursor need not move with a few of
// them, and Claim counts what stands behind it.
//
// Streams that are not replicated take fast batches. A replicated one refuses a
// second message under a fence while the first is being replicated, so there
// many go in one atomic batch, and a few one by one.
func (m *Mirror) Commit(ctx context.Context, p streamflow.Partition, messages []streamflow.Message, cur streamflow.Cursor) (uint64, error) {
	subject := m.subject(p.Topic, p.Number)
	// What comes after the last of them, and was refused, only the cursor can count.
	counted := len(messages) > 0 && len(messages) <= few && cur.Next == messages[len(messages)-1].Position.Offset+1
	switch {
	case len(messages) == 0 || cur.Fence == 0 || m.replicated.Load() && !counted:
		return m.write(ctx, p, messages, cur, nil)
	case m.replicated.Load():
		for i := range messages {
			if err := m.c.publishFenced(ctx, &messages[i], subject, cur.Fence); err != nil {
				return 0, err
			}
		}
		return cur.Fence, nil
	case counted:
		_, err := m.c.publishFast(ctx, messages, position{subject: subject, fence: cur.Fence})
		return cur.Fence, err
	}
	data, err := json.Marshal(cursorData{Next: cur.Next, Last: cur.Last, Topic: cur.TopicID})
	if err != nil {
		return 0, err
	}
	return m.c.publishFast(ctx, messages, position{subject: subject, data: data, fence: cur.Fence})
}

// write stores messages and the cursor in one atomic batch.
func (m *Mirror) write(ctx context.Context, p streamflow.Partition, messages []streamflow.Message, cur streamflow.Cursor, since *uint64) (uint64, error) {
	data, err := json.Marshal(cursorData{Next: cur.Next, Last: cur.Last, Since: since, Topic: cur.TopicID})
	if err != nil {
		return 0, err
	}
	return m.c.commitBatch(ctx, messages, position{subject: m.subject(p.Topic, p.Number), data: data, fence: cur.Fence})
}

// Fence returns the sequence of the partition's cursor message, 0 if there is
// none: one cheap question, for a writer that wants to know whether its own
// cursor still stands.
func (m *Mirror) Fence(ctx context.Context, p streamflow.Partition) (uint64, error) {
	raw, err := m.last(ctx, p)
	if err != nil || raw == nil {
		return 0, err
	}
	return raw.Sequence, nil
}

func (m *Mirror) last(ctx context.Context, p streamflow.Partition) (*jetstream.RawStreamMsg, error) {
	s, err := ask(ctx, func(ctx context.Context) (jetstream.Stream, error) { return m.c.js.Stream(ctx, m.stream) })
	if err != nil {
		return nil, m.wrap(err)
	}
	m.replicated.Store(s.CachedInfo().Config.Replicas > 1)
	// The stream does not allow direct gets: a follower's answer may be old.
	raw, err := ask(ctx, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return s.GetLastMsgForSubject(ctx, m.subject(p.Topic, p.Number))
	})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	return raw, m.wrap(err)
}

func (m *Mirror) wrap(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("stream %s is missing, run `streamflow topics`: %w", m.stream, err)
	}
	return fmt.Errorf("stream %s: %w", m.stream, err)
}

// Cursor reads how far partition p is mirrored: what its cursor says, and what
// stands behind the cursor.
//
//	cursor next=100 | ticks 100 101 102   ->  next=103
//
// Messages stand there because a few were stored one by one, because a server
// that was killed in the middle of a batch kept its first messages and not its
// cursor, or because somebody deleted the cursor.
func (m *Mirror) Cursor(ctx context.Context, p streamflow.Partition) (streamflow.Cursor, error) {
	raw, err := m.last(ctx, p)
	if err != nil {
		return streamflow.Start, err
	}
	cur, since, err := parseCursor(raw)
	if err != nil {
		return cur, err
	}
	return cur, m.settle(ctx, p, since, &cur)
}

// settle counts what stands behind sequence since.
func (m *Mirror) settle(ctx context.Context, p streamflow.Partition, since uint64, cur *streamflow.Cursor) error {
	err := m.c.scan(ctx, m.stream, scanOptions{From: since + 1, HeadersOnly: true, Known: cur.Fence}, func(msg *streamflow.Message) error {
		if m.mirrored(msg, p) && msg.Position.Offset >= cur.Next {
			cur.Next, cur.Last = msg.Position.Offset+1, msg.Position.Offset
		}
		return nil
	})
	return m.wrap(err)
}

// mirrored says that the bridge has brought msg over from p. In the stream of dead
// letters there are those of functions, too, which are on subjects of a token
// more. They have the positions of what the bridge did not refuse: if they
// counted, it would leave that out when it mirrors it anew.
func (m *Mirror) mirrored(msg *streamflow.Message, p streamflow.Partition) bool {
	return msg.Position.In() == p && (m.stream != streamflow.StreamDeadLetters || strings.Count(msg.Subject, ".") == 1)
}

// Claim makes the caller the one who may write partition p, and returns how far
// it is mirrored. Whatever an earlier writer, or the caller itself, has still on
// its way is refused from then on. The order matters:
//
//	writer A: sends tick 7, hears nothing      | tick 7 waits in a buffer
//	writer B: counts what is there: up to 6    |
//	writer B: sends tick 7                     | stored
//	                                           | A's tick 7 arrives: stored again
//
// So the cursor is moved first, which makes A's fence stale, and counted after.
// Until the count is written too, the cursor says from where to count, should B
// die in between.
func (m *Mirror) Claim(ctx context.Context, p streamflow.Partition) (streamflow.Cursor, error) {
	for {
		raw, err := m.last(ctx, p)
		if err != nil {
			return streamflow.Start, err
		}
		cur, since, err := parseCursor(raw)
		if err != nil {
			return cur, err
		}
		if cur.Fence, err = m.write(ctx, p, nil, cur, &since); err == nil {
			next := cur.Next
			if err = m.settle(ctx, p, since, &cur); err == nil && cur.Next != next {
				cur.Fence, err = m.write(ctx, p, nil, cur, nil)
			}
		}
		if !errors.Is(err, streamflow.ErrFenced) { // else another one claims it now: look again
			return cur, m.wrap(err)
		}
	}
}

// Head is the state of a stream: its newest sequence.
func (m *Mirror) Head(ctx context.Context) (uint64, error) {
	s, err := m.c.js.Stream(ctx, m.stream)
	if err != nil {
		return 0, m.wrap(err)
	}
	return s.CachedInfo().State.LastSeq, nil
}

// Count returns how many messages the stream holds, cursors included.
func (m *Mirror) Count(ctx context.Context) (uint64, error) {
	s, err := m.c.js.Stream(ctx, m.stream)
	if err != nil {
		return 0, m.wrap(err)
	}
	return s.CachedInfo().State.Msgs, nil
}

// Offsets returns the offsets of the partition's messages from that one on.
func (m *Mirror) Offsets(ctx context.Context, p streamflow.Partition, from int64) (map[int64]struct{}, error) {
	offsets := make(map[int64]struct{})
	err := m.c.scan(ctx, m.stream, scanOptions{HeadersOnly: true}, func(msg *streamflow.Message) error {
		if m.mirrored(msg, p) && msg.Position.Offset >= from {
			offsets[msg.Position.Offset] = struct{}{}
		}
		return nil
	})
	return offsets, m.wrap(err)
}
