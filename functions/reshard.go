package functions

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"streamflow"
)

// UnsettledError says that a shard cannot be closed yet: its newest snapshot
// does not cover all that it has published. See [Settle].
type UnsettledError struct{ Shard int }

func (e *UnsettledError) Error() string {
	return fmt.Sprintf("shard %d is not settled: its snapshot does not cover what it has published", e.Shard)
}

// Reshard makes generation from the one before it, which has the shards old:
// it closes their checkpoints, which refuses every further commit of their
// workers, and gives each key to its new shard in next. Either list is in the
// order of shards.
//
// It may be run by several workers at once, and again after it was killed or has
// failed: a checkpoint is closed once and made once, and what is made follows
// from what is closed. Who runs it must first see to it that no worker runs the old shards:
// one that does is fenced, but it may leave its shard unsettled. That, a
// [*UnsettledError], is the only thing that it cannot do by itself.
func Reshard(ctx context.Context, f *Function, generation int, old, next []Ledger) error {
	done, err := made(ctx, f, generation, next)
	if err != nil || done {
		return err
	}
	pages, err := closeAll(ctx, f, generation-1, old, true)
	if err != nil || len(pages) == 0 {
		return err
	}
	return deal(ctx, f, generation, old, pages, next)
}

// StartReplay makes generation from the one before it, like [Reshard], but with
// no states: the function steps the stream again from its start. What is
// produced before replay.From is stepped in silence; from then on results are
// published, with header [streamflow.HeaderReplay] those that were published
// before. The old shards need not be settled.
func StartReplay(ctx context.Context, f *Function, generation int, old, next []Ledger, r streamflow.Replay) error {
	done, err := made(ctx, f, generation, next)
	if err != nil || done {
		return err
	}
	pages, err := closeAll(ctx, f, generation-1, old, false)
	if err != nil || len(pages) == 0 {
		return err
	}
	// What an earlier replay, or a generation of other shards, has published
	// beyond these positions was published all the same.
	here, clocks := make(floor, len(pages)), make([]int64, len(pages))
	again := replay{ID: r.ID, From: r.From}
	for i, p := range pages {
		here[i], clocks[i], again.Until = p.Positions, p.Clock, merge(again.Until, p.Floors)
		if p.Replay != nil {
			again.Until, again.Woken = merge(again.Until, p.Replay.Until), p.Replay.Woken
		}
	}
	again.Until, again.Woken = append(again.Until, here), append(slices.Clone(again.Woken), clocks)
	for i, l := range next {
		p := newPage(f, generation, time.Now())
		// A state from before From would do in the place of none, if one was kept.
		p.Replay, p.Clock = &again, slices.Max(clocks)
		if _, err := l.Commit(ctx, nil, p.encode(), 0); err != nil && !errors.Is(err, streamflow.ErrFenced) {
			return fmt.Errorf("generation %d, shard %d: %w", generation, i, err)
		}
	}
	return nil
}

// made says whether all checkpoints of a generation are there.
func made(ctx context.Context, f *Function, generation int, next []Ledger) (bool, error) {
	for i, l := range next {
		data, _, err := l.Load(ctx)
		if err != nil || data == nil {
			return false, err
		}
		p, err := parsePage(f, generation, data)
		if err != nil {
			return false, fmt.Errorf("shard %d: %w", i, err)
		}
		if p.Making {
			return false, nil
		}
	}
	return true, nil
}

// closeAll closes the checkpoints of a generation and returns them as they are
// from then on.
func closeAll(ctx context.Context, f *Function, generation int, old []Ledger, settled bool) ([]*page, error) {
	pages := make([]*page, len(old))
	for i, l := range old {
		p, err := closeOne(ctx, f, generation, i, l, settled)
		if err != nil {
			return nil, err
		}
		pages[i] = p
	}
	return pages, nil
}

