package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"streamflow"
	"streamflow/functions/fleet"
	"streamflow/infra/jetstream"
)

// many is how many messages a function may have before it and grow by, without
// that being worth a word.
const many = 1000

// functions judges who works on what, and whether it moves.
func (x *examination) functions(ctx context.Context, before, after moving) {
	ctx, cancel := context.WithTimeout(ctx, askAtMost)
	defer cancel()
	rows, err := newDesk(x.js).rows(ctx)
	for _, err := range []error{err, before.err, after.err} {
		if err != nil {
			x.d.unknown("functions", err)
			return
		}
	}
	first, now := durables(before.streams), durables(after.streams)
	known := make(map[string]bool)
	var at, running int
	var idle []string
	for _, r := range rows {
		findings := len(x.d.Findings)
		wanted := r.Desired.State == streamflow.StateRunning
		if wanted {
			running++
		}
		if wanted && len(r.Places) == 0 {
			idle = append(idle, r.Name)
		}
		x.worker(&r)
		for shard := range max(r.Layout.Shards, 1) {
			name := r.Reads + " " + streamflow.Durable(r.Name, shard)
			known[name] = true
			if was, ok := first[name]; ok && wanted {
				x.durable(&r, shard, was, now[name])
			}
		}
		if len(x.d.Findings) == findings && wanted && len(r.Places) > 0 {
			at++
		}
	}
	if len(idle) > 0 {
		names := strings.Join(idle, " ")
		x.d.fail("workers", "Start `streamflow worker` (all functions) or `streamflow worker "+names+"`; or stop what is not to run: `streamflow functions stop "+idle[0]+"`.",
			"no worker runs %s", strings.ReplaceAll(names, " ", ", "))
	}
	x.d.most("functions", at, running, "that are to run have workers and keep up")
	x.strays(now, known)
}

// durables are those of all streams, by stream and name.
func durables(streams []jetstream.StreamLook) map[string]jetstream.ConsumerLook {
	all := make(map[string]jetstream.ConsumerLook)
	for _, s := range streams {
		for _, c := range s.Consumers {
			all[s.Name+" "+c.Name] = c
		}
	}
	return all
}

// worker judges whether somebody runs a function.
func (x *examination) worker(r *functionRow) {
	check := "function " + r.Name
	switch {
	case r.Fault != "":
		x.d.fail(check, "Correct it with `streamflow functions set "+r.Name+" ...`; `streamflow functions show "+r.Name+"` shows what is desired.", "%s", r.Fault)
	case r.Desired.State != streamflow.StateRunning:
	default:
		for _, s := range r.Shards {
			if s.LastError != "" {
				x.d.warn(check, "Read the log of worker "+s.Worker+".", "shard %d: %s", s.Shard, s.LastError)
			}
		}
	}
}

// durable judges whether a shard of a function moves.
func (x *examination) durable(r *functionRow, shard int, was, is jetstream.ConsumerLook) {
	check := "function " + r.Name
	behind := func(c jetstream.ConsumerLook) uint64 { return c.Pending + uint64(c.AckPending) }
	waits := slices.ContainsFunc(r.Shards, func(s fleet.ShardReport) bool { return s.Shard == shard && s.Asleep })
	switch {
	case behind(was) > 0 && behind(is) > 0 && is.AckFloor == was.AckFloor && !waits:
		x.d.fail(check, "`streamflow functions show "+r.Name+"` and the log of its worker tell what it waits for.",
			"durable %s of stream %s does not move: in %s nothing was acknowledged, and %d messages wait", is.Name, r.Reads, x.c.Watch, behind(is))
	case behind(is) > behind(was)+many:
		x.d.warn(check, fmt.Sprintf("Let it have more shards (`streamflow functions scale %s N`) and start more workers.", r.Name),
			"durable %s of stream %s falls behind: %d messages wait, %d more than %s ago", is.Name, r.Reads, behind(is), behind(is)-behind(was), x.c.Watch)
	}
}

// strays names durables that no function has: of one that is gone, or of shards
// that are no more.
func (x *examination) strays(now map[string]jetstream.ConsumerLook, known map[string]bool) {
	var found []string
	for name := range now {
		if !known[name] {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	for _, name := range found {
		stream, durable, _ := strings.Cut(name, " ")
		x.d.warn("durable "+durable, fmt.Sprintf("If no other program reads by it: `nats consumer rm %s %s`.", stream, durable),
			"stream %s has it and no function of this version: %d messages wait at it", stream, now[name].Pending)
	}
}
