package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// Mirror is a stream into which the bridge mirrors partitions, each with its
// cursor. It satisfies the bridge's Target.
type Mirror struct {
	c       *Client
	stream  string
	subject func(topic string, partition int32) string // of the cursor
	filter  string                                     // of the messages
}

// Ticks is the stream of ticks with its cursors.
func (c *Client) Ticks() *Mirror {
	return &Mirror{c: c, stream: streamflow.StreamTicks, subject: streamflow.CursorSubject, filter: streamflow.SubjectAllTicks}
}

// DeadLetters is the stream of dead letters with its own cursors.
func (c *Client) DeadLetters() *Mirror {
	return &Mirror{c: c, stream: streamflow.StreamDeadLetters, subject: streamflow.DeadLetterCursorSubject, filter: streamflow.SubjectAllDeadLetters}
}

// cursorData is the body of a cursor message.
type cursorData struct {
	Next int64 `json:"next"`
	Last int64 `json:"last"`
}

func parseCursor(subject string, data []byte) (streamflow.Cursor, error) {
	var d cursorData
	if err := json.Unmarshal(data, &d); err != nil {
		return streamflow.Start, fmt.Errorf("cursor %s: unreadable %.80q: %w", subject, data, err)
	}
	return streamflow.Cursor{Next: d.Next, Last: d.Last}, nil
}

// MaxPayload is the largest message that the server takes, headers included.
func (m *Mirror) MaxPayload() int { return int(m.c.nc.MaxPayload()) }

// Commit stores messages and the cursor in one atomic batch and returns the
// next fence. The error is [streamflow.ErrFenced] if the cursor has been moved
// by another writer since cur was read; after any other error the outcome is
// open until the cursor has been read again.
func (m *Mirror) Commit(ctx context.Context, p streamflow.Partition, messages []streamflow.Message, cur streamflow.Cursor) (uint64, error) {
	data, err := json.Marshal(cursorData{Next: cur.Next, Last: cur.Last})
	if err != nil {
		return 0, err
	}
	return m.c.commitBatch(ctx, messages, m.subject(p.Topic, p.Number), data, cur.Fence)
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
	s, err := m.c.js.Stream(ctx, m.stream)
	if err != nil {
		return nil, m.wrap(err)
	}
	// The stream does not allow direct gets: a follower's answer may be old.
	raw, err := s.GetLastMsgForSubject(ctx, m.subject(p.Topic, p.Number))
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

// Cursor reads how far partition p is mirrored, settled against what really
// stands in the stream.
//
// A server that was killed in the middle of a commit may come back with the
// first messages of a batch and without its cursor; a cursor may also have been
// deleted by hand. What stands behind the cursor therefore counts as mirrored:
//
//	cursor next=100 | ticks 100 101 102 (no cursor)   ->  next=103
//
// The batch is then resumed at 103 and nothing is doubled. Behind the cursor
// there are only messages of other partitions in the ordinary case, and
// [Mirror.Tend] keeps them few.
func (m *Mirror) Cursor(ctx context.Context, p streamflow.Partition) (streamflow.Cursor, error) {
	cur := streamflow.Start
	raw, err := m.last(ctx, p)
	if err != nil {
		return cur, err
	}
	if raw != nil {
		if cur, err = parseCursor(raw.Subject, raw.Data); err != nil {
			return cur, err
		}
		cur.Fence = raw.Sequence
	}
	err = m.c.scan(ctx, m.stream, scanOptions{Filter: m.filter, From: cur.Fence + 1, HeadersOnly: true}, func(msg *streamflow.Message) error {
		if msg.Position.In() == p && msg.Position.Offset >= cur.Next {
			cur.Next, cur.Last = msg.Position.Offset+1, msg.Position.Offset
		}
		return nil
	})
	return cur, m.wrap(err)
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
