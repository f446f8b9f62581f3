package functions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"streamflow"
)

// shard is the [Sink] of a step function: its results and its checkpoint are in
// the ledger, its states in memory. What the [Runner] takes for the checkpoint
// is how far the states are; how far the results are published stands in the
// page, and what lies between is stepped in silence after a crash:
//
//	snapshot S          page P                states
//	─────────┼─────────────┼───────────────────┼──────▶ stream
//	         └ in silence ─┘└ no results, or ones that are not committed
type shard struct {
	StepConfig
	flags
	settling bool
	stats    *stats
	steps    steps
	suspects map[string]bool // keys that are known to fail
	careful  bool            // too many are

	m     *machine // nil: nothing is loaded
	page  *page
	fence uint64
	lanes []lane
	aside map[streamflow.Position]bool

	replaying bool   // some of what is published is not stepped yet
	sequence  uint64 // of the newest message that was stepped
	facts     []streamflow.Message
	views     views
	buffer    []byte
	pace      pace
	repeated  int  // messages stepped in silence since the load
	eager     bool // nothing has to come before we try again
	watched   watched
}

// errMaking says that the generation is not complete.
var errMaking = errors.New("the states of this shard are still being brought from the generation before")

// lane is how far one partition is.
type lane struct {
	p         streamflow.Partition
	done      int64 // in the states
	published int64 // by the page when it was loaded
}

func (sh *shard) lane(p streamflow.Partition) *lane {
	for i := range sh.lanes {
		if sh.lanes[i].p == p {
			return &sh.lanes[i]
		}
	}
	sh.lanes = append(sh.lanes, lane{p, -1, -1})
	return &sh.lanes[len(sh.lanes)-1]
}

// done returns how far the states are.
func (sh *shard) done() vector {
	v := make(vector, len(sh.lanes))
	for _, l := range sh.lanes {
		if l.done >= 0 {
			v[l.p] = l.done
		}
	}
	return v
}

// published returns how far the results are.
func (sh *shard) published() vector {
	v := sh.done()
	for _, l := range sh.lanes {
		if l.published > l.done {
			v[l.p] = l.published
		}
	}
	return v
}

// Load reads the checkpoint and the states, unless those in memory are as good.
func (sh *shard) Load(ctx context.Context) (Checkpoint, error) {
	data, fence, err := sh.Ledger.Load(ctx)
	if err != nil {
		return nil, err
	}
	if sh.m != nil && fence == sh.fence {
		return Checkpoint(sh.done()), nil // nobody else has been here
	}
	sh.drop()
	p := newPage(sh.Function, sh.Generation, time.Now())
	if data != nil {
		if p, err = parsePage(sh.Function, sh.Generation, data); err != nil {
			return nil, err
		}
	}
	if p.Closed {
		return nil, ErrClosed
	}
	if p.Making {
		return nil, errMaking
	}
	if data == nil {
		if fence, err = sh.Ledger.Commit(ctx, nil, p.encode(), 0); err != nil {
			return nil, fmt.Errorf("the first checkpoint: %w", err)
		}
	}
	if err := sh.restore(ctx, p, fence); err != nil {
		return nil, err
	}
	return Checkpoint(sh.done()), nil
}

// drop forgets the states.
func (sh *shard) drop() {
	sh.m = nil
	sh.Metrics.left(sh.Function.Name, sh.Shard)
	sh.owner.Store(false)
	sh.nextDue.Store(0)
}

// restore reads the states that p names.
func (sh *shard) restore(ctx context.Context, p *page, fence uint64) error {
	start := time.Now()
	m := newMachine(sh.Function, sh.Shard, sh.Shards)
	m.suspects, m.careful, m.maxFact = sh.suspects, sh.careful, sh.Ledger.MaxPiece()
	states, sequence := p.from()
	stale := false
	image, err := readImage(ctx, sh.Ledger, p.Snapshot)
	if err == nil && image != nil {
		err = m.restore(image)
	}
	switch {
	case errors.Is(err, errVersion):
		sh.Logger.Warn("the states are of another version and are dropped: every key begins anew with its next message", "error", err)
		m.reset()
		p.Journal, p.Aside, states, stale = nil, nil, p.Positions, true
	case errors.Is(err, errTorn):
		if err := sh.unmoved(ctx, fence); err != nil {
			return err
		}
		sh.Logger.Error("the snapshot is lost: the states are made anew from the start of the stream", "error", err)
		m.reset()
		p.Snapshot, states, sequence = nil, vector{}, 0
	case err != nil:
		return err
	}
	sh.m, sh.page, sh.fence, sh.sequence = m, p, fence, sequence
	sh.lanes, sh.aside = sh.lanes[:0], make(map[streamflow.Position]bool)
	for part, offset := range states {
		sh.lane(part).done = offset
	}
	for part, offset := range p.Positions {
		sh.lane(part).published = offset
	}
	for _, text := range p.Aside {
		if position, err := streamflow.ParsePosition(text); err == nil {
			sh.aside[position] = true
		}
	}
	sh.replaying, sh.repeated, sh.eager = true, 0, false
	sh.pace.loaded(time.Now(), p)
	if stale {
		// Else who comes next would drop the states that are made from here on.
		if err := sh.snapshot(ctx); err != nil {
			sh.m = nil
			return err
		}
	}
	sh.owner.Store(true)
	sh.note()
	sh.Logger.Info("states are loaded", "keys", len(m.cells), "bytes", len(image), "took", time.Since(start).Round(time.Millisecond))
	return nil
}

