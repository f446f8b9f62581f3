package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"streamflow/infra/kafka"
	"streamflow/infra/simulate"
)

type simulateCmd struct {
	Ticks  simulateTicksCmd  `cmd:"" default:"withargs" help:"Stock ticks; this is what \"simulate\" alone does."`
	Events simulateEventsCmd `cmd:"" help:"E-commerce events with a price, to topic events."`
	Users  simulateUsersCmd  `cmd:"" help:"Logins, to topic user-events."`
}

type simulateTicksCmd struct {
	kafkaFlags
	symbolFlags
	Backfill    string `help:"History to send first, such as 30d or 12h, with past event times; then it goes live." default:"0" placeholder:"AGE"`
	Format      string `help:"Format of the values: json, or avro, protobuf or json-schema as the serializers of a schema registry write them." enum:"json,avro,protobuf,json-schema" default:"json" env:"TICK_FORMAT"`
	schemaFlags `group:"Schema registry"`
	metricsFlags
}

// Help is shown by --help.
func (simulateTicksCmd) Help() string {
	return `Prices follow a random walk whose volatility clusters, with a factor common to all symbols; sizes are log-normal and follow the hours of the day. All ticks, history too, go through the topic, so everything behind it sees them as it would see real ones.`
}

// Validate refuses what the simulator would take for something else.
func (c *simulateTicksCmd) Validate() error {
	return cmp.Or(c.symbolFlags.Validate(), validAge("--backfill", c.Backfill))
}

// Run sends until ctx ends.
func (c *simulateTicksCmd) Run(ctx context.Context, log *slog.Logger) error {
	backfill, err := age(c.Backfill)
	if err != nil {
		return fmt.Errorf("--backfill: %w", err)
	}
	registry := newRegistry()
	s := servers{kafkaFlags: c.kafkaFlags, schemaFlags: c.schemaFlags}
	parts, err := c.part(registry, s.kafkaProbe(log))
	if err != nil {
		return err
	}
	p, err := newSimulator(ctx, s, c.Format, c.options(backfill, progress("backfill"), log))
	if err != nil {
		return err
	}
	return runParts(ctx, log, append([]part{p}, parts...)...)
}

func (f symbolFlags) options(backfill time.Duration, progress func(done, total int64), log *slog.Logger) simulate.Options {
	return simulate.Options{
		Market:   simulate.Config{Symbols: f.Symbols, Volatility: f.Volatility, Seed: f.Seed},
		Interval: f.Interval, Rate: f.Rate, Backfill: backfill, Progress: progress, Logger: log,
	}
}

// newSimulator joins the simulator to Kafka. Prices go on from the last ones
// that are there.
func newSimulator(ctx context.Context, s servers, format string, o simulate.Options) (part, error) {
	var err error
	if o.Market.Start, err = lastPrices(ctx, s, o.Logger); err != nil {
		return part{}, err
	}
	producer, err := kafka.NewProducer(ctx, s.config("simulate", o.Logger), s.Topic)
	if err != nil {
		return part{}, err
	}
	var sink simulate.Sink = producer
	if format != formatJSON {
		if sink, err = newFraming(ctx, s, format, producer); err != nil {
			producer.Close()
			return part{}, fmt.Errorf("--format: %w", err)
		}
	}
	run := func(ctx context.Context) error {
		counts, err := simulate.Run(ctx, sink, o)
		o.Logger.Info("simulator stopped", "backfilled", counts.Backfilled, "live", counts.Live, "skipped", counts.Skipped, "stored", counts.Stored)
		return err
	}
	return part{"simulate", run, producer.Close}, nil
}

const formatJSON = "json"

// framing is a sink whose values are in the format of a schema registry.
type framing struct {
	simulate.Sink
	encode func([]byte) ([]byte, error)
}

func newFraming(ctx context.Context, s servers, format string, sink simulate.Sink) (framing, error) {
	registry, err := s.registryOfSchemas()
	if err != nil {
		return framing{}, err
	}
	encode, err := registry.TickEncoder(ctx, s.Topic, format)
	return framing{sink, encode}, err
}

// Send sends what the value says.
func (f framing) Send(ctx context.Context, key, value []byte) error {
	framed, err := f.encode(value)
	if err != nil {
		return err
	}
	return f.Sink.Send(ctx, key, framed)
}

// age reads a duration that may also count days.
func age(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || n < 0 || n > 3650 {
			return 0, fmt.Errorf("%q is no age: want something like 30d, 12h or 90m", s)
		}
		return time.Duration(n * 24 * float64(time.Hour)), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no age: want something like 30d, 12h or 90m", s)
	}
	return d, nil
}

// validAge checks an age that a flag tells.
func validAge(flag, s string) error {
	if _, err := age(s); err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return nil
}

// progress returns a function that shows how far something has come: in place
// on a terminal, a line every tenth elsewhere.
func progress(what string) func(done, total int64) {
	terminal := term.IsTerminal(int(os.Stderr.Fd()))
	last := int64(-1)
	return func(done, total int64) {
		if total == 0 {
			return
		}
		percent := 100 * done / total
		if terminal {
			bar := strings.Repeat("#", int(percent/4)) + strings.Repeat(".", 25-int(percent/4))
			end := ""
			if done >= total {
				end = "\n"
			}
			fmt.Fprintf(os.Stderr, "\r%s [%s] %d of %d ticks%s", what, bar, done, total, end)
			return
		}
		if tenth := percent / 10; tenth != last {
			last = tenth
			fmt.Fprintf(os.Stderr, "%s: %d of %d ticks\n", what, done, total)
		}
	}
}
