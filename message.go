package streamflow

import "time"

// Message is one message of a stream, before it is published or after it was
// delivered.
type Message struct {
	Subject  string
	Data     []byte
	Position Position // where its cause stands in Kafka
	Previous int64    // see [HeaderPrevious]; Position.Offset-1 where the header is missing
	Hops     string   // the text of [HeaderHops]
	Headers  []Header // further ones; nil for most
	Sequence uint64   // in the stream; 0 before it is published
	Stored   time.Time
}

// Cursor is how far the bridge has mirrored a partition.
type Cursor struct {
	Next  int64  // the Kafka offset to read next
	Last  int64  // the offset of the last message that was mirrored; -1 if there is none
	Fence uint64 // the stream sequence of the cursor's own message; 0 if there is none
}

// Start is the cursor of a partition of which nothing is mirrored.
var Start = Cursor{Next: 0, Last: -1}
