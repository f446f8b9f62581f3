package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"streamflow/bridge"
	"streamflow/infra/embedded"
	"streamflow/infra/kafka"
)

type upCmd struct {
	Brokers  string `name:"kafka" help:"Kafka brokers, host:port with commas between; if empty, one is started in process." placeholder:"HOST:PORT" env:"KAFKA_BOOTSTRAP_SERVERS,KAFKA_BROKERS"`
	NATS     string `name:"nats" help:"NATS server; if empty, one is started in process." placeholder:"URL" env:"NATS_URL"`
	Database string `name:"database" help:"PostgreSQL database; if empty, a server is started." placeholder:"URL" env:"DATABASE_URL"`
	passwordFlags
	topicFlags
	dataFlags
	httpFlags
	bridgeFlags
	workerFlags
	layout
	symbolFlags
	Simulate bool   `help:"Send simulated ticks." default:"true" negatable:"" env:"SIMULATE"`
	Backfill string `help:"History that the first start sends before it goes live." default:"30d" env:"BACKFILL"`
}

// Help is shown by --help.
func (upCmd) Help() string {
	return `Starts the servers that are not named, creates topics, streams and tables, and runs the bridge, the functions, the API and the simulator. Ctrl-C stops it, the second one at once. Data stay in --data-dir; delete it to begin anew.`
}

// AfterApply opens writing to loopback: it is one person's own machine.
func (c *upCmd) AfterApply() error {
	c.openWrites = true
	return nil
}

// Run runs everything until ctx ends.
func (c *upCmd) Run(ctx context.Context, log *slog.Logger) (err error) {
	backfill, err := age(c.Backfill)
	if err != nil {
		return fmt.Errorf("--backfill: %w", err)
	}
	release, err := embedded.LockDir(c.DataDir)
	if err != nil {
		return err
	}
	defer release()
	ln, err := c.listen() // first: a page that is taken should not cost a start of three servers
	if err != nil {
		return err
	}
	defer ln.Close()
	s, died, stop, err := c.servers(ctx, log)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return err
	}
	changes, err := c.ensure(ctx, s, log)
	for _, change := range changes {
		log.Info("prepared", "what", change)
	}
	if err != nil {
		return err
	}
	registry := newRegistry()
	parts, err := c.parts(ctx, s, backfill, log, registry)
	if err != nil {
		return err
	}
	p, err := newAPI(ctx, s, c.httpFlags, ln, registry, log)
	if err != nil {
		return err
	}
	parts = append(parts, p)
	c.welcome(s, ln.Addr().String())
	parts = append(parts, part{"servers", func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return nil
		case <-died:
			return errors.New("PostgreSQL has ended by itself; see its last words above")
		}
	}, nil})
	return runParts(ctx, log, parts...)
}

// parts are what moves the data, in their order.
func (c *upCmd) parts(ctx context.Context, s servers, backfill time.Duration, log *slog.Logger, r *prometheus.Registry) (parts []part, err error) {
	bm := bridge.NewMetrics(r)
	add := func(p part, err error) error {
		if err == nil {
			parts = append(parts, p)
		}
		return err
	}
	if c.Simulate {
		first, err := empty(ctx, s, log)
		if err != nil {
			return nil, err
		}
		if !first {
			backfill = 0
		}
		if err := add(newSimulator(ctx, s, c.options(backfill, progress("history"), log))); err != nil {
			return nil, err
		}
	}
	if err := c.keepKey(c.DataDir); err != nil {
		return nil, err
	}
	if err := add(newBridge(s, c.bridgeFlags, log, r, bm)); err != nil {
		return nil, err
	}
	if err := add(newFleet(s, registry, c.idle(), newJointMetrics(r, bm), log)); err != nil {
		return nil, err
	}
	if c.KeepRows > 0 {
		parts = append(parts, newPrune(s, c.KeepRows, log))
	}
	return parts, nil
}

// empty reports whether the topic has never had a record.
func empty(ctx context.Context, s servers, log *slog.Logger) (bool, error) {
	client, err := kafka.Connect(ctx, s.config("up", log))
	if err != nil {
		return false, err
	}
	defer client.Close()
	_, end, err := kafka.Marks(ctx, client, s.Topic)
	for _, offset := range end {
		if offset > 0 {
			return false, nil
		}
	}
	return true, err
}

// servers starts what is not named, all at once, and returns where everything
// is. stop is never nil.
func (c *upCmd) servers(ctx context.Context, log *slog.Logger) (s servers, died <-chan struct{}, stop func() error, err error) {
	s = servers{kafkaFlags{c.Brokers, c.topicFlags}, natsFlags{c.NATS}, postgresFlags{c.Database, c.passwordFlags}}
	var mu sync.Mutex
	var closes []func() error
	stop = func() (err error) {
		for _, c := range closes {
			err = errors.Join(err, c())
		}
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for name, url := range map[string]*string{"kafka": &s.Brokers, "nats": &s.NATS, "postgres": &s.Database} {
		if *url != "" {
			continue
		}
		g.Go(func() error {
			started, err := c.start(ctx, name, log)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			*url = started.url
			closes = append(closes, started.close)
			if started.done != nil {
				died = started.done
			}
			return nil
		})
	}
	err = g.Wait()
	return s, died, stop, err
}

// welcome says where everything is and what to try.
func (c *upCmd) welcome(s servers, http string) {
	dir, err := filepath.Abs(c.DataDir)
	if err != nil {
		dir = c.DataDir
	}
	fmt.Fprintf(os.Stdout, `
StreamFlow is ready.

  page        http://%[1]s
  API         http://%[1]s/api/stocks    docs: http://%[1]s/docs    health: http://%[1]s/ready
  websocket   ws://%[1]s/ws              send {"subscribe":["ticks.*"]}
  Kafka       %[2]s    topic %[3]s: {"symbol":"AAPL","price":187.23,"volume":100,"timestamp":"..."}
  NATS        %[4]s    try: nats sub 'ticks.>' -s %[4]s
  PostgreSQL  try: psql '%[5]s' -c 'SELECT * FROM stock_ticks ORDER BY time DESC LIMIT 5'
  data        %[6]s

Look at it:  streamflow tail     Prove it:  streamflow verify     Stop it:  Ctrl-C

`, http, s.Brokers, s.Topic, s.NATS, s.Database, dir)
}
