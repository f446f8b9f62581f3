package simulate

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"streamflow"
)

// MaxRate is the highest rate of a run, in ticks a second.
const MaxRate = 200_000

// Options say what a run sends.
type Options struct {
	Market Config
	// Interval (TICK_INTERVAL) is the length of a live round, in which every
	// symbol has one tick. 0 means [DefaultInterval].
	Interval time.Duration
	// Rate, if above 0, is the number of live ticks a second in all, instead
	// of Interval; up to [MaxRate].
	Rate int
	// Backfill is how much history is sent before the live ticks; see [Plan].
	Backfill time.Duration
	// Progress, if set, is told how many ticks of the history are stored, a few
	// times a second and at the end. total may grow while history is sent,
	// because the present moves on.
	Progress func(done, total int64)
	Logger   *slog.Logger // nil means slog.Default()
}

// Counts say what a run did.
type Counts struct {
	Backfilled int64 // ticks of history sent
	Live       int64 // live ticks sent
	Skipped    int64 // live ticks left out because the sink or this machine was too slow
	Stored     int64 // how many of those sent the sink has confirmed
}

// Run sends history, if any is asked for, and then live ticks until ctx ends;
// then it waits a few seconds until all is stored and returns nil. An error
// means that a tick was lost, or was not confirmed before the end.
//
// If the sink is slow or away Run waits for it, for as long as it takes. It says
// so once. History waits and goes on where it was; live rounds that pass
// meanwhile are skipped and counted, never sent in a burst.
func Run(ctx context.Context, sink Sink, o Options) (Counts, error) {
	if err := o.check(); err != nil {
		return Counts{}, err
	}
	r := &run{Options: o, market: NewMarket(o.Market), sink: sink, watch: newWatch(sink, o.Logger)}
	for i := range r.market.Symbols() {
		r.keys = append(r.keys, []byte(r.market.Key(i)))
	}
	r.next = r.tick
	err := r.until(ctx, r.send)
	return r.counts, err
}

func (o *Options) check() error {
	if len(o.Market.Symbols) == 0 {
		o.Market.Symbols = DefaultSymbols
	}
	seen := make(map[string]bool)
	for _, s := range o.Market.Symbols {
		if !streamflow.ValidSymbol(s) || seen[s] {
			return fmt.Errorf("simulate: %q is no symbol, or stands twice", s)
		}
		seen[s] = true
	}
	if o.Interval == 0 {
		o.Interval = DefaultInterval
	}
	if o.Interval < time.Millisecond || o.Rate < 0 || o.Rate > MaxRate || o.Backfill < 0 {
		return fmt.Errorf("simulate: interval %s, rate %d, backfill %s: want an interval of 1ms or more, a rate of 0 to %d, a backfill of 0 or more",
			o.Interval, o.Rate, o.Backfill, MaxRate)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return nil
}

// grace is how long the end waits until all that was sent is stored.
const grace = 10 * time.Second

// settle waits until what was sent is stored, although ctx has ended.
func (r *run) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := r.sink.Flush(ctx); err != nil {
		return fmt.Errorf("simulate: %d ticks sent, %d confirmed when the end came: %w", r.watch.sent.Load(), r.watch.stored(), err)
	}
	return nil
}

// run is one Run. Only its own goroutine touches it, but for watch.
type run struct {
	Options
	market *Market
	sink   Sink
	watch  *watch
	keys   [][]byte
	slab   []byte
	counts Counts
	next   func(context.Context, Due) error // sends what is due
}

func (r *run) send(ctx context.Context) error {
	start := time.Now()
	if r.Backfill > 0 {
		var err error
		if start, err = r.backfill(ctx); err != nil {
			return err
		}
	}
	return r.live(ctx, start)
}

// Ticks are written one behind the other into slabs, so that a tick costs no
// allocation of its own. A slab is never reused: the sink decides how long it
// keeps a value, and the collector takes the slab after its last one.
const (
	slabBytes = 64 << 10
	tickBytes = 512 // more than any tick has
)

func (r *run) tick(ctx context.Context, d Due) error {
	if cap(r.slab)-len(r.slab) < tickBytes {
		r.slab = make([]byte, 0, slabBytes)
	}
	from := len(r.slab)
	r.slab = r.market.Step(d.Symbol, d.At).AppendJSON(r.slab)
	r.watch.sent.Add(1) // before: a Send that blocks is one that waits
	if err := r.sink.Send(ctx, r.keys[d.Symbol], r.slab[from:len(r.slab):len(r.slab)]); err != nil {
		return fmt.Errorf("simulate: send a tick: %w", err)
	}
	return nil
}
