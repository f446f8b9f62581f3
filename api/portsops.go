package api

import (
	"context"
	"time"

	"streamflow"
)

// Operations is what the operations about how the system runs need. What asks
// for a part that is nil is answered with 503.
type Operations struct {
	Functions Functions
	Streams   Streams
	Log       Log
	Letters   LetterMarks
	Table     Table
	Sight     Sight
	By        func(ctx context.Context) string // names who asks, for the history of dead letters; nil knows nobody
	Topic     string                           // of the ticks; "" is [streamflow.TopicTicks]
}

// Functions is where people see and change what functions do.
type Functions interface {
	// Functions returns all functions, in the order of the registry.
	Functions(ctx context.Context) ([]FunctionState, error)
	// Change stores what edit makes of the desired state of a function; edit may
	// run several times. What is wrong with it is a [*FunctionFault].
	Change(ctx context.Context, name string, edit func(*streamflow.Desired) error) error
	// Replay asks for a replay from an age or a time on. What is wrong with it is
	// a [*FunctionFault] too.
	Replay(ctx context.Context, name, from string) (streamflow.Replay, error)
}

// FunctionState is all that is known of a function.
type FunctionState struct {
	Name, Does, Reads, Writes string
	Sink                      bool
	Desired                   streamflow.Desired
	Fault                     string // why the desired state is not done; "" if it is
	Layout                    streamflow.Layout
	Shards                    []ShardState
	Workers                   []FunctionWorker
	Waiting                   *uint64 // what its consumers have not acknowledged; nil if that is not known
}

// ShardState is how a shard stands.
type ShardState struct {
	streamflow.ShardStatus
	Generation int
}

// FunctionFault says what is wrong with a desired state.
type FunctionFault struct{ Message string }

func (f *FunctionFault) Error() string { return f.Message }

// Entry is a message of a stream. Its Cause is set for what is mirrored too:
// there it is its own place in Kafka.
type Entry struct {
	streamflow.Message
	Output string // of a fact: where it stands among the results of its function
}

// Streams is what stands in JetStream.
type Streams interface {
	// Back returns messages of stream that match filter, the newest first, at or
	// below sequence upTo (0: the newest): up to limit of those that pick takes.
	// It looks at a bounded number; next is where to go on, 0 at the beginning.
	Back(ctx context.Context, stream, filter string, upTo uint64, limit int, pick func(*Entry) bool) (found []Entry, next uint64, err error)
	// Newest returns the newest message of each subject that matches filter.
	Newest(ctx context.Context, stream, filter string) ([]Entry, error)
	// Get returns the message at a sequence, and whether there is one.
	Get(ctx context.Context, stream string, sequence uint64) (Entry, bool, error)
	// Caused returns the messages on a subject that position has caused, or,
	// where there is none, the first one caused by a later message of its partition.
	Caused(ctx context.Context, stream, subject string, p streamflow.Position) ([]Entry, error)
}

// Record is a record of Kafka.
type Record struct {
	Position streamflow.Position // to produce: Partition -1 chooses by the key, as Java does
	Time     time.Time           // zero: now
	Key      []byte
	Value    []byte
	Text     []byte // what Value says as JSON, if that is in the wire format of a schema registry and can be read; else nil
	Headers  []streamflow.Header
}

// json is what the bridge takes the record for.
func (r *Record) json() []byte {
	if r.Text != nil {
		return r.Text
	}
	return r.Value
}

// Log is Kafka.
type Log interface {
	// Record returns the record at a position, and whether Kafka (still) has it.
	Record(ctx context.Context, p streamflow.Position) (Record, bool, error)
	// Text returns what a value says as JSON, if it is in the wire format of a
	// schema registry (see [streamflow.Framed]) and can be read now; else nil.
	Text(ctx context.Context, topic string, value []byte) []byte
	// Ends returns the end of each partition of a topic.
	Ends(ctx context.Context, topic string) (map[int32]int64, error)
	// Find returns where the first record with a header stands in [from, end) of
	// a topic's partitions.
	Find(ctx context.Context, topic string, from map[int32]int64, header, value string) (streamflow.Position, bool, error)
	// Produce hands records over and returns a channel, which is closed when all
	// of them are decided; then outcome i is that of record i. It does not wait,
	// goes on after ctx has ended, and gives up what it cannot write within its own
	// time. The error says that nothing was taken.
	Produce(ctx context.Context, records []Record) (done <-chan struct{}, outcomes []Outcome, err error)
}

// Outcome is what became of a record.
type Outcome struct {
	Position streamflow.Position
	Err      error // it is not written
}

// LetterMarks is where what was done with dead letters is kept, beside their
// stream, which is never changed by hand.
type LetterMarks interface {
	// Marks returns what stands at each key; the zero mark where nothing does.
	Marks(ctx context.Context, keys []string) ([]LetterMark, error)
	// Mark stores a mark if the key is still at its revision; else
	// [streamflow.ErrFenced].
	Mark(ctx context.Context, key string, m LetterMark) (revision uint64, err error)
}

// LetterMark is what was done with a dead letter.
type LetterMark struct {
	State    string          `json:"state"`              // sending, replayed, discarded; "" is open
	Since    map[int32]int64 `json:"since,omitempty"`    // while sending: where the topic ended before
	Position string          `json:"position,omitempty"` // of the record that was sent
	History  []LetterAct     `json:"history,omitempty"`  // the oldest first
	Revision uint64          `json:"-"`                  // 0: nothing is stored
}

// Table is the table of ticks.
type Table interface {
	// At returns the stored tick at a position, and whether there is one.
	At(ctx context.Context, p streamflow.Position) (streamflow.Mirrored, bool, error)
}

// Sight measures servers.
type Sight interface {
	// Kafka returns the topics of the address book and their groups.
	Kafka(ctx context.Context) ([]PipelineTopic, error)
	// Streams returns the streams of the address book and their durables.
	Streams(ctx context.Context) ([]PipelineStream, error)
	// Database returns the counters of the database.
	Database(ctx context.Context) (DatabaseCounters, error)
}

// DatabaseCounters are those of a database. Rows and Commits only grow.
type DatabaseCounters struct {
	Bytes         int64
	Rows, Commits int64 // inserted or updated; transactions
	Connections   int
	Archived      int64 // offsets that the archive has stored, over all partitions
}
