package api

import (
	"context"
	"time"

	"streamflow"
	"streamflow/api/live"
)

// Feed is the streams, and how far the archive has stored that of the ticks.
type Feed interface {
	live.Feed
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
