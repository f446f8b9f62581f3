package streamflow

import "time"

// Message is one message of a stream, before it is published or after it was
// delivered. A stream of results holds facts, each of which is published once
// and has a Position, and views, which show how a fact grows, may be left out
// or repeated, and have none: their Position.Topic is "".
type Message struct {
	Subject string
	Data    []byte
	// Position is where it stands in the log that its readers keep their place
	// in: Kafka's for what is mirrored ([HeaderPosition]), that of the function
	// for a result ([HeaderOutput]).
	Position Position
	Previous int64    // see [HeaderPrevious]; Position.Offset-1 where the header is missing
	Cause    Position // of a result or a view: where the message that it follows from stands in Kafka
	Hops     string   // the text of [HeaderHops]
	Headers  []Header // further ones; nil for most
	Sequence uint64   // in the stream; 0 before it is published
	Stored   time.Time
	tick     *Tick // see [Message.Decode]
}

// Cursor is how far the bridge has mirrored a partition.
type Cursor struct {
	Next  int64  // the Kafka offset to read next
	Last  int64  // the offset of the last message that was mirrored; -1 if there is none
	Fence uint64 // the stream sequence of the cursor's own message; 0 if there is none
	// TopicID is Kafka's own name for the topic, which one that is made anew under
	// the same name does not share; "" if Kafka has not told it.
	TopicID string
}

// Start is the cursor of a partition of which nothing is mirrored.
var Start = Cursor{Next: 0, Last: -1}
