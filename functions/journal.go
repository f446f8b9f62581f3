package functions

import (
	"context"
	"slices"
	"time"

	"streamflow"
)

// Wake-ups were caused by the clock, and no message tells of them. So each
// round of them is written into the page, and stepped again where it was: a key
// is woken before its first message that came after the round.

// catchUp wakes a key as it was woken before the message at p came.
func (sh *shard) catchUp(key string, p streamflow.Position) error {
	n := 0
	for n < len(sh.page.Journal) && p.Offset > sh.page.Journal[n].After.of(p.In()) {
		n++
	}
	sh.m.applied = n
	if c := sh.m.cells[key]; c != nil {
		return sh.wakeAgain(c, n)
	}
	return nil
}

// wakeRest wakes everyone as they were woken by the end of what is published.
func (sh *shard) wakeRest() error {
	if len(sh.page.Journal) == 0 {
		return nil
	}
	for _, c := range sh.m.ordered() {
		if err := sh.wakeAgain(c, len(sh.page.Journal)); err != nil {
			return err
		}
	}
	return nil
}

// wakeAgain steps c through the first n rounds of the journal, in silence.
func (sh *shard) wakeAgain(c *cell, n int) error {
	for ; c.applied < n; c.applied++ {
		round := &sh.page.Journal[c.applied]
		if c.due == 0 || c.due > round.Clock || c.woken == round.Clock || c.place().compare(round.Last) > 0 {
			continue
		}
		if slices.Contains(round.Muted, c.key) {
			sh.m.mute(c, round.Clock)
			continue
		}
		before := sh.m.out.mark()
		sh.m.out.silent = true
		if failed, err := sh.wake(c, round.Clock); err != nil {
			return err
		} else if failed != nil {
			sh.m.mute(c, round.Clock)
		}
		sh.m.out.rollback(before)
		sh.m.due.fix(c)
	}
	return nil
}

// wake steps c with the clock at now. failed says that it cannot be woken.
func (sh *shard) wake(c *cell, now int64) (failed, err error) {
	undone, err := sh.m.wake(c, now)
	if err != nil {
		return sh.again(undone, err, func() (bool, error) { return sh.m.wake(c, now) })
	}
	return nil, nil
}

// roundsApart keeps the journal short where many keys are due.
const roundsApart = 250 * time.Millisecond

// round wakes everyone who is due, in the order of (due, key), and publishes
// what they have to say, in parts that each fit one atomic write.
func (sh *shard) round(ctx context.Context, now time.Time) error {
	m, clock := sh.m, max(now.UnixNano(), sh.page.Clock+1)
	part := wakeup{After: sh.done(), Clock: clock}
	m.out.silent = false
	var woken []*cell
	for c := m.soonest(clock); c != nil; c = m.soonest(clock) {
		before, at := m.out.mark(), c.place()
		failed, err := sh.wake(c, clock)
		if err != nil {
			return err
		}
		sh.replayed(before, at.Due, c)
		m.due.remove(c)
		woken = append(woken, c)
		if before.facts > 0 && (len(m.out.facts) > MaxFacts || len(m.out.data) > factBytes) {
			sh.log(part)
			if err := sh.room(ctx, before.facts); err != nil {
				return err
			}
			part = wakeup{After: part.After, Clock: clock}
		}
		part.Last = at
		if failed != nil {
			m.mute(c, clock)
			part.Muted = append(part.Muted, c.key)
			sh.stats.failed(failed)
			sh.Metrics.failure(sh.Function.Name, failed)
			sh.Logger.Error("a wake-up fails: the key sleeps until its next message", "key", c.key, "error", failed, "stack", stackOf(failed))
		}
	}
	m.settle(woken)
	if len(woken) == 0 {
		return nil
	}
	sh.log(part)
	sh.pace.changed()
	sh.pace.active(now)
	return sh.flush(ctx)
}

// log writes a round into the page that is stored next.
func (sh *shard) log(part wakeup) {
	sh.page.Journal = append(sh.page.Journal, part)
	sh.page.Clock = part.Clock
}

// wakeBefore wakes a key, in a replay, before its first message that is new, if
// the clock had woken it by then. A replay wakes nobody on its way: else what
// the clock had brought about would follow from this message, and be published
// as if it was new.
func (sh *shard) wakeBefore(key string, p streamflow.Position) error {
	r, c, n := sh.page.Replay, sh.m.cells[key], hash(key)
	if r == nil || c == nil || covered(r.Until, n, p) || !covered(r.Until, n, c.cause) {
		return nil
	}
	clock := r.woken(n)
	for last := int64(0); c.due > last && c.due <= clock; {
		last = c.due
		before := sh.m.out.mark()
		failed, err := sh.wake(c, clock)
		if err != nil {
			return err
		}
		if failed != nil {
			sh.m.mute(c, clock)
			continue
		}
		sh.replayed(before, last, c)
		sh.m.due.fix(c)
	}
	return nil
}

// replayed treats what a wake-up has published in a replay like what a message
// has: what was woken before the replay began has published it before.
func (sh *shard) replayed(before mark, due int64, c *cell) {
	r := sh.page.Replay
	if r == nil || due > r.woken(hash(c.key)) || !covered(r.Until, hash(c.key), c.cause) {
		return
	}
	sh.repeat(before, due >= r.From.UnixNano())
}
