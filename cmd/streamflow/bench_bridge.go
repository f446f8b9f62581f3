package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"streamflow"
	"streamflow/bridge"
	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/simulate"
)

type benchBridgeCmd struct {
	Ticks   int    `help:"Ticks to mirror in each round." default:"500000"`
	Symbols int    `help:"How many symbols they are of." default:"500"`
	Rounds  int    `help:"Rounds; each mirrors everything twice, once by each, in turn." default:"3"`
	Dir     string `help:"Directory for the servers' data; a temporary one if empty."`
	JSON    bool   `name:"json" help:"Print JSON."`
}

// bridgeFigures are the outcome: ticks a second of each round.
type bridgeFigures struct {
	Ticks  int       `json:"ticks"`
	Bridge []float64 `json:"bridge_ticks_per_second"`
	Bare   []float64 `json:"bare_ticks_per_second"`
	Ratios []float64 `json:"ratios"`
	Ratio  float64   `json:"median_ratio"`
}

// Run measures and prints.
func (c *benchBridgeCmd) Run(ctx context.Context, log *slog.Logger) error {
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	dir, err := os.MkdirTemp(c.Dir, "streamflow-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	k, err := embedded.StartKafka(embedded.KafkaConfig{Addr: "127.0.0.1:0", Dir: filepath.Join(dir, "kafka"), Logger: quiet})
	if err != nil {
		return err
	}
	defer k.Close()
	s := servers{kafkaFlags: kafkaFlags{Brokers: k.Addr(), topicFlags: topicFlags{streamflow.TopicTicks}}}
	if err := c.prefill(ctx, s, quiet); err != nil {
		return err
	}
	figures := bridgeFigures{Ticks: c.Ticks}
	for round := range c.Rounds {
		// In turn, and the order changes, so that neither has the warmer machine.
		ways := []func(context.Context, servers, *jetstream.Client, string) error{c.mirror, c.bare}
		rates := [2]float64{}
		for _, way := range []int{round % 2, 1 - round%2} {
			if rates[way], err = c.measure(ctx, s, filepath.Join(dir, fmt.Sprint(round, way)), quiet, ways[way]); err != nil {
				return err
			}
		}
		figures.Bridge, figures.Bare = append(figures.Bridge, rates[0]), append(figures.Bare, rates[1])
		figures.Ratios = append(figures.Ratios, rates[0]/rates[1])
		log.Info("round", "bridge", int(rates[0]), "bare", int(rates[1]), "ratio", rates[0]/rates[1])
	}
	figures.Ratio = median(figures.Ratios)
	return figures.print(c.JSON)
}

func (f bridgeFigures) print(asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(f)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "round\tbridge ticks/s\tbare loop ticks/s\tratio\t")
	for i := range f.Ratios {
		fmt.Fprintf(w, "%d\t%.0f\t%.0f\t%.2f\t\n", i+1, f.Bridge[i], f.Bare[i], f.Ratios[i])
	}
	fmt.Fprintf(w, "median\t%.0f\t%.0f\t%.2f\t\n", median(f.Bridge), median(f.Bare), f.Ratio)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Println("\nBoth mirror the same prefilled partitions into JetStream on file storage, in batches of up to 999 with a fenced cursor,\n" +
		"with position and hop times in headers, from the first batch to the last. The bare loop neither checks a tick nor joins a group, counts nothing, and stops at the first error.")
	return nil
}

// prefill writes the ticks, so that the bridge finds a backlog.
func (c *benchBridgeCmd) prefill(ctx context.Context, s servers, log *slog.Logger) error {
	client, err := kafka.Connect(ctx, s.config("bench", log))
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := kafka.EnsureTopics(ctx, client, s.topics(layout{streamLayout: streamLayout{Replication: 1, Keep: 24 * time.Hour}})); err != nil {
		return err
	}
	producer, err := kafka.NewProducer(ctx, s.config("bench", log), s.Topic)
	if err != nil {
		return err
	}
	defer producer.Close()
	market := simulate.NewMarket(simulate.Config{Symbols: benchSymbols(c.Symbols), Seed: 1})
	at := time.Now().Add(-time.Hour)
	for i := range c.Ticks {
		symbol := i % c.Symbols
		tick := market.Step(symbol, at.Add(time.Duration(i)*time.Millisecond))
		if err := producer.Send(ctx, []byte(tick.Symbol), tick.AppendJSON(nil)); err != nil {
			return err
		}
	}
	return producer.Flush(ctx)
}

// benchSymbols makes names of the length that symbols have.
func benchSymbols(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("S%c%c%c", 'A'+i/676%26, 'A'+i/26%26, 'A'+i%26)
	}
	return names
}

// measure runs one way on a JetStream of its own and returns ticks a second.
func (c *benchBridgeCmd) measure(ctx context.Context, s servers, dir string, log *slog.Logger, way func(context.Context, servers, *jetstream.Client, string) error) (float64, error) {
	n, err := embedded.StartNATS(embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: dir, Logger: log})
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	defer n.Close()
	js, err := jetstream.Connect(n.URL(), "bench", log)
	if err != nil {
		return 0, err
	}
	defer js.Close()
	if _, err := js.Ensure(ctx, jetstream.DefaultLimits); err != nil {
		return 0, err
	}
	clock := &stopwatch{target: js.Ticks(), goal: uint64(c.Ticks) + streamflow.TickPartitions} // with a cursor for each partition
	if err := clock.during(ctx, func(ctx context.Context) error { return way(ctx, s, js, filepath.Base(dir)) }); err != nil {
		return 0, err
	}
	return clock.rate(), nil
}

// mirror is our bridge.
func (c *benchBridgeCmd) mirror(ctx context.Context, s servers, js *jetstream.Client, name string) error {
	b := bridge.New(bridge.Config{
		Routes: []bridge.Route{{Route: streamflow.TickRoute(s.Topic), Target: js.Ticks()}}, Group: "bench-" + name, Letters: js.DeadLetters(),
		Connect: s.connector("bench", slog.New(slog.DiscardHandler), nil),
	})
	return b.Run(ctx)
}

// stopwatch measures from the first batch in the stream to the last, so that
// neither way is charged for its start.
type stopwatch struct {
	target      *jetstream.Mirror
	goal        uint64
	first       uint64 // messages when the clock was started
	start, stop time.Time
}

// during runs run until the stream holds all that it should.
func (w *stopwatch) during(ctx context.Context, run func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	for {
		select {
		case err := <-done:
			return err
		case <-time.After(5 * time.Millisecond):
		}
		count, err := w.target.Count(ctx)
		if w.start.IsZero() && count > streamflow.TickPartitions {
			w.first, w.start = count, time.Now()
		}
		if err != nil || count >= w.goal {
			w.stop = time.Now()
			cancel()
			<-done
			return err
		}
	}
}

func (w *stopwatch) rate() float64 { return float64(w.goal-w.first) / w.stop.Sub(w.start).Seconds() }
