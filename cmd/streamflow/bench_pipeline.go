package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"streamflow"
)

type benchPipelineCmd struct {
	Rate      int           `help:"Ticks a second." default:"1000"`
	For       time.Duration `help:"How long to measure." default:"30s"`
	Warm      time.Duration `help:"How long to run before that." default:"5s"`
	Symbols   int           `help:"How many symbols." default:"500"`
	Subscribe []string      `help:"What the websocket client subscribes to." default:"ticks.>"`
	Apart     bool          `help:"Each part as a process of its own, which costs more and tells CPU and memory by part."`
	kafkaSync
	Dir  string `help:"Directory for the servers' data; a temporary one if empty."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Help is shown by --help.
func (benchPipelineCmd) Help() string {
	return `Starts the embedded system as "up" does, in one process with PostgreSQL as its child, or with --apart every part as a process of its own, sends ticks at a steady rate, and measures from the moment at which a tick is handed to the Kafka client to the moment at which a websocket client has read it, and to the moment at which its row was seen committed (looked at every 2 ms).`
}

// pipelineFigures are the outcome.
type pipelineFigures struct {
	Rate      int                  `json:"rate"`
	Seconds   float64              `json:"seconds"`
	Sent      float64              `json:"sent_per_second"`
	Mirrored  float64              `json:"mirrored_per_second"`
	Stored    float64              `json:"stored_per_second"`
	LagFirst  int64                `json:"lag_first"` // ticks sent and not stored, at the start of the measurement
	LagLast   int64                `json:"lag_last"`
	LagMost   int64                `json:"lag_most"`
	Sustained bool                 `json:"sustained"`
	Websocket quantiles            `json:"websocket_ms"`
	Hops      map[string]quantiles `json:"hops_ms"` // from sending to each hop
	Row       quantiles            `json:"row_ms"`
	Dropped   int64                `json:"websocket_dropped"`
	Sync      quantiles            `json:"fsync_ms"` // of the disk, before anything ran
	Parts     map[string]partUsage `json:"parts"`
}

// Run measures and prints.
func (c *benchPipelineCmd) Run(ctx context.Context, log *slog.Logger) error {
	dir, err := os.MkdirTemp(c.Dir, "streamflow-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL may run as another user
		return err
	}
	disk, err := syncTime(ctx, dir)
	if err != nil {
		return err
	}
	system, err := startSystem(ctx, dir, c.Apart, c.KafkaSync, log)
	defer system.stop()
	if err != nil {
		return err
	}
	figures, err := c.measure(ctx, system, log)
	if err != nil {
		return err
	}
	figures.Sync = disk
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(figures)
	}
	return figures.print()
}

func (c *benchPipelineCmd) measure(ctx context.Context, system *system, log *slog.Logger) (*pipelineFigures, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	load, err := newLoad(ctx, system.s, c.Symbols, c.Rate)
	if err != nil {
		return nil, err
	}
	defer load.close()
	rows, err := newRowWatch(ctx, system.s, load)
	if err != nil {
		return nil, err
	}
	defer rows.close()
	socket, err := newSocketWatch(ctx, system.http, c.Subscribe)
	if err != nil {
		return nil, err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return load.run(ctx) })
	g.Go(func() error { return rows.run(ctx) })
	g.Go(func() error { return socket.run(ctx) })
	var figures *pipelineFigures
	g.Go(func() (err error) {
		defer cancel()
		figures, err = c.window(ctx, system, load, rows, socket, log)
		return err
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	if figures == nil {
		return nil, context.Cause(ctx)
	}
	return figures, nil
}

// window waits for the warm-up, and then takes all figures over the same time.
func (c *benchPipelineCmd) window(ctx context.Context, system *system, load *load, rows *rowWatch, socket *socketWatch, log *slog.Logger) (*pipelineFigures, error) {
	if err := pause(ctx, c.Warm); err != nil {
		return nil, err
	}
	js, err := system.s.natsFlags.connect("bench", log)
	if err != nil {
		return nil, err
	}
	defer js.Close()
	f := &pipelineFigures{Rate: c.Rate}
	usage := system.usage()
	mirrored, err := js.Ticks().Count(ctx)
	if err != nil {
		return nil, err
	}
	sent, stored, start := load.sent.Load(), rows.stored.Load(), time.Now()
	rows.latency.reset()
	socket.reset()
	dropped := socket.dropped.Load()
	f.LagFirst = sent - stored
	for time.Since(start) < c.For {
		if err := pause(ctx, min(time.Second, c.For-time.Since(start)+time.Millisecond)); err != nil {
			return nil, err
		}
		system.sample()
		f.LagLast = load.sent.Load() - rows.stored.Load()
		f.LagMost = max(f.LagMost, f.LagLast)
	}
	f.Seconds = time.Since(start).Seconds()
	last, err := js.Ticks().Count(ctx)
	if err != nil {
		return nil, err
	}
	f.Sent = float64(load.sent.Load()-sent) / f.Seconds
	f.Mirrored = float64(last-mirrored) / f.Seconds
	f.Stored = float64(rows.stored.Load()-stored) / f.Seconds
	f.Row, f.Websocket = rows.latency.quantiles(), socket.latency.quantiles()
	f.Hops = make(map[string]quantiles)
	for i, name := range hopNames {
		f.Hops[name] = socket.hops[i].quantiles()
	}
	f.Dropped = socket.dropped.Load() - dropped
	f.Parts = system.usageSince(usage)
	// Sustained: the rate was really sent, and what is not stored yet is no
	// more than half a second's worth above what it was at the start.
	f.Sustained = f.Sent > 0.98*float64(c.Rate) && f.LagLast-f.LagFirst < int64(c.Rate)/2
	return f, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (f *pipelineFigures) print() error {
	verdict := "sustained"
	if !f.Sustained {
		verdict = "NOT sustained"
	}
	fmt.Printf("%d ticks/s for %.0f s: %s\n\n", f.Rate, f.Seconds, verdict)
	fmt.Printf("  sent      %9.0f ticks/s to %s\n  mirrored  %9.0f ticks/s into %s\n  stored    %9.0f ticks/s in table %s\n",
		f.Sent, streamflow.TopicTicks, f.Mirrored, streamflow.StreamTicks, f.Stored, streamflow.TableTicks)
	fmt.Printf("  lag       %9d ticks at the start, %d at the end, %d at most (sent and not stored)\n\n", f.LagFirst, f.LagLast, f.LagMost)
	fmt.Printf("latency, ms             p50      p99      max  samples\n")
	for _, l := range []struct {
		name string
		q    quantiles
	}{
		{"to the bridge", f.Hops["bridge"]}, {"to the stream", f.Hops["stream"]}, {"to the api", f.Hops["api"]},
		{"to websocket frame", f.Websocket}, {"to committed row", f.Row}, {"one fsync here", f.Sync},
	} {
		fmt.Printf("  %-18s %7.1f  %7.1f  %7.1f  %7d\n", l.name, l.q.P50, l.q.P99, l.q.Max, l.q.Samples)
	}
	if f.Dropped > 0 {
		fmt.Printf("  the websocket dropped %d messages for its client\n", f.Dropped)
	}
	fmt.Printf("\npart        CPU s  cores  peak MB\n")
	var total partUsage
	for _, name := range append(slices.Clone(partNames), "load") {
		u, ok := f.Parts[name]
		if !ok {
			continue
		}
		fmt.Printf("  %-9s %6.1f  %5.2f  %7.0f\n", name, u.CPU, u.CPU/f.Seconds, u.PeakMB)
		total.CPU += u.CPU
		total.PeakMB += u.PeakMB
	}
	fmt.Printf("  %-9s %6.1f  %5.2f  %7.0f\n", "all", total.CPU, total.CPU/f.Seconds, total.PeakMB)
	return nil
}
