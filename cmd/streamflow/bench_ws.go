package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"streamflow/api/live"
)

type benchWSCmd struct {
	Clients int           `help:"How many clients." default:"2000"`
	Stalled int           `help:"How many of them read nothing." default:"100"`
	Rate    int           `help:"Ticks a second." default:"5000"`
	Symbols int           `help:"How many symbols." default:"500"`
	For     time.Duration `help:"How long to measure." default:"20s"`
	JSON    bool          `name:"json" help:"Print JSON."`
}

// Help is shown by --help.
func (benchWSCmd) Help() string {
	return `Serves clients with mixed subscriptions over TCP on this machine, all in this process: 1 % want every tick, 20 % ten symbols, 20 % the newest of twenty symbols twice a second, the others one symbol. Checks by "prev" and by the last sequence of each subject that no client that wants all has lost a tick, and measures the time from the making of a tick to its reading. Beside it runs the least that could do the same: gorilla, a channel for each client, no wildcards, snapshots, bounds or checks, and nobody stalled.`
}

// wsFigures are the outcome of one server.
type wsFigures struct {
	Sent      int64     `json:"ticks"`
	Received  int64     `json:"received"`
	PerSecond float64   `json:"received_per_second"`
	Lost      int64     `json:"lost"` // by clients that want all
	Dropped   int64     `json:"told_dropped"`
	Closed    int64     `json:"closed"`
	Latency   quantiles `json:"latency_ms"`
	MemoryMiB float64   `json:"memory_mib"` // heap and stacks of server and clients, at most
	CPU       float64   `json:"cpu_cores"`
}

// Run measures and prints.
func (c *benchWSCmd) Run(ctx context.Context, _ *slog.Logger) error {
	if c.Stalled > c.Clients || c.Symbols < 20 || c.Rate < 1 {
		return fmt.Errorf("bench ws: want --stalled up to --clients, --symbols from 20 and --rate from 1")
	}
	quiet := slog.New(slog.DiscardHandler)
	feed := newBenchFeed(c.Symbols)
	server, err := live.New(live.Config{Feed: feed, Logger: quiet, Streams: []string{"TICKS"}, MaxSessions: c.Clients + 1})
	if err != nil {
		return err
	}
	ours, err := c.measure(ctx, server, server.Run, feed, c.Stalled)
	if err != nil {
		return fmt.Errorf("streamflow: %w", err)
	}
	runtime.GC()
	bareFeed := newBenchFeed(c.Symbols)
	bare := newBareServer(bareFeed)
	limit, err := c.measure(ctx, bare, bare.run, bareFeed, 0)
	if err != nil {
		return fmt.Errorf("bare gorilla: %w", err)
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]wsFigures{"streamflow": ours, "bare": limit})
	}
	return c.print(ours, limit)
}

// measure runs one server with its clients.
func (c *benchWSCmd) measure(ctx context.Context, h http.Handler, run func(context.Context), feed *benchFeed, stalled int) (f wsFigures, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return f, err
	}
	web := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = web.Serve(ln) }()
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan struct{})
	go func() { defer close(served); run(ctx) }()
	clients := make([]*benchClient, c.Clients)
	defer func() {
		for _, b := range clients {
			b.close()
		}
		cancel()
		<-served
		_ = web.Close()
	}()
	var g errgroup.Group
	g.SetLimit(64)
	for i := range clients {
		g.Go(func() (err error) {
			clients[i], err = newBenchClient(ctx, ln.Addr().String(), i, c.Symbols, i < stalled)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return f, err
	}
	return c.window(ctx, feed, clients)
}

// window sends ticks, first to warm up, and takes the figures.
func (c *benchWSCmd) window(ctx context.Context, feed *benchFeed, clients []*benchClient) (f wsFigures, err error) {
	var peak atomic.Int64
	watch, stop := context.WithCancel(ctx)
	defer stop()
	go watchMemory(watch, &peak)
	if err := feed.send(ctx, c.Rate, time.Second); err != nil {
		return f, err
	}
	benchLatency.reset()
	before, cpu, began := received(clients), cpuSeconds(os.Getpid(), false), time.Now()
	if err := feed.send(ctx, c.Rate, c.For); err != nil {
		return f, err
	}
	seconds := time.Since(began).Seconds()
	f.CPU = (cpuSeconds(os.Getpid(), false) - cpu) / seconds
	if err := pause(ctx, 2*time.Second); err != nil { // what is on its way arrives, or is lost
		return f, err
	}
	f.Received = received(clients) - before
	f.PerSecond = float64(f.Received) / seconds
	f.Sent = int64(feed.last())
	for _, b := range clients {
		f.Lost += b.lost(feed)
		f.Dropped += b.dropped.Load()
		if b.ended.Load() {
			f.Closed++
		}
	}
	f.Latency = benchLatency.quantiles()
	f.MemoryMiB = float64(peak.Load()) / (1 << 20)
	return f, nil
}

func received(clients []*benchClient) (n int64) {
	for _, b := range clients {
		n += b.received.Load()
	}
	return n
}

// watchMemory keeps the most that heap and stacks took.
func watchMemory(ctx context.Context, peak *atomic.Int64) {
	var m runtime.MemStats
	for pause(ctx, 500*time.Millisecond) == nil {
		runtime.ReadMemStats(&m)
		peak.Store(max(peak.Load(), int64(m.HeapInuse+m.StackInuse)))
	}
}

func (c *benchWSCmd) print(ours, bare wsFigures) error {
	fmt.Printf("%d clients, %d of them stalled (of the bare one none), %d ticks/s of %d symbols, %s, %d cores\n\n",
		c.Clients, c.Stalled, c.Rate, c.Symbols, c.For, runtime.GOMAXPROCS(0))
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tmessages/s\tlost\tp50 ms\tp99 ms\tmax ms\tMiB\tcores\tclosed\t")
	for _, row := range []struct {
		name string
		f    wsFigures
	}{{"streamflow", ours}, {"bare gorilla", bare}} {
		f := row.f
		fmt.Fprintf(w, "%s\t%.0f\t%d\t%.1f\t%.1f\t%.1f\t%.0f\t%.2f\t%d\t\n",
			row.name, f.PerSecond, f.Lost, f.Latency.P50, f.Latency.P99, f.Latency.Max, f.MemoryMiB, f.CPU, f.Closed)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if ours.Lost > 0 {
		return fmt.Errorf("clients that read have lost %d ticks", ours.Lost)
	}
	return nil
}
