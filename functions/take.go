package functions

import (
	"context"
	"slices"
	"time"

	"streamflow"
)

// factBytes is how many bytes of facts one atomic write may hold, give or take
// those of one step.
const factBytes = 4 << 20

// take steps one message, and commits what is there if its facts do not fit.
// Whether they are facts at all depends: what is published already is silent.
func (sh *shard) take(ctx context.Context, msg *streamflow.Message) error {
	if sh.replaying && sh.caught() {
		if err := sh.finish(); err != nil {
			return err
		}
	}
	l := sh.lane(msg.Position.In())
	if !sh.aside[msg.Position] {
		if err := sh.stepOne(ctx, msg, msg.Position.Offset <= l.published); err != nil {
			return err
		}
	}
	l.done = msg.Position.Offset
	return nil
}

// stepOne steps a message that was not set aside.
func (sh *shard) stepOne(ctx context.Context, msg *streamflow.Message, silent bool) error {
	m := sh.m
	key, err := m.read(msg)
	switch {
	case err != nil && silent:
		return nil // it has its dead letter
	case err != nil:
		return sh.reject(ctx, msg, err)
	case key == "" || len(sh.page.Floors) > 0 && covered(sh.page.Floors, hash(key), msg.Position):
		return nil
	}
	before := m.out.mark()
	if err := sh.wakeFirst(key, msg, silent); err != nil {
		return err
	}
	m.out.silent = silent
	traced := sh.steps.begin(msg, silent)
	timer := sh.stats.start()
	undone, err := m.step()
	timer.stop(sh.stats)
	traced.end()
	if err != nil {
		aside, err := sh.again(undone, err, func() (bool, error) { return sh.restep(msg) })
		if err != nil {
			return err
		}
		if aside != nil {
			sh.steps.add(traced, 0, ReasonStepFailed)
			return sh.reject(ctx, msg, aside)
		}
		traced.end()
	}
	sh.pace.changed()
	if silent {
		sh.repeated++
		m.out.rollback(before)
		return nil
	}
	if r := sh.page.Replay; r != nil && covered(r.Until, hash(key), msg.Position) {
		sh.repeat(before, !m.in.Produced().Before(r.From))
	}
	facts := len(m.out.facts) - before.facts
	if err := sh.room(ctx, before.facts); err != nil {
		return err
	}
	sh.steps.add(traced, facts, "")
	return nil
}

// wakeFirst wakes the key of a message as it was woken before the message came,
// when it, or all that is published, is stepped again.
func (sh *shard) wakeFirst(key string, msg *streamflow.Message, silent bool) error {
	if sh.page.Replay == nil && !(sh.replaying && len(sh.page.Journal) > 0) {
		return nil
	}
	if sh.replaying && len(sh.page.Journal) > 0 {
		if err := sh.catchUp(key, msg.Position); err != nil {
			return err
		}
	}
	sh.m.out.silent = silent
	if err := sh.wakeBefore(key, msg.Position); err != nil {
		return err
	}
	_, err := sh.m.read(msg) // a wake-up may have come in between
	return err
}

func (sh *shard) restep(msg *streamflow.Message) (undone bool, err error) {
	if _, err := sh.m.read(msg); err != nil {
		return true, err
	}
	return sh.m.step()
}

// repeat marks what was published since before as published once already, or
// takes it back if it is not to be repeated.
func (sh *shard) repeat(before mark, wanted bool) {
	out := &sh.m.out
	if !wanted {
		out.rollback(before)
		return
	}
	for i := range out.facts[before.facts:] {
		out.facts[before.facts+i].replay = true
	}
}

// room commits the first n facts if those that follow do not fit beside them.
// They are of messages that came before, and of them the page tells.
func (sh *shard) room(ctx context.Context, n int) error {
	out := &sh.m.out
	if n == 0 || len(out.facts) <= MaxFacts && len(out.data) <= factBytes {
		return nil
	}
	for i := range out.shown {
		sh.views.add(out, &out.shown[i])
	}
	out.shown = out.shown[:0]
	if err := sh.publish(ctx, n); err != nil {
		return err
	}
	from := out.facts[n:]
	if len(from) == 0 {
		out.facts, out.data = out.facts[:0], out.data[:0]
		return nil
	}
	shift := from[0].from
	out.data = slices.Delete(out.data, 0, shift)
	for i := range from {
		from[i].from -= shift
		from[i].to -= shift
	}
	out.facts = slices.Delete(out.facts, 0, n)
	return nil
}

// caught says that all that is published has been stepped.
func (sh *shard) caught() bool {
	return !slices.ContainsFunc(sh.lanes, func(l lane) bool { return l.done < l.published })
}

// finish ends the silence.
func (sh *shard) finish() error {
	if err := sh.wakeRest(); err != nil {
		return err
	}
	sh.replaying = false
	sh.pace.active(time.Now())
	sh.Metrics.replayed(sh.Function.Name, sh.repeated)
	return nil
}
