package jetstream

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// Bounds of a search: messages of other partitions between two of the one that
// is looked for, and results of one cause.
const (
	strangersAtMost = 200
	causedAtMost    = 32
)

// Caused returns the messages on a subject, which may have wildcards, that
// follow from the message at p, or are it; where there is none, the first one
// that follows from a later message of its partition, if there is one.
//
// It does not scan: the offsets of a partition only grow along a subject, so
// that some twenty reads find the place in millions of messages. After a replay
// that repeats results they grow once more, and either place may be found.
func (c *Client) Caused(ctx context.Context, stream, subject string, p streamflow.Position) ([]streamflow.Message, error) {
	s, err := c.looking(ctx, stream)
	if err != nil {
		return nil, err
	}
	state := &s.CachedInfo().State
	look := causes{s: s, filter: jetstream.WithGetMsgSubject(subject), in: p.In()}
	low, high := max(state.FirstSeq, 1), state.LastSeq+1
	var found *streamflow.Message
	for low < high {
		middle := low + (high-low)/2
		m, err := look.from(ctx, middle)
		switch {
		case err != nil:
			return nil, err
		case m == nil:
			high = middle
		case causeOf(m).Offset >= p.Offset:
			found, high = m, middle
		default:
			low = m.Sequence + 1
		}
	}
	if found == nil {
		return nil, nil
	}
	list := []streamflow.Message{*found}
	for causeOf(found) == p && len(list) < causedAtMost {
		m, err := look.from(ctx, list[len(list)-1].Sequence+1)
		if err != nil {
			return nil, err
		}
		if m == nil || causeOf(m) != p {
			break
		}
		list = append(list, *m)
	}
	return list, nil
}

// causes reads the messages of one filter that follow from one partition.
type causes struct {
	s      jetstream.Stream
	filter jetstream.GetMsgOpt
	in     streamflow.Partition
}

// from returns the first of them at or behind a sequence, nil if there is none.
func (c *causes) from(ctx context.Context, sequence uint64) (*streamflow.Message, error) {
	for range strangersAtMost {
		m, ok, err := next(ctx, c.s, sequence, c.filter)
		if err != nil || !ok {
			return nil, err
		}
		if causeOf(&m).In() == c.in {
			return &m, nil
		}
		sequence = m.Sequence + 1
	}
	return nil, fmt.Errorf("stream %s: more than %d messages of other partitions stand together: it is not looked for any further",
		c.s.CachedInfo().Config.Name, strangersAtMost)
}

// causeOf returns where the message that m follows from stands in Kafka, of one
// that is mirrored its own place.
func causeOf(m *streamflow.Message) streamflow.Position {
	if streamflow.IsResult(m.Subject) {
		return m.Cause
	}
	return m.Position
}
