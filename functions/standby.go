package functions

import (
	"context"
	"fmt"
	"time"

	"streamflow"
)

// leftFor is how long a checkpoint must have stood still with something to do
// before a standby believes that nobody does it. A worker that is there and has
// nothing to read writes within a second.
const leftFor = 10 * time.Second

// watched is what a standby saw of the checkpoint last.
type watched struct {
	fence  uint64
	since  time.Time // when it was first seen like this
	behind time.Time // since when the stream is ahead of it
	tried  time.Time // when it was last tried to take over
	tries  int       // since it changed
}

// seek makes the source begin where the states end, unless it does already.
func (sh *shard) seek(ctx context.Context, first uint64) (moved bool, err error) {
	if first <= sh.sequence+1 {
		return false, nil
	}
	if err := sh.Source.Seek(ctx, sh.sequence); err != nil {
		return false, fmt.Errorf("go back to where the states end: %w", err)
	}
	return true, nil
}

// Peek returns how far the shard is, as its worker. [streamflow.ErrFenced] says
// that it is another one's by now.
func (sh *shard) Peek(ctx context.Context) (Checkpoint, error) {
	_, fence, err := sh.Ledger.Load(ctx)
	if err != nil {
		return nil, err
	}
	if fence != sh.fence {
		return nil, sh.fail(streamflow.ErrFenced)
	}
	return Checkpoint(sh.done()), nil
}

// overdue looks at a shard that another worker should be at.
//
// That its snapshot is behind, or its page by a second, means nothing: only a
// page that has stood still for long while the stream, or the clock, is ahead
// of it does.
func (sh *shard) overdue(ctx context.Context, now time.Time, heads map[streamflow.Partition]int64) (uint64, bool, error) {
	data, fence, err := sh.Ledger.Load(ctx)
	if err != nil {
		return 0, false, err
	}
	w := &sh.watched
	if w.since.IsZero() || fence != w.fence {
		*w = watched{fence: fence, since: now}
	}
	p := newPage(sh.Function, sh.Generation, now)
	if data != nil {
		if p, err = parsePage(sh.Function, sh.Generation, data); err != nil {
			return 0, false, err
		}
	}
	if p.Closed {
		return 0, false, ErrClosed
	}
	if !sh.left(p, now, heads) && !sh.eager {
		return 0, false, nil
	}
	sh.eager, w.tried = false, now
	w.tries++
	_, sequence := p.from()
	if w.tries > 1 {
		return 0, true, nil // that sequence may be of a stream that is no more
	}
	return max(sequence, 1) - 1, true, nil
}

// left says that p should have moved on by now, if anybody was there.
func (sh *shard) left(p *page, now time.Time, heads map[streamflow.Partition]int64) bool {
	w := &sh.watched
	behind := sh.settling
	for part, head := range heads {
		behind = behind || p.Positions.of(part) < head
	}
	switch {
	case !behind:
		w.behind = time.Time{}
	case w.behind.IsZero():
		w.behind = now
	}
	if w.tries > 0 && now.Sub(w.tried) < leftFor<<min(w.tries, 6) {
		return false
	}
	overdue := p.Due != 0 && now.UnixNano() > p.Due+int64(leftFor)
	return overdue && now.Sub(w.since) >= leftFor || behind && now.Sub(w.behind) >= leftFor
}

// gone takes what retention has taken for stepped.
func (sh *shard) gone(p streamflow.Partition, head int64) {
	l := sh.lane(p)
	l.done = max(l.done, head)
}

// lastResort loads a shard that is to be settled though the stream does not
// hold any more what its page covers: retention has taken it. Its states are as
// good as they can be made.
func (sh *shard) lastResort(ctx context.Context) (Checkpoint, error) {
	if !sh.settling || sh.watched.tries < 3 {
		return nil, nil
	}
	if _, err := sh.Load(ctx); err != nil {
		return nil, err
	}
	sh.Logger.Error("what was published since the snapshot is no longer in the stream: the states are settled without it",
		"states", sh.done(), "published", sh.published())
	for i := range sh.lanes {
		l := &sh.lanes[i]
		l.done = max(l.done, l.published)
	}
	sh.pace.changed()
	return Checkpoint(sh.done()), nil
}
