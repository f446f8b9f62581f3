package streamflow

import (
	"encoding/json"
	"time"
)

// DesiredState is what a function should be doing.
type DesiredState string

// The states. A paused function keeps its place and its worker's attention and
// goes on where it was; a stopped one is let go of altogether, and goes on
// there too when it is started.
const (
	StateRunning DesiredState = "running"
	StatePaused  DesiredState = "paused"
	StateStopped DesiredState = "stopped"
)

// MaxShards is how many shards a function may have.
const MaxShards = 64

// Desired is what people want of a function: bucket [BucketFunctions], key =
// the function's name.
type Desired struct {
	State  DesiredState    `json:"state"`
	Shards int             `json:"shards"`           // 1 to MaxShards
	Params json.RawMessage `json:"params,omitempty"` // the function's own settings; nil for its defaults
	Replay *Replay         `json:"replay,omitempty"` // the newest replay that was asked for
	By     string          `json:"by,omitempty"`     // who has changed it last: an API key, an address, a command
}

// Replay asks a function to compute anew from a time on.
type Replay struct {
	ID   string    `json:"id"`   // a replay is done once, by its ID
	From time.Time `json:"from"` // results of messages produced before it are not published again
}

// Layout is how a function's state is laid out in its output stream: bucket
// [BucketFunctions], key = the function's name and ".layout". A change of
// shards, and a replay, makes the next generation.
type Layout struct {
	Generation int    `json:"generation"`
	Shards     int    `json:"shards"`
	Replay     string `json:"replay,omitempty"` // ID of the replay that made this generation
}

// ShardStatus is what the worker of one shard says of itself: bucket
// [BucketStatus], key = function and shard, gone seconds after its worker is.
type ShardStatus struct {
	Function    string    `json:"function"`
	Shard       int       `json:"shard"`
	Worker      string    `json:"worker"` // who owns the shard
	At          time.Time `json:"at"`     // when this was measured
	Messages    uint64    `json:"messages"`
	Rate        float64   `json:"rate"` // messages a second, over the last seconds
	Lag         uint64    `json:"lag"`  // messages of the input that were not delivered yet, or not acknowledged
	Errors      uint64    `json:"errors"`
	DeadLetters uint64    `json:"dead_letters"`
	Facts       uint64    `json:"facts"`                 // results published
	StepP50     float64   `json:"step_p50_us"`           // microseconds a message, over the last seconds
	StepP99     float64   `json:"step_p99_us"`           // the same
	Checkpoint  time.Time `json:"checkpoint,omitzero"`   // when the newest snapshot of the state was written
	Keys        int       `json:"keys"`                  // of the state: symbols
	LastError   string    `json:"last_error,omitempty"`  // the newest one
	Asleep      bool      `json:"asleep,omitempty"`      // released by scale to zero
	NewestInput time.Time `json:"newest_input,omitzero"` // when the newest message that was stepped had been produced
}
