package api

import (
	"context"
	"time"

	"streamflow"
)

// Feed is the stream of committed ticks.
type Feed interface {
	// Snapshot returns the newest committed tick of every symbol, and the
	// stream sequence up to which that is true.
	Snapshot(ctx context.Context) (newest []streamflow.Mirrored, last uint64, err error)
	// Follow calls fn with every tick after sequence after, in stream order, in
	// batches as they arrive, until ctx ends or fn returns an error, which it
	// returns. It reconnects by itself. The slice, and what it points to, is
	// valid only during the call.
	Follow(ctx context.Context, after uint64, fn func([]streamflow.Mirrored) error) error
	// Floor returns the sequence up to which the archive function has stored
	// every tick.
	Floor(ctx context.Context) (uint64, error)
}

// Store is the database.
type Store interface {
	// Ticks returns what q asks for.
	Ticks(ctx context.Context, q TicksQuery) ([]streamflow.Mirrored, error)
	// Days returns, in one snapshot, what every symbol did on the UTC day that
	// begins at date, and up to which offset of each partition the figures count.
	Days(ctx context.Context, date time.Time) ([]streamflow.Day, map[streamflow.Partition]int64, error)
}

// TicksQuery asks for the stored ticks of one symbol.
type TicksQuery struct {
	Symbol     string
	From, To   time.Time   // half-open [From, To); the zero time is open
	Limit      int         // at most so many
	After      *TickCursor // go on after this tick; nil starts
	Descending bool        // newest first
}

// TickCursor is where a page of ticks ended. Ticks are ordered by time, then
// partition, then offset, so that ticks of one instant have one order.
type TickCursor struct {
	Time      time.Time
	Partition int32
	Offset    int64
}

// Check is one dependency that GET /ready tries. Fn must really use it, and
// give up when its context ends; detail is for a person ("2 brokers").
type Check struct {
	Name string
	Fn   func(ctx context.Context) (detail string, err error)
}
