package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"streamflow"
)

// replayStall is how long a replay may stand still before it is given up.
const replayStall = 30 * time.Second

// load reads the day's figures, while live ticks go on:
//
//	floor  := the archive has stored every tick up to here
//	days, P:= the database's figures, and the positions P that they count
//	L, M   := the last sequence and the positions that the board has seen
//	replay (floor, L], counting what stands beyond P and up to M
//	live   counting what stands beyond P and M, from the moment M was taken
//
// floor is read before P, so no tick can fall between; each tick stands either
// up to P, between P and M, or beyond M, so none is counted twice.
func (b *board) load(ctx context.Context, feed Feed, store Store, now time.Time) error {
	floor, err := feed.Floor(ctx)
	if err != nil {
		return fmt.Errorf("read how far the archive is: %w", err)
	}
	date := now.UTC().Truncate(24 * time.Hour)
	days, base, err := store.Days(ctx, date)
	if err != nil {
		return fmt.Errorf("read the figures of %s: %w", date.Format(time.DateOnly), err)
	}
	last, upTo := b.begin(days, base)
	if last > floor {
		if err := b.replay(ctx, feed, floor, last, upTo); err != nil {
			b.abandon()
			return fmt.Errorf("replay the stream from %d to %d: %w", floor, last, err)
		}
	}
	b.finish()
	return nil
}

// begin starts counting live ticks on top of the database's figures.
func (b *board) begin(days []streamflow.Day, base map[streamflow.Partition]int64) (last uint64, upTo map[streamflow.Partition]int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.sorted {
		r.next = figures{}
	}
	for i := range days {
		d := &days[i]
		r := b.row(d.Symbol)
		r.next = baseFigures(*d)
		if at := d.Last.Time.UnixNano(); d.Last.Price > 0 && (r.price == 0 || at > r.at) {
			r.price, r.volume, r.at, r.seq = d.Last.Price, d.Last.Volume, at, 0
		}
	}
	b.base = make(map[streamflow.Partition]int64, len(base))
	maps.Copy(b.base, base)
	upTo = make(map[streamflow.Partition]int64, len(b.marks))
	for p, mark := range b.marks {
		upTo[p] = *mark
	}
	return b.last, upTo
}

var errReplayed = errors.New("replayed")

func (b *board) replay(ctx context.Context, feed Feed, after, last uint64, upTo map[streamflow.Partition]int64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(replayStall, func() {
		cancel(fmt.Errorf("nothing came for %s", replayStall))
	})
	defer stall.Stop()
	var ticks []streamflow.Mirrored
	err := feed.Follow(ctx, streamflow.StreamTicks, after, func(batch []streamflow.Message) error {
		stall.Reset(replayStall)
		ticks = appendTicks(ticks[:0], batch)
		if b.recount(ticks, last, upTo) {
			return errReplayed
		}
		return nil
	})
	switch {
	case errors.Is(err, errReplayed):
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil:
		return errors.New("the feed ended")
	}
	return err
}

// recount counts a batch of the replay and reports whether it was the last.
func (b *board) recount(batch []streamflow.Mirrored, last uint64, upTo map[streamflow.Partition]int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range batch {
		m := &batch[i]
		if m.Sequence > last {
			return true
		}
		p := m.Position.In()
		if m.Position.Offset > b.baseOf(p) && m.Position.Offset <= upTo[p] {
			r := b.row(m.Tick.Symbol)
			b.see(r, m)
			r.next.count(m.Tick.Price, m.Tick.Volume, moment{m.Tick.Time.UnixNano(), m.Position.Offset})
		}
		if m.Sequence == last {
			return true
		}
	}
	return false
}

func (b *board) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.sorted {
		r.day = r.next
	}
	b.days, b.base = true, nil
}

func (b *board) abandon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.base = nil
}

// untilReload returns how long after a load at now it must be repeated, 0 for
// never. The database counts one date: of a load just before midnight, ticks
// whose clocks run ahead into the next date are in neither part.
func untilReload(now time.Time) time.Duration {
	midnight := now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	if left := midnight.Sub(now); left <= streamflow.MaxAhead+time.Minute {
		return left + time.Second
	}
	return 0
}
