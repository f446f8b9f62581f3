package fleet

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"streamflow"
)

// Config of a worker.
type Config struct {
	ID        string // of this worker, unlike any other: letters, digits, -, _
	Functions []Function
	Desired   Bucket // functions
	Rules     Bucket
	Status    Bucket
	// Idle is how long a function may have nothing to do before it is let go of;
	// 0 is for ever.
	Idle   time.Duration
	Logger *slog.Logger
}

// Fleet is the part of a worker that decides what runs. All that it knows is
// touched by one goroutine, in Run; the others send it notes.
type Fleet struct {
	Config
	started time.Time
	units   []*unit // in the order of the configuration
	byName  map[string]*unit
	peers   peers
	rules   rules
	seen    map[string]bool // buckets whose keys have all been told
	notes   chan func()
	work    sync.WaitGroup   // of shards and changes
	beating bool             // a report is on its way
	told    map[string]Place // what the newest report says of the functions
	status  map[string]heard
	echo    time.Time          // when we heard ourselves in bucket status
	deaf    context.CancelFunc // begins its watch anew
}

// heard is a shard's report, and when it came.
type heard struct {
	ShardReport
	at time.Time
}

// New returns a worker that is not running yet.
func New(c Config) *Fleet {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	f := &Fleet{
		Config: c, byName: make(map[string]*unit), peers: make(peers), seen: make(map[string]bool),
		notes: make(chan func()), status: make(map[string]heard), rules: rules{byID: make(map[string]streamflow.Rule)},
	}
	for _, fn := range c.Functions {
		u := &unit{f: f, fn: fn, log: c.Logger.With("function", fn.Name), slots: make(map[int]*slot)}
		u.heed(nil, 0)
		f.units, f.byName[fn.Name] = append(f.units, u), u
	}
	return f
}

// Run works until ctx ends; then it leaves every shard so that another worker
// can go on at once.
func (f *Fleet) Run(ctx context.Context) error {
	f.started = time.Now()
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	go f.watch(watching, bucketFunctions, f.Desired, f.heedDesired)
	go f.watch(watching, bucketRules, f.Rules, f.heedRule)
	go f.watch(watching, bucketStatus, f.Status, f.heedStatus)
	look, beat := time.NewTicker(decideEvery), time.NewTicker(beatEvery)
	defer look.Stop()
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			f.leave(context.WithoutCancel(ctx))
			return nil
		case note := <-f.notes:
			note()
			f.decide(ctx)
		case <-look.C:
			f.decide(ctx)
			if f.news() {
				f.report(ctx)
			}
		case <-beat.C:
			f.report(ctx)
		}
	}
}

// decide makes what is so a little more like what should be. It never waits.
func (f *Fleet) decide(ctx context.Context) {
	now := time.Now()
	for _, id := range f.peers.forget(now) {
		f.Logger.Warn("a worker is silent: its shards are taken over", "worker", id, "for", deadAfter)
	}
	// Who else is there is worth a moment of patience, not more.
	patient := !f.seen[bucketStatus] && now.Sub(f.started) < settleFor
	if !f.seen[bucketFunctions] || !f.seen[bucketRules] || patient {
		return // what is desired is not known yet
	}
	for _, u := range f.units {
		u.decide(ctx, now)
	}
}

// order returns the workers that run u, in their order for a shard. We are not
// among them if what is desired cannot be here, and can be elsewhere.
func (f *Fleet) order(u *unit, shard int) []string {
	workers := f.peers.running(u.fn.Name)
	if u.fault == nil || len(workers) == 0 {
		workers = append(workers, f.ID)
	}
	return order(workers, u.fn.Name, shard)
}

// standsBy says that we are among the first two of the order for a shard, those
// left aside who may be dead: two who have died, or one who has died twice, would
// else keep everybody away for as long as they are believed in.
func (f *Fleet) standsBy(u *unit, shard int, now time.Time) bool {
	order := slices.DeleteFunc(f.order(u, shard), func(id string) bool { return f.peers[id] != nil && f.peers[id].doubtful(now) })
	rank := slices.Index(order, f.ID)
	return rank >= 0 && rank < 2
}

// leave stops all shards at once, waits for them, and says goodbye.
func (f *Fleet) leave(ctx context.Context) {
	for _, u := range f.units {
		for _, s := range u.slots {
			s.stop()
		}
	}
	done := make(chan struct{})
	go func() { f.work.Wait(); close(done) }()
	for waiting := true; waiting; {
		select {
		case note := <-f.notes:
			note()
		case <-done:
			waiting = false
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := f.Status.Delete(ctx, prefixWorker+f.ID); err != nil {
		f.Logger.Debug("goodbye was not heard", "error", err) // we are gone from it seconds later
	}
}
