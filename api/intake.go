package api

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"streamflow"
	"streamflow/api/live"
)

// intake brings the ticks that package live follows to the board: it is the
// [live.Tap].
type intake struct {
	feed  Feed
	store Store
	board *board
	log   *slog.Logger

	ticks  []streamflow.Mirrored // scratch
	seeded chan struct{}         // closed when the stream was read once
	once   sync.Once
}

func newIntake(c *Config, b *board) *intake {
	return &intake{feed: c.Feed, store: c.Store, board: b, log: c.Logger, seeded: make(chan struct{})}
}

// mirroredTick reads a tick; ok is false for a message that is not the
// bridge's. Extra aliases the message's data.
func mirroredTick(m *streamflow.Message) (t streamflow.Mirrored, ok bool) {
	if m.Position.Topic == "" {
		return t, false
	}
	tick, err := m.Tick()
	if err != nil {
		return t, false
	}
	return streamflow.Mirrored{
		Tick: tick, Position: m.Position, Previous: m.Previous,
		Sequence: m.Sequence, Stored: m.Stored, Hops: streamflow.ParseHops(m.Hops),
	}, true
}

// appendTicks appends those of messages that are ticks.
func appendTicks(ticks []streamflow.Mirrored, messages []streamflow.Message) []streamflow.Mirrored {
	for i := range messages {
		if t, ok := mirroredTick(&messages[i]); ok {
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// Seed implements [live.Tap].
func (in *intake) Seed(stream string, newest []streamflow.Message) {
	if stream != streamflow.StreamTicks {
		return
	}
	in.board.seed(appendTicks(nil, newest))
	in.once.Do(func() { close(in.seeded) })
}

// Apply implements [live.Tap].
func (in *intake) Apply(stream string, batch []streamflow.Message) {
	if stream != streamflow.StreamTicks {
		return
	}
	in.ticks = appendTicks(in.ticks[:0], batch)
	in.board.apply(in.ticks)
}

// run reads the day's figures once the stream was read, and again where
// [untilReload] says so.
func (in *intake) run(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-in.seeded:
	}
	for {
		err := live.Retry(ctx, in.log, "reading the day's figures", func() error {
			return in.board.load(ctx, in.feed, in.store, time.Now())
		})
		wait := untilReload(time.Now())
		if err != nil || wait == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
