package main

import (
	"context"
	"errors"
	"fmt"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/fleet"
	"streamflow/infra/jetstream"
)

// stepProgram runs a function that keeps its state beside its results.
type stepProgram struct {
	j  *joint
	fn *functions.Function
}

func newStepProgram(j *joint, fn *functions.Function) fleet.Program { return &stepProgram{j, fn} }

// inputs are what of a stream functions read; "" is all but cursors, for less
// than a filter costs.
var inputs = map[string]string{streamflow.StreamTicks: "", streamflow.StreamEvents: ""}

func (p *stepProgram) config(l streamflow.Layout, shard int) functions.StepConfig {
	return functions.StepConfig{
		Function: p.fn, Generation: l.Generation, Shard: shard, Shards: l.Shards,
		Source: p.j.js.Durable(p.fn.Reads, inputs[p.fn.Reads], p.fn.Name, shard),
		Ledger: p.ledger(l.Generation, shard), Apart: factsApart, Logger: p.j.log, Metrics: p.j.metrics.functions, Tracer: p.j.tracer,
	}
}

func (p *stepProgram) ledger(generation, shard int) *jetstream.Ledger {
	return p.j.js.Ledger(p.fn.Writes, p.fn.Name, generation, shard)
}

func (p *stepProgram) ledgers(l streamflow.Layout) []functions.Ledger {
	list := make([]functions.Ledger, l.Shards)
	for i := range list {
		list[i] = p.ledger(l.Generation, i)
	}
	return list
}

// Shard returns a shard.
func (p *stepProgram) Shard(l streamflow.Layout, shard int) fleet.Shard {
	return stepShard{functions.NewStepper(p.config(l, shard))}
}

// stepShard is a shard as the fleet sees it.
type stepShard struct{ *functions.Stepper }

// Report says how it stands.
func (s stepShard) Report() fleet.Report {
	return fleet.Report{ShardStatus: s.Status(), Owner: s.Owner(), Due: s.Due()}
}

// Pending asks the durable.
func (p *stepProgram) Pending(ctx context.Context, shard int) (uint64, error) {
	return p.j.pending(ctx, p.fn.Reads, p.fn.Name, shard)
}

// Move makes the next layout. A shard whose worker died before it left a
// snapshot is settled here first.
func (p *stepProgram) Move(ctx context.Context, from, to streamflow.Layout, r *streamflow.Replay) error {
	if from.Generation == 0 {
		return nil // a function that never ran begins with its first shard
	}
	old, next := p.ledgers(from), p.ledgers(to)
	if r != nil {
		return functions.StartReplay(ctx, p.fn, to.Generation, old, next, *r)
	}
	for range from.Shards + 1 {
		err := functions.Reshard(ctx, p.fn, to.Generation, old, next)
		var unsettled *functions.UnsettledError
		if !errors.As(err, &unsettled) {
			return err
		}
		if err := functions.Settle(ctx, p.config(from, unsettled.Shard)); err != nil {
			return fmt.Errorf("settle shard %d: %w", unsettled.Shard, err)
		}
	}
	return errors.New("shards do not stay settled: another worker still runs them")
}

// Tidy removes the durables of shards that are no more and the states of
// earlier generations. Their checkpoints stay: that they are closed is what
// keeps a worker that has slept through the change from beginning anew.
func (p *stepProgram) Tidy(ctx context.Context, now streamflow.Layout) error {
	for shard := now.Shards; shard < streamflow.MaxShards; shard++ {
		if err := p.j.js.DeleteDurable(ctx, p.fn.Reads, p.fn.Name, shard); err != nil {
			return err
		}
	}
	return p.j.js.PurgeStates(ctx, p.fn.Writes, p.fn.Name, now.Generation)
}

// pending looks how much waits for a shard that nobody may be working on.
func (j *joint) pending(ctx context.Context, stream, function string, shard int) (uint64, error) {
	undelivered, unacked, err := j.js.Durable(stream, "", function, shard).Pending(ctx)
	return undelivered + uint64(unacked), err
}
