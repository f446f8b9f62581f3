package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"streamflow/api"
	"streamflow/api/guard"
	"streamflow/bridge"
	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
)

type upCmd struct {
	Brokers  string `name:"kafka" help:"Kafka brokers, host:port with commas between; if empty, one is started in process." placeholder:"HOST:PORT" env:"KAFKA_BOOTSTRAP_SERVERS,KAFKA_BROKERS"`
	NATS     string `name:"nats" help:"NATS server; if empty, one is started in process." placeholder:"URL" env:"NATS_URL"`
	Database string `name:"database" help:"PostgreSQL database; if empty, a server is started." placeholder:"URL" env:"DATABASE_URL"`
	passwordFlags
	topicFlags
	kafkaSecurity `group:"Kafka security"`
	natsSecurity  `group:"NATS security"`
	dataFlags
	httpFlags
	bridgeFlags
	schemaFlags `group:"Schema registry"`
	traceFlags  `group:"Traces"`
	workerFlags
	layout
	symbolFlags
	Simulate bool   `help:"Send simulated ticks." default:"true" negatable:"" env:"SIMULATE"`
	Secure   bool   `help:"Close everything: TLS, and a user with few rights for each part, kept in DATA_DIR/secure." env:"SECURE"`
	Backfill string `help:"History that the first start sends before it goes live." default:"30d" env:"BACKFILL"`
}

// Help is shown by --help.
func (upCmd) Help() string {
	return `Starts the servers that are not named, creates topics, streams and tables, and runs the bridge, the functions, the API and the simulator. Ctrl-C stops it, the second one at once. Data stay in --data-dir; delete it to begin anew.`
}

// Validate refuses what a part would take for something else.
func (c *upCmd) Validate() error {
	return cmp.Or(c.symbolFlags.Validate(), c.bridgeFlags.Validate(), c.layout.Validate(), validAge("--backfill", c.Backfill))
}

// AfterApply opens writing to loopback: it is one person's own machine.
func (c *upCmd) AfterApply() error {
	c.openWrites = !c.Secure
	if c.Brokers == "" || c.NATS == "" || c.Database == "" {
		c.more = []api.Check{{Name: "disk", Fn: func(context.Context) (string, error) { return embedded.CheckSpace(c.DataDir, c.DiskReserve) }}}
	}
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
	v, err := c.vault() // nil without --secure
	if err != nil {
		return err
	}
	ln, err := c.listen() // first: a page that is taken should not cost a start of three servers
	if err != nil {
		return err
	}
	defer ln.Close()
	s, died, stop, err := c.servers(ctx, v, log)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return err
	}
	changes, err := c.ensure(ctx, v.as(s, partAdmin), log)
	for _, change := range changes {
		log.Info("prepared", "what", change)
	}
	if err == nil {
		err = errors.Join(v.grant(ctx, s, log), v.write(s))
	}
	if err != nil {
		return err
	}
	registry := newRegistry()
	var traces []part
	if s.tracer, traces, err = c.tracer("streamflow", log, registry); err != nil {
		return err
	}
	parts, err := c.parts(ctx, s, v, backfill, log, registry)
	if err != nil {
		return err
	}
	p, err := newAPI(ctx, v.as(s, "api"), c.httpFlags, ln, registry, log)
	if err != nil {
		return err
	}
	parts = append(parts, p)
	c.welcome(s, v, ln)
	parts = append(parts, part{"servers", func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return nil
		case <-died:
			return errors.New("PostgreSQL has ended by itself; see its last words above")
		}
	}, nil})
	return runParts(ctx, log, append(parts, traces...)...)
}

// vault opens what closes the system, if it is to be closed.
func (c *upCmd) vault() (*vault, error) {
	if !c.Secure {
		return nil, nil
	}
	if c.Brokers != "" || c.NATS != "" || c.Database != "" {
		return nil, errors.New("--secure closes servers of its own: leave KAFKA_BOOTSTRAP_SERVERS, NATS_URL and DATABASE_URL empty; for servers of yours, set how they are closed (docs/security.md)")
	}
	dir, err := filepath.Abs(filepath.Join(c.DataDir, "secure"))
	if err != nil {
		return nil, err
	}
	v, err := openVault(dir, guardedStages(c.topicFlags, c.Group), hostsOf(c.KafkaAddr, c.NATSAddr, c.PostgresAddr, c.HTTPAddr))
	if err != nil {
		return nil, fmt.Errorf("--secure: %w", err)
	}
	c.Trim = false // the bridge may not
	if c.HTTPCert == "" {
		c.HTTPCert, c.HTTPKey = v.files.Cert, v.files.Key
	}
	if guard.Open(c.OpenTo) == guard.OpenLoopback {
		c.OpenTo = string(guard.OpenNobody)
	}
	return v, nil
}

// parts are what moves the data, in their order.
func (c *upCmd) parts(ctx context.Context, s servers, v *vault, backfill time.Duration, log *slog.Logger, r *prometheus.Registry) (parts []part, err error) {
	bm := bridge.NewMetrics(r)
	add := func(p part, err error) error {
		if err == nil {
			parts = append(parts, p)
		}
		return err
	}
	if c.Simulate {
		first, err := empty(ctx, v.as(s, "simulate"), log)
		if err != nil {
			return nil, err
		}
		if !first {
			backfill = 0
		}
		if err := add(newSimulator(ctx, v.as(s, "simulate"), formatJSON, c.options(backfill, progress("history"), log))); err != nil {
			return nil, err
		}
	}
	if err := c.keepKey(c.DataDir); err != nil {
		return nil, err
	}
	jm := newJointMetrics(r, bm)
	if err := add(newBridge(v.as(s, "bridge"), c.bridgeFlags, log, r, bm)); err != nil {
		return nil, err
	}
	for _, w := range v.workers(s) {
		if err := add(newFleet(w.servers, w.entries, c.idle(), jm, log)); err != nil {
			return nil, err
		}
	}
	if v != nil {
		if err := add(newTrim(v.as(s, partTrim), log)); err != nil {
			return nil, err
		}
	}
	if c.rowFlags.any() {
		parts = append(parts, newPrune(v.as(s, partAdmin), c.rowFlags, log)) // whose the tables are
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
func (c *upCmd) servers(ctx context.Context, v *vault, log *slog.Logger) (s servers, died <-chan struct{}, stop func() error, err error) {
	s = servers{
		kafkaFlags: kafkaFlags{c.Brokers, c.topicFlags, c.kafkaSecurity}, natsFlags: natsFlags{c.NATS, c.natsSecurity, &jetstream.Taps{}},
		postgresFlags: postgresFlags{c.Database, c.passwordFlags}, schemaFlags: c.schemaFlags,
	}
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
			started, err := c.start(ctx, name, v, log)
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
