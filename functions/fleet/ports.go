package fleet

import (
	"context"
	"encoding/json"

	"streamflow"
)

// Bucket is a key-value bucket.
type Bucket interface {
	// Watch calls change with every key that is there, then once with the key
	// "", and then with every key that changes, until ctx ends or it fails. The
	// value is nil for a key that is gone.
	Watch(ctx context.Context, change func(key string, value []byte, revision uint64)) error
	// Update stores a value if the key is still at revision, 0 for a key that is
	// not there; else [streamflow.ErrFenced].
	Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	// Put stores a value.
	Put(ctx context.Context, key string, value []byte) error
	// Delete removes a key; one that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// Function is what a worker knows of a function before it runs it.
type Function struct {
	Name    string
	Sink    bool               // it keeps its position elsewhere: one shard, no replay
	Rules   bool               // it is built anew when a rule changes
	Alone   bool               // its input delivers to every worker that asks: nobody stands by at it
	Default streamflow.Desired // where the bucket has nothing for it
	// Build checks the parameters and makes the function ready. What it returns
	// as an error is for the person who wrote them.
	Build func(params json.RawMessage, rules []streamflow.Rule) (Program, error)
}

// Program is a function with its parameters.
type Program interface {
	// Shard returns one shard of the function, not running yet.
	Shard(l streamflow.Layout, shard int) Shard
	// Pending looks how much waits for a shard, without being its worker.
	Pending(ctx context.Context, shard int) (uint64, error)
	// Move makes the next layout from the one before, so that nothing is lost or
	// doubled whoever does it, however often, and wherever it is interrupted.
	// replay is nil for a change of shards.
	Move(ctx context.Context, from, to streamflow.Layout, replay *streamflow.Replay) error
	// Tidy removes what layouts before this one have left.
	Tidy(ctx context.Context, now streamflow.Layout) error
}

// Shard is one shard of a function: at work, or standing by.
type Shard interface {
	// Run works, or stands by, until ctx ends, and then leaves its place so that
	// another worker can go on at once.
	Run(ctx context.Context) error
	// Report says how it stands, at any time.
	Report() Report
}

// Report is how a shard stands.
type Report struct {
	streamflow.ShardStatus
	Owner bool // it is this worker that gets the messages
	Due   bool // it waits for the clock, not only for messages
}
