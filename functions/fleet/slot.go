package fleet

import (
	"context"
	"errors"
	"slices"
	"time"

	"streamflow"
	"streamflow/functions"
)

// slot is one shard of a function at this worker.
type slot struct {
	u     *unit
	shard int

	running, stopping bool
	program           Program // with which it runs
	layout            streamflow.Layout
	work              Shard
	cancel            context.CancelFunc

	owned  time.Time // since when it has been ours; zero while it is not
	handed time.Time // when it was handed back
	hold   time.Time // not to be started before
	retry  time.Duration
	failed string

	asleep  bool
	looking bool // at what is pending
	idle    time.Time
	counted uint64
}

const (
	// holdFor is how long an owner that has handed a shard back stays away from
	// the durable, so that it goes to the one that it is meant for.
	holdFor = 3 * time.Second
	// handEvery bounds how often it is handed back, should the other not take it.
	handEvery = 30 * time.Second

	retryAtMost = 10 * time.Second
)

// decide starts or stops the shard.
func (s *slot) decide(ctx context.Context, now time.Time, wanted bool, layout streamflow.Layout) {
	workers := s.u.f.order(s.u, s.shard)
	rank := slices.Index(workers, s.u.f.ID)
	s.own(now)
	// The first of the order attaches itself to the durable, and another to stand by.
	// An owner stays until the one that it is meant for is ready: see handBack.
	near := rank == 0 || !s.u.fn.Alone && s.u.f.standsBy(s.u, s.shard, now)
	wanted = wanted && (near || !s.owned.IsZero())
	s.asleep = s.asleep && wanted
	switch {
	case s.stopping:
	case s.running && (!wanted || s.program != s.u.program || s.layout != layout):
		s.stop()
	case s.running && s.handBack(now, rank, workers[0]):
		s.u.log.Info("shard is handed back to the worker that it is meant for", "shard", s.shard, "worker", workers[0])
		s.handed, s.hold = now, now.Add(holdFor)
		s.stop()
	case s.running && s.sleepy(now, rank, workers[0]):
		s.asleep = true
		s.stop()
	case !s.running && wanted && s.asleep:
		s.look(ctx, rank, workers[0])
	case !s.running && wanted && !now.Before(s.hold):
		s.start(ctx, layout)
	}
}

// own notes, once, when the shard becomes ours or no longer is.
func (s *slot) own(now time.Time) {
	owner := s.running && s.work.Report().Owner
	if owner == !s.owned.IsZero() {
		return
	}
	if !owner {
		s.owned = time.Time{}
		return
	}
	s.owned = now
	s.u.log.Info("shard is worked on here", "shard", s.shard, "worker", s.u.f.ID)
}

// handBack says that the shard, which is ours, is meant for another worker,
// which is there and ready.
func (s *slot) handBack(now time.Time, rank int, first string) bool {
	if rank == 0 || s.owned.IsZero() || now.Sub(s.owned) < settleFor || now.Sub(s.handed) < handEvery {
		return false
	}
	// It must have been heard of since the shard is ours: that it is ours may be
	// because the other has died.
	p := s.u.f.peers[first]
	if p == nil || p.doubtful(now) || now.Sub(p.first) < settleFor || p.heard.Sub(s.owned) < settleFor/2 {
		return false
	}
	there := p.Functions[s.u.fn.Name]
	return there.Phase == PhaseRunning && there.Revision == s.u.revision && there.Generation == s.layout.Generation
}

func (s *slot) start(ctx context.Context, layout streamflow.Layout) {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.running, s.stopping, s.cancel = true, false, cancel
	s.program, s.layout, s.work = s.u.program, layout, s.u.program.Shard(layout, s.shard)
	s.idle, s.counted = time.Now(), 0
	f := s.u.f
	f.work.Go(func() {
		err := s.work.Run(own)
		// Not with ctx: who leaves waits for this, and takes notes meanwhile.
		f.notes <- func() { s.ended(err, own.Err() != nil) }
		cancel()
	})
}

// stop asks the shard to leave its place. It ends by itself.
func (s *slot) stop() {
	if s.running && !s.stopping {
		s.stopping = true
		s.cancel()
	}
}

// ended notes that the shard does not run any more.
func (s *slot) ended(err error, asked bool) {
	s.running, s.stopping, s.owned = false, false, time.Time{}
	s.failed = ""
	if asked && err == nil {
		s.retry = 0
		return
	}
	if errors.Is(err, functions.ErrClosed) { // the bucket is about to tell of the next layout
		s.hold = time.Now().Add(retryEvery)
		return
	}
	s.retry = min(max(2*s.retry, retryEvery), retryAtMost)
	s.hold = time.Now().Add(s.retry)
	if err != nil {
		s.failed = err.Error()
		s.u.log.Warn("shard has ended and is tried again", "shard", s.shard, "error", err, "in", s.retry)
	}
}
