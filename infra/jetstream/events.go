package jetstream

import "streamflow"

// Events is the stream of events of all other topics than that of the ticks,
// with the cursors of their partitions.
func (c *Client) Events() *Mirror {
	return &Mirror{c: c, stream: streamflow.StreamEvents, subject: streamflow.EventCursorSubject}
}
