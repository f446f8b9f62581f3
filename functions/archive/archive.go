// Package archive holds the functions that store things in the database: every
// tick ([Sink]), every candle ([Candles]) and every alert ([Alerts]).
package archive

import (
	"context"
	"log/slog"

	"streamflow"
	"streamflow/functions"
)

// Store is what the archive needs of a database.
type Store interface {
	// Positions returns the offset of the last stored tick by partition.
	Positions(ctx context.Context, function string) (map[streamflow.Partition]int64, error)
	// Archive stores ticks and moves the positions from one value to the other
	// in one transaction; [streamflow.ErrFenced] if they were not at from.
	Archive(ctx context.Context, function string, ticks []streamflow.Mirrored, from, to map[streamflow.Partition]int64) error
}

// Sink stores ticks. It satisfies [functions.Sink].
type Sink struct {
	store Store
	log   *slog.Logger
	ticks []streamflow.Mirrored // reused from commit to commit
}

// New returns the archive over a store.
func New(store Store, log *slog.Logger) *Sink { return &Sink{store: store, log: log} }

// Load reads the positions.
func (s *Sink) Load(ctx context.Context) (functions.Checkpoint, error) {
	positions, err := s.store.Positions(ctx, streamflow.FunctionArchive)
	return positions, err
}

// Commit stores the ticks and the positions.
func (s *Sink) Commit(ctx context.Context, messages []streamflow.Message, from, to functions.Checkpoint) error {
	s.ticks = s.ticks[:0]
	for i := range messages {
		m := &messages[i]
		tick, err := m.Tick()
		if err != nil {
			// The bridge lets none of these pass, so somebody else has written
			// it; the bytes are in the stream and in Kafka.
			s.log.Error("a message that is not a tick is left out", "position", m.Position, "error", err)
			continue
		}
		s.ticks = append(s.ticks, streamflow.Mirrored{Tick: tick, Position: m.Position, Previous: m.Previous, Sequence: m.Sequence, Stored: m.Stored})
	}
	return s.store.Archive(ctx, streamflow.FunctionArchive, s.ticks, from, to)
}
