package functions

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"streamflow"
)

// ErrClosed says that the shard belongs to a generation that is over: its
// states have been given to the next one, and nothing more can be committed.
var ErrClosed = errors.New("the generation of this shard is closed: a later one has its states")

// errSettled ends a [Settle] that has reached its end.
var errSettled = errors.New("settled")

// StepSource is the input of a step function. Its states are younger than its
// results: after a crash some messages must be stepped again in silence.
type StepSource interface {
	Source
	// Seek makes Next go on behind a sequence of the stream, 0 for its start.
	// The worker that the source belongs to keeps it, and [Source.Next] does not
	// say fresh because of it.
	Seek(ctx context.Context, sequence uint64) error
}

// StepConfig is one shard of a step function. Whether it repeats results for a
// replay stands in its checkpoint, see [StartReplay].
type StepConfig struct {
	Function   *Function
	Generation int // of the layout; 0 counts as 1
	Shard      int
	Shards     int // 0 counts as 1
	Source     StepSource
	Ledger     Ledger
	Limit      int           // messages taken at once at most; 0 means 5000
	Apart      time.Duration // see [Config]
	Logger     *slog.Logger
	Metrics    *Metrics
	Tracer     Tracer // nil traces nothing
}

// Stepper runs one shard of a step function.
type Stepper struct {
	runner *Runner
	shard  *shard
}

// NewStepper returns a shard that is not running yet.
func NewStepper(c StepConfig) *Stepper { return newStepper(c, false) }

func newStepper(c StepConfig, settle bool) *Stepper {
	c.Generation, c.Shards = max(c.Generation, 1), max(c.Shards, 1)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics(nil)
	}
	c.Logger = c.Logger.With("shard", c.Shard)
	sh := &shard{StepConfig: c, settling: settle, suspects: make(map[string]bool), stats: newStats(), steps: steps{tracer: c.Tracer}}
	sh.Logger = c.Logger.With("function", c.Function.Name)
	r := New(Config{Function: c.Function.Name, Source: c.Source, Sink: sh, Limit: c.Limit, Apart: c.Apart, Logger: c.Logger, Metrics: c.Metrics})
	r.minder = sh
	return &Stepper{runner: r, shard: sh}
}

// Run works, or stands by, until ctx ends; then it leaves a snapshot, so that
// who comes next has nothing to repeat, and gives its source up. [ErrClosed]
// says that there is nothing to work on any more.
func (s *Stepper) Run(ctx context.Context) error { return s.runner.Run(ctx) }

// Status says how the shard stands, at any time. Worker and Asleep are for the
// caller to know; Lag is what was seen within the last seconds of work.
func (s *Stepper) Status() streamflow.ShardStatus { return s.shard.status(time.Now()) }

// Owner says that it is this stepper that works, not another one.
func (s *Stepper) Owner() bool { return s.shard.owner.Load() }

// Due says that a key waits to be woken: the shard has to do even when no
// message comes.
func (s *Stepper) Due() bool { return s.shard.nextDue.Load() != 0 }

// Settle takes a shard over, steps in silence what its newest snapshot does not
// cover, writes a snapshot that does, and ends: what [Reshard] wants of a shard
// whose worker died. Nothing is done for a shard that is settled, or closed.
func Settle(ctx context.Context, c StepConfig) error {
	s := newStepper(c, true)
	data, _, err := c.Ledger.Load(ctx)
	if err != nil || data == nil {
		return err
	}
	p, err := parsePage(c.Function, s.shard.Generation, data)
	if err != nil || p.Closed || p.settled() {
		return err
	}
	_, hint := p.from()
	if err := c.Source.Seek(ctx, hint); err != nil {
		return err
	}
	if err := s.Run(ctx); err != nil && !errors.Is(err, ErrClosed) {
		return err
	}
	return ctx.Err()
}

// flags of a shard that others may look at.
type flags struct {
	owner   atomic.Bool
	nextDue atomic.Int64
}
