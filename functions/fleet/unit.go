package fleet

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"streamflow"
)

// unit is one function of this worker.
type unit struct {
	f   *Fleet
	fn  Function
	log *slog.Logger

	desired  streamflow.Desired
	revision uint64 // of desired
	told     bool   // of the entry, since the watch began
	fault    error  // what is wrong with the newest entry; an earlier one goes on
	layout   kept[streamflow.Layout]
	next     kept[Next]

	program Program // nil as long as it could not be built
	built   buildOf
	slots   map[int]*slot
	change  change
	said    Phase
}

// buildOf is what a program was built from.
type buildOf struct {
	params string
	rules  uint64
	tried  bool
}

func (u *unit) heed(value []byte, revision uint64) {
	u.told, u.revision = true, revision
	d, err := u.fn.Parse(value)
	if err != nil {
		u.refuse(err)
		return
	}
	u.desired, u.fault = d, nil
	u.built.tried = u.built.tried && u.built.params == string(d.Params)
}

// refuse notes, once, why what is desired cannot be.
func (u *unit) refuse(err error) {
	if u.fault == nil || u.fault.Error() != err.Error() {
		u.log.Error("the desired state cannot be taken up; what was before goes on", "error", err)
	}
	u.fault = err
}

// decide makes the function a little more like what is desired.
func (u *unit) decide(ctx context.Context, now time.Time) {
	running := u.desired.State == streamflow.StateRunning
	if running || u.program == nil {
		u.build(now)
	}
	moving := running && u.program != nil && u.move(ctx, now)
	layout := u.shape()
	for i := range layout.Shards {
		if u.slots[i] == nil {
			u.slots[i] = &slot{u: u, shard: i}
		}
	}
	for _, i := range u.sorted() {
		s := u.slots[i]
		s.decide(ctx, now, running && !moving && u.program != nil && i < layout.Shards, layout)
		if !s.running && i >= layout.Shards {
			delete(u.slots, i)
		}
	}
	if running && !moving && u.program != nil {
		u.tidy(ctx, now)
	}
	u.say()
}

// sorted returns the shards that are known here, in their order.
func (u *unit) sorted() []int {
	list := make([]int, 0, len(u.slots))
	for i := range u.slots {
		list = append(list, i)
	}
	slices.Sort(list)
	return list
}

// shape is the layout at which shards run now. A sink keeps none.
func (u *unit) shape() streamflow.Layout {
	if u.fn.Sink {
		return streamflow.Layout{Shards: 1}
	}
	return u.layout.value
}

// build makes the program that the parameters and the rules ask for. If that
// fails, the one before goes on.
func (u *unit) build(now time.Time) {
	want := buildOf{params: string(u.desired.Params), tried: true}
	if u.fn.Rules {
		want.rules = u.f.rules.revision
	}
	if u.built == want || u.program != nil && u.built.params == want.params && !u.f.rules.settled(now) {
		return
	}
	first := u.program == nil
	u.built = want
	p, err := u.fn.Build(json.RawMessage(want.params), u.f.rules.list())
	if err != nil {
		u.refuse(err)
		return
	}
	u.program, u.fault = p, nil
	if !first {
		u.log.Info("parameters or rules have changed: the function is built anew and goes on where it was")
	}
}

// phase says how far the function is from what is desired.
func (u *unit) phase() Phase {
	if u.fault != nil {
		return PhaseRefused
	}
	running, asleep := 0, 0
	for _, s := range u.slots {
		switch {
		case s.stopping || s.running && s.program != u.program:
			return PhaseChanging
		case s.running:
			running++
		case s.asleep:
			asleep++
		}
	}
	switch {
	case u.desired.State != streamflow.StateRunning && running > 0:
		return PhaseChanging
	case u.desired.State != streamflow.StateRunning:
		return Phase(u.desired.State)
	}
	if _, other := want(u.desired, u.layout.value); other && !u.fn.Sink || u.program == nil {
		return PhaseChanging
	}
	if running == 0 && asleep > 0 {
		return PhaseAsleep
	}
	return PhaseRunning
}

// place is what others are told of it.
func (u *unit) place() Place {
	p := Place{Phase: u.phase(), Revision: u.revision, Rules: u.built.rules, Generation: u.layout.value.Generation}
	for i, s := range u.slots {
		if s.asleep {
			p.Asleep |= 1 << i
		}
	}
	if u.fault != nil {
		p.Fault = u.fault.Error()
	}
	return p
}

// say logs a phase when it begins.
func (u *unit) say() {
	phase := u.phase()
	if phase == u.said || phase == PhaseChanging {
		return
	}
	words := map[Phase]string{
		PhaseRunning: "function runs, or stands by", PhasePaused: "function is paused", PhaseStopped: "function is stopped",
		PhaseAsleep: "function sleeps until something waits for it",
	}
	if text, ok := words[phase]; ok && u.said != PhaseRefused {
		u.log.Info(text, "shards", max(u.shape().Shards, u.desired.Shards))
	}
	u.said = phase
}
