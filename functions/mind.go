package functions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"streamflow"
)

// When a snapshot is written.
const (
	snapshotEvery    = 10 * time.Second
	snapshotMessages = 200_000
	snapshotJournal  = 100              // entries of the page's journal, or set aside
	snapshotShare    = 20               // of the time at most, as a fraction
	idleAfter        = time.Second      // without messages and wake-ups
	refreshEvery     = 30 * time.Minute // so that retention does not take it from an idle function
	freshFor         = 2 * time.Second  // an input that is no older is the newest there is
	leaveAtMost      = 10 * time.Second
)

// pace is what a shard knows of time.
type pace struct {
	produced time.Time     // when the newest message was produced
	came     time.Time     // when the newest message came
	activity time.Time     // when something last happened to the states
	rounded  time.Time     // when the newest round of wake-ups ran
	snapped  time.Time     // when the newest snapshot was written
	took     time.Duration // what it took
	steps    int           // since then
	dirty    bool          // the states have changed since the newest snapshot
	unsaved  bool          // messages came since the page was written
}

func (p *pace) loaded(now time.Time, pg *page) {
	*p = pace{came: now, activity: now, took: p.took, snapped: now}
	p.dirty = !pg.settled()
}

// stepped says that messages have changed how far the states are.
func (p *pace) stepped(now time.Time) { p.activity, p.unsaved = now, true }

func (p *pace) active(now time.Time) { p.activity = now }

func (p *pace) changed() { p.dirty, p.steps = true, p.steps+1 }

func (p *pace) saved(*page) { p.unsaved = false }

// latest says that no older message waits: only then does the clock mean
// something to the states.
func (p *pace) latest(now time.Time) bool {
	return now.Sub(p.produced) <= freshFor || now.Sub(p.came) >= idleAfter
}

// came notes that messages come, even if they were stepped before.
func (sh *shard) came(now time.Time, newest *streamflow.Message) {
	sh.pace.came = now
	if at, ok := streamflow.FindHop(newest.Hops, streamflow.HopKafka); ok {
		sh.pace.produced = at
	}
}

// lag takes note of how many messages wait.
func (sh *shard) lag(n uint64) {
	sh.stats.lag(n)
	sh.Metrics.stands(sh.Function.Name, sh.Shard, n, time.Since(sh.page.At))
}

// mind does what time brings, and says when it wants to be called again, zero
// for not before a message comes.
func (sh *shard) mind(ctx context.Context, now time.Time) (next time.Time, err error) {
	if sh.m == nil {
		return time.Time{}, nil
	}
	defer func() {
		if err != nil && err != errSettled {
			// What failed follows from no message, so none may come to begin with.
			sh.eager = !errors.Is(err, streamflow.ErrFenced)
			err = sh.fail(err)
		}
	}()
	if sh.replaying && sh.caught() {
		if err := sh.finish(); err != nil {
			return next, err
		}
	}
	if sh.replaying {
		return next, nil
	}
	if err := sh.wakeDue(ctx, now); err != nil {
		return next, err
	}
	if sh.wantViews() && !now.Before(sh.viewsAt(now)) {
		if err := sh.show(ctx, now); err != nil {
			return next, err
		}
	}
	if err := sh.save(ctx, now); err != nil {
		return next, err
	}
	sh.note()
	return sh.nextTime(now), nil
}

func (sh *shard) wakeDue(ctx context.Context, now time.Time) error {
	due := sh.due()
	if due == 0 || due > now.UnixNano() || !sh.pace.latest(now) || now.Sub(sh.pace.rounded) < roundsApart {
		return nil
	}
	sh.pace.rounded = now
	if err := sh.round(ctx, now); err != nil {
		return fmt.Errorf("wake-ups: %w", err)
	}
	return nil
}

// save writes a snapshot if it is time for one. Between those of large states,
// an idle shard writes the page alone: by it a standby knows that all is done.
func (sh *shard) save(ctx context.Context, now time.Time) error {
	p := &sh.pace
	if sh.settling {
		if !sh.page.settled() || p.dirty {
			if err := sh.snapshot(ctx); err != nil {
				return err
			}
		}
		return errSettled
	}
	since, idle := now.Sub(p.snapped), now.Sub(p.activity) >= idleAfter
	rest := snapshotShare * p.took
	switch {
	case since >= refreshEvery,
		(p.dirty || p.unsaved) && since >= max(snapshotEvery, rest),
		(p.dirty || p.unsaved) && idle && since >= max(idleAfter, rest),
		since >= rest/2 && (p.steps >= snapshotMessages || len(sh.page.Journal) >= snapshotJournal || len(sh.page.Aside) >= snapshotJournal):
		return sh.snapshot(ctx)
	case p.unsaved && idle:
		return sh.commit(ctx, nil)
	}
	return nil
}

// nextTime is when mind has something to do though no message comes.
func (sh *shard) nextTime(now time.Time) time.Time {
	p := &sh.pace
	var next time.Time
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	if p.dirty || p.unsaved {
		at := p.activity.Add(idleAfter)
		if !now.Before(at) {
			at = p.snapped.Add(max(idleAfter, snapshotShare*p.took))
		}
		sooner(at)
	}
	if due := sh.due(); due != 0 {
		at := time.Unix(0, due)
		if apart := p.rounded.Add(roundsApart); at.Before(apart) {
			at = apart
		}
		if !p.latest(at) {
			at = p.came.Add(idleAfter)
		}
		sooner(at)
	}
	if sh.wantViews() {
		sooner(sh.viewsAt(now))
	}
	return next
}

// snapshot writes all states to the slot that is not in use, and then the page
// that names it.
func (sh *shard) snapshot(ctx context.Context) error {
	start := time.Now()
	image, err := sh.m.save(sh.buffer[:0])
	sh.buffer = image
	if err != nil {
		// Nothing is lost by it but the time to step all this again.
		sh.pace.snapped = start
		sh.stats.failed(err)
		sh.Logger.Error("the states cannot be saved", "error", err)
		return nil
	}
	// The page is written first: who holds the same fence as we do, because it has
	// read the page while we were at work, could else write its pieces among ours.
	if err := sh.commit(ctx, nil); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	s := &snapshot{Positions: sh.done(), Sequence: sh.sequence, At: start.UTC()}
	slot := 0
	if sh.page.Snapshot != nil {
		slot = 1 - sh.page.Snapshot.Slot
	}
	if err := s.write(ctx, sh.Ledger, slot, image, len(sh.m.cells), sh.fence); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	sh.page.Snapshot, sh.page.Journal, sh.page.Aside = s, nil, nil
	clear(sh.aside)
	if err := sh.commit(ctx, nil); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	sh.pace.took = time.Since(start)
	sh.pace.snapped, sh.pace.steps, sh.pace.dirty = time.Now(), 0, false
	sh.Metrics.snapped(sh.Function.Name, len(image), sh.pace.took)
	return nil
}

// leave makes a snapshot of what was done, so that who comes next has nothing to
// step again.
func (sh *shard) leave(ctx context.Context) {
	defer sh.drop()
	if sh.m == nil || sh.replaying || !sh.pace.dirty && !sh.pace.unsaved {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveAtMost)
	defer cancel()
	if err := sh.snapshot(ctx); err != nil {
		sh.Logger.Warn("no snapshot on leaving: who comes next steps some messages again", "error", err)
	}
}