func closeOne(ctx context.Context, f *Function, generation, shard int, l Ledger, settled bool) (*page, error) {
	data, fence, err := l.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("shard %d: %w", shard, err)
	}
	p := newPage(f, generation, time.Now()) // of a shard that never ran
	if data != nil {
		if p, err = parsePage(f, generation, data); err != nil {
			return nil, fmt.Errorf("shard %d: %w", shard, err)
		}
	}
	if p.Closed {
		return p, nil
	}
	if settled && !p.settled() {
		return nil, &UnsettledError{shard}
	}
	p.Closed = true
	if _, err = l.Commit(ctx, nil, p.encode(), fence); err != nil {
		return nil, fmt.Errorf("close shard %d of generation %d: %w", shard, generation, err)
	}
	return p, nil
}

// deal gives the states of closed shards to the shards of the next generation.
// What is there already stays as it is.
func deal(ctx context.Context, f *Function, generation int, old []Ledger, pages []*page, next []Ledger) error {
	images := make([]imageWriter, len(next))
	for i, l := range old {
		image, err := readImage(ctx, l, pages[i].Snapshot)
		if err != nil {
			return fmt.Errorf("states of shard %d of generation %d: %w", i, generation-1, err)
		}
		if err := dealImage(f, image, images); err != nil {
			return fmt.Errorf("states of shard %d of generation %d: %w", i, generation-1, err)
		}
	}
	first := follow(f, generation, pages)
	for i, l := range next {
		if err := makeShard(ctx, f, generation, l, *first, &images[i]); err != nil {
			return fmt.Errorf("generation %d, shard %d: %w", generation, i, err)
		}
	}
	return nil
}

// makeShard writes the states of a new shard, and then its page. Before that it
// writes a page that says that it does: another worker that does the same, and
// may be of another version, must not write its pieces among ours.
func makeShard(ctx context.Context, f *Function, generation int, l Ledger, p page, image *imageWriter) error {
	data, fence, err := l.Load(ctx)
	if err != nil {
		return err
	}
	if data != nil {
		if there, err := parsePage(f, generation, data); err != nil || !there.Making {
			return err
		}
	}
	p.Making = true
	if fence, err = l.Commit(ctx, nil, p.encode(), fence); err != nil {
		return err
	}
	s := *p.Snapshot
	if err := s.write(ctx, l, 0, image.finish(f), image.keys(), fence); err != nil {
		return err
	}
	p.Snapshot, p.Making = &s, false
	_, err = l.Commit(ctx, nil, p.encode(), fence)
	return err
}

// follow returns the first page of every shard of a generation: it begins at
// the lowest position of the old ones, and the floors say for each key what of
// that is done already.
func follow(f *Function, generation int, pages []*page) *page {
	p := newPage(f, generation, time.Now())
	here := make(floor, len(pages))
	p.Snapshot = &snapshot{At: p.At, Sequence: pages[0].Snapshot.sequence()}
	for i, o := range pages {
		here[i] = o.Positions
		p.Snapshot.Sequence = min(p.Snapshot.Sequence, o.Snapshot.sequence())
		p.Clock = max(p.Clock, o.Clock)
		p.Due = soonerOf(p.Due, o.Due)
		if o.Replay != nil && p.Replay == nil {
			p.Replay = o.Replay
		}
		p.Floors = merge(p.Floors, o.Floors)
	}
	p.Positions = here.least()
	p.Snapshot.Positions = p.Positions
	if !here.passed(p.Positions) {
		p.Floors = append(p.Floors, here)
	}
	return p
}

// merge appends those of more that are not in list yet.
func merge(list, more []floor) []floor {
	for _, f := range more {
		same := func(o floor) bool {
			return slices.EqualFunc(f, o, func(a, b vector) bool { return maps.Equal(a, b) })
		}
		if !slices.ContainsFunc(list, same) {
			list = append(list, f)
		}
	}
	return list
}

func soonerOf(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func (s *snapshot) sequence() uint64 {
	if s == nil {
		return 0
	}
	return s.Sequence
}