// unmoved says whether the checkpoint is still the one that names the snapshot:
// whoever works now may have written over it while we were reading.
func (sh *shard) unmoved(ctx context.Context, fence uint64) error {
	_, now, err := sh.Ledger.Load(ctx)
	if err == nil && now != fence {
		err = fmt.Errorf("while the snapshot was read: %w", streamflow.ErrFenced)
	}
	return err
}

// Commit steps messages, and publishes what follows from them.
func (sh *shard) Commit(ctx context.Context, messages []streamflow.Message, _, _ Checkpoint) error {
	start := time.Now()
	for i := range messages {
		if err := sh.take(ctx, &messages[i]); err != nil {
			return sh.fail(err)
		}
	}
	sh.sequence = messages[len(messages)-1].Sequence
	sh.pace.stepped(time.Now())
	sh.stats.delivered(start, len(messages), sh.Metrics.stepped(sh.Function.Name))
	if err := sh.flush(ctx); err != nil {
		return sh.fail(err)
	}
	sh.steps.done(sh.Function.Name, sh.pace.came, len(messages))
	sh.note()
	return nil
}

// fail forgets the states, which may be ahead of what can still be published.
func (sh *shard) fail(err error) error {
	sh.drop()
	sh.steps.drop()
	if !errors.Is(err, streamflow.ErrFenced) {
		sh.stats.failed(err)
	}
	return err
}

// flush publishes the facts that are there, and keeps the views.
func (sh *shard) flush(ctx context.Context) error {
	out := &sh.m.out
	for i := range out.shown {
		sh.views.add(out, &out.shown[i])
	}
	if len(out.facts) > 0 {
		if err := sh.publish(ctx, len(out.facts)); err != nil {
			return err
		}
	}
	for name, n := range out.counts {
		sh.Metrics.counted(sh.Function.Name, name, n)
	}
	out.reset()
	return nil
}

// publish commits the first n facts of the output.
func (sh *shard) publish(ctx context.Context, n int) error {
	out, p := &sh.m.out, sh.page
	now := time.Now()
	hop := string(streamflow.AppendHop(nil, sh.Function.Name, now))
	topic := sh.Function.Name + "." + p.Epoch
	sh.facts = sh.facts[:0]
	for i := range out.facts[:n] {
		r := &out.facts[i]
		m := out.message(r)
		m.Hops += hop
		m.Position = streamflow.Position{Topic: topic, Partition: int32(sh.Shard), Offset: p.Next + int64(i)}
		m.Previous = m.Position.Offset - 1
		if r.replay {
			m.Headers = []streamflow.Header{{Key: streamflow.HeaderReplay, Value: []byte(p.Replay.ID)}}
		}
		sh.facts = append(sh.facts, m)
	}
	if err := sh.commit(ctx, sh.facts); err != nil {
		return err
	}
	sh.steps.committed(now)
	return nil
}

// commit stores facts and the page as it is now.
func (sh *shard) commit(ctx context.Context, facts []streamflow.Message) error {
	p := sh.page
	p.At, p.Version, p.Positions = time.Now().UTC(), sh.Function.Version, sh.published()
	p.Next += int64(len(facts))
	p.Due = sh.due()
	if !sh.replaying {
		states, _ := p.from() // from which a crash would step everything again
		p.Floors = ahead(p.Floors, states)
		if p.Replay != nil && len(facts) == len(sh.m.out.facts) && p.Replay.over(p.Positions, states, p.Due) {
			sh.Logger.Info("replay is done: what follows is new", "replay", p.Replay.ID)
			p.Replay = nil
		}
	}
	fence, err := sh.Ledger.Commit(ctx, facts, p.encode(), sh.fence)
	if err != nil {
		return err
	}
	sh.fence = fence
	sh.pace.saved(p)
	sh.stats.published(len(facts))
	sh.Metrics.published(sh.Function.Name, len(facts))
	return nil
}

// due returns when the next key wants to be woken, 0 for never.
func (sh *shard) due() int64 {
	if len(sh.m.due) == 0 {
		return 0
	}
	return sh.m.due[0].due
}

// note tells others how the shard stands.
func (sh *shard) note() {
	sh.nextDue.Store(sh.due())
	sh.stats.stands(len(sh.m.cells), sh.page.Snapshot, sh.pace.produced)
}
