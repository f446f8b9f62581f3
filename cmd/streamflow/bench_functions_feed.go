package main

import (
	"context"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"streamflow"
	"streamflow/functions/fleet"
	"streamflow/infra/jetstream"
	"streamflow/infra/simulate"
)

// benchPiece is how many ticks are gathered before they are written: a little
// less than a batch for each partition.
const benchPiece = 2400

// benchTicks writes a simulated market into TICKS as the bridge would.
type benchTicks struct {
	js      *jetstream.Client
	market  *simulate.Market
	n       int
	cursors [streamflow.TickPartitions]streamflow.Cursor
	parts   [streamflow.TickPartitions][]streamflow.Message
}

func newBenchTicks(js *jetstream.Client, symbols int) *benchTicks {
	f := &benchTicks{js: js, market: simulate.NewMarket(simulate.Config{Symbols: benchSymbols(symbols), Seed: 1})}
	for i := range f.cursors {
		f.cursors[i] = streamflow.Start
	}
	return f
}

// add takes the next symbol's tick, which was produced when it happened.
func (f *benchTicks) add(at time.Time) {
	symbol := f.n % f.market.Symbols()
	f.n++
	tick := f.market.Step(symbol, at)
	p := symbol % streamflow.TickPartitions
	cur := &f.cursors[p]
	hops := streamflow.AppendHop(streamflow.AppendHop(nil, streamflow.HopKafka, at), streamflow.HopBridge, at)
	f.parts[p] = append(f.parts[p], streamflow.Message{
		Subject: streamflow.TickSubject(tick.Symbol), Data: tick.AppendJSON(nil), Hops: string(hops), Previous: cur.Last,
		Position: streamflow.Position{Topic: streamflow.TopicTicks, Partition: int32(p), Offset: cur.Next},
	})
	cur.Next, cur.Last = cur.Next+1, cur.Next
}

// flush writes what was added, the partitions side by side.
func (f *benchTicks) flush(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for i := range f.parts {
		if len(f.parts[i]) == 0 {
			continue
		}
		g.Go(func() error {
			p := streamflow.Partition{Topic: streamflow.TopicTicks, Number: int32(i)}
			fence, err := f.js.Ticks().Commit(ctx, p, f.parts[i], f.cursors[i])
			f.cursors[i].Fence, f.parts[i] = fence, f.parts[i][:0]
			return err
		})
	}
	return g.Wait()
}

// steady feeds ticks at the rate while all functions run, and watches the lag.
func (c *benchFunctionsCmd) steady(ctx context.Context, b *functionsBench) (*steadyFigures, error) {
	s := &steadyFigures{Rate: c.Rate}
	var programs []fleet.Program
	for _, name := range hot {
		e, err := lookUp(name)
		if err != nil {
			return nil, err
		}
		p, err := e.function(b.j).Build(nil, b.rules)
		if err != nil {
			return nil, err
		}
		programs = append(programs, p)
	}
	return s, b.through(ctx, hot, func(ctx context.Context) error {
		g, ctx := errgroup.WithContext(ctx)
		own, stop := context.WithCancel(ctx)
		var sent int
		g.Go(func() (err error) { sent, err = b.feed.run(own, c.Rate); return err })
		g.Go(func() error { defer stop(); return s.watch(ctx, programs, c.For) })
		err := g.Wait()
		s.Sent = float64(sent) / (s.Seconds + steadyWarm.Seconds())
		s.Sustained = s.Sent > 0.98*float64(c.Rate) && s.LagLast < s.LagFirst+uint64(c.Rate)/2
		return err
	})
}

// steadyWarm is how long the feed runs before anything is measured.
const steadyWarm = 2 * time.Second

// run feeds until ctx ends.
func (f *benchTicks) run(ctx context.Context, rate int) (sent int, err error) {
	start := time.Now()
	for ctx.Err() == nil {
		now := time.Now()
		due := int(now.Sub(start).Seconds() * float64(rate))
		for n := min(due-sent, benchPiece); n > 0; n-- {
			f.add(now)
			sent++
		}
		if err := f.flush(context.WithoutCancel(ctx)); err != nil {
			return sent, err
		}
		if due-sent < benchPiece {
			_ = pause(ctx, 5*time.Millisecond)
		}
	}
	return sent, nil
}

// watch samples the lag for a time.
func (s *steadyFigures) watch(ctx context.Context, programs []fleet.Program, d time.Duration) error {
	if err := pause(ctx, steadyWarm); err != nil {
		return err
	}
	cpu, start := cpuSeconds(os.Getpid(), false), time.Now()
	var samples []uint64
	for time.Since(start) < d {
		n, err := lag(ctx, programs)
		if err != nil {
			return err
		}
		samples = append(samples, n)
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	// What waits at one moment is chance: a second's worth of looks is not.
	some := min(20, len(samples))
	s.LagFirst, s.LagLast = median(samples[:some]), median(samples[len(samples)-some:])
	for _, n := range samples {
		s.LagMost = max(s.LagMost, n)
	}
	s.Seconds = time.Since(start).Seconds()
	s.CPU = (cpuSeconds(os.Getpid(), false) - cpu) / s.Seconds
	return nil
}
