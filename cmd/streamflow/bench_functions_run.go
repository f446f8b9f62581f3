package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"streamflow"
	"streamflow/functions/fleet"
	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
)

// functionsBench is a server with ticks.
type functionsBench struct {
	j          *joint
	feed       *benchTicks
	rules      []streamflow.Rule
	generation int // each way begins with states of its own
	close      func()
}

// open starts the server and fills TICKS.
func (c *benchFunctionsCmd) open(ctx context.Context) (b *functionsBench, err error) {
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	dir, err := os.MkdirTemp(c.Dir, "streamflow-bench-")
	if err != nil {
		return nil, err
	}
	b = &functionsBench{rules: c.rules(), close: func() { _ = os.RemoveAll(dir) }}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	server, err := embedded.StartNATS(embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: filepath.Join(dir, "nats"), Logger: quiet})
	if err != nil {
		return b, err
	}
	b.close = func() { _ = server.Close(); _ = os.RemoveAll(dir) }
	js, err := jetstream.Connect(server.URL(), "bench", quiet)
	if err != nil {
		return b, err
	}
	b.close = func() { js.Close(); _ = server.Close(); _ = os.RemoveAll(dir) }
	b.j = &joint{log: quiet, metrics: newJointMetrics(nil, nil), js: js}
	limits := jetstream.DefaultLimits
	limits.Functions = writers()
	if _, err = js.Ensure(ctx, limits); err != nil {
		return b, err
	}
	b.feed = newBenchTicks(js, c.Symbols)
	// As fast as the steady feed will be, and over by now: nobody waits for the clock.
	at := time.Now().Add(-10 * time.Minute)
	for n := 0; n < c.Ticks; n += benchPiece {
		for i := range min(benchPiece, c.Ticks-n) {
			b.feed.add(at.Add(time.Duration(n+i) * 20 * time.Microsecond))
		}
		if err = b.feed.flush(ctx); err != nil {
			return b, err
		}
	}
	return b, nil
}

// ways measures each function alone, all together, and the bare loop.
func (c *benchFunctionsCmd) ways(ctx context.Context, b *functionsBench, log *slog.Logger) (all []wayFigures, err error) {
	for _, way := range []struct {
		name  string
		names []string
	}{{"bare consumer loop", nil}, {hot[0], hot[:1]}, {hot[1], hot[1:2]}, {hot[2], hot[2:]}, {"all together", hot}} {
		f := wayFigures{Name: way.name}
		cpu, start := cpuSeconds(os.Getpid(), false), time.Now()
		if way.names == nil {
			err = b.bare(ctx, c.Ticks)
		} else {
			err = b.through(ctx, way.names, nil)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", way.name, err)
		}
		f.PerSecond, f.CPU = float64(c.Ticks)/time.Since(start).Seconds(), cpuSeconds(os.Getpid(), false)-cpu
		log.Info("measured", "way", f.Name, "ticks_per_second", int(f.PerSecond))
		all = append(all, f)
	}
	return all, nil
}

// bare reads and acknowledges, and does nothing else.
func (b *functionsBench) bare(ctx context.Context, n int) error {
	in := b.j.js.Durable(streamflow.StreamTicks, "", "bare", 0)
	defer in.Close()
	for n > 0 {
		messages, _, err := in.Next(ctx, 5000)
		if err != nil {
			return err
		}
		n -= len(messages)
		if err := in.Ack(); err != nil {
			return err
		}
	}
	return nil
}

// errBenchOver ends what runs when the measurement is over.
var errBenchOver = errors.New("measured")

// through runs functions from nothing, as the slots of a worker do, until none
// of them lags, or while does not return.
func (b *functionsBench) through(ctx context.Context, names []string, while func(context.Context) error) error {
	b.generation++
	var programs []fleet.Program
	g, ctx := errgroup.WithContext(ctx)
	for _, name := range names {
		if err := b.j.js.DeleteDurable(ctx, streamflow.StreamTicks, name, 0); err != nil {
			return err
		}
		e, err := lookUp(name)
		if err != nil {
			return err
		}
		p, err := e.function(b.j).Build(nil, b.rules)
		if err != nil {
			return err
		}
		programs = append(programs, p)
		shard := p.Shard(streamflow.Layout{Generation: b.generation, Shards: 1}, 0)
		g.Go(func() error { return shard.Run(ctx) })
	}
	g.Go(func() error {
		if err := b.caughtUp(ctx, programs); err != nil || while == nil {
			return errors.Join(err, errBenchOver)
		}
		return errors.Join(while(ctx), errBenchOver)
	})
	err := g.Wait()
	if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) == 1 {
		return nil // errBenchOver alone
	}
	return err
}

// lag is how much waits for the slowest.
func lag(ctx context.Context, programs []fleet.Program) (most uint64, err error) {
	for _, p := range programs {
		n, err := p.Pending(ctx, 0)
		if err != nil {
			return 0, err
		}
		most = max(most, n)
	}
	return most, nil
}

// caughtUp waits until nothing waits for any of them.
func (b *functionsBench) caughtUp(ctx context.Context, programs []fleet.Program) error {
	for {
		if n, err := lag(ctx, programs); err == nil && n == 0 {
			return nil
		} // one that has just been started has no durable yet
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}
