package jetstream

import (
	"context"

	"streamflow"
)

// Heads returns the offset of the newest mirrored message of each partition,
// as the bridge's cursors tell it. Streams of results have no cursors, and no
// heads that could be known: their readers notice a gap when the next fact comes.
func (d *Durable) Heads(ctx context.Context) (map[streamflow.Partition]int64, error) {
	return d.c.heads(ctx, d.stream)
}

// mirror returns the mirror that a stream is, and the subjects of its cursors;
// nil for a stream of results.
func (c *Client) mirror(stream string) (m *Mirror, cursors string) {
	switch stream {
	case streamflow.StreamTicks:
		return c.Ticks(), streamflow.SubjectCursors
	case streamflow.StreamDeadLetters:
		return c.DeadLetters(), streamflow.SubjectDLQCursors
	case streamflow.StreamEvents:
		return c.Events(), streamflow.SubjectEventCursors
	}
	return nil, ""
}

// heads settles every cursor of a stream.
func (c *Client) heads(ctx context.Context, stream string) (map[streamflow.Partition]int64, error) {
	heads := make(map[streamflow.Partition]int64)
	mirror, filter := c.mirror(stream)
	if mirror == nil {
		return heads, nil
	}
	var partitions []streamflow.Partition
	err := c.scan(ctx, stream, scanOptions{Filter: filter, Newest: true}, func(m *streamflow.Message) error {
		p, err := streamflow.ParseCursorSubject(m.Subject)
		if err != nil {
			return nil
		}
		partitions = append(partitions, p)
		return nil
	})
	for _, p := range partitions {
		cur, err := mirror.Cursor(ctx, p)
		if err != nil {
			return nil, err
		}
		if cur.Last >= 0 {
			heads[p] = cur.Last
		}
	}
	return heads, err
}
