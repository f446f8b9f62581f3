package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"streamflow"
	"streamflow/api"
	"streamflow/api/guard"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/postgres"
	"streamflow/infra/secure"
	"streamflow/ui"
)

// httpFlags say where the API listens.
type httpFlags struct {
	HTTPAddr       string      `name:"http-addr" help:"Address of the API, the websocket and the page." default:"127.0.0.1:8080" env:"HTTP_ADDR"`
	AllowedOrigins []string    `help:"Other origins whose pages may use the API and the websocket, as scheme://host[:port]." env:"ALLOWED_ORIGINS"`
	HTTPCert       string      `name:"http-tls-cert" help:"File of a certificate: HTTPS is served instead of HTTP. It is read again when it is replaced." placeholder:"FILE" env:"HTTP_TLS_CERT"`
	HTTPKey        string      `name:"http-tls-key" help:"File of its private key." placeholder:"FILE" env:"HTTP_TLS_KEY"`
	OpenTo         string      `help:"Who may read without an API key: nobody, loopback (programs and pages of this machine, if --http-addr is a loopback address) or everybody." enum:"nobody,loopback,everybody" default:"loopback" env:"OPEN_TO"`
	RateLimit      float64     `help:"Requests a second of one API key, or of one address that has none; ten times as many at once. 0 is no limit." default:"200" env:"RATE_LIMIT"`
	openWrites     bool        // whoever may read without a key may write too, on loopback
	more           []api.Check // what GET /ready tries beside the servers
}

type apiCmd struct {
	kafkaFlags
	natsFlags
	postgresFlags
	httpFlags
	schemaFlags `group:"Schema registry"`
	metricsFlags
	traceFlags `group:"Traces"`
}

// Run serves until ctx ends.
func (c *apiCmd) Run(ctx context.Context, log *slog.Logger) error {
	ln, err := c.listen()
	if err != nil {
		return err
	}
	registry, s := newRegistry(), servers{kafkaFlags: c.kafkaFlags, natsFlags: c.natsFlags, postgresFlags: c.postgresFlags, schemaFlags: c.schemaFlags}
	serve, err := c.part(registry, httpProbe(ln.Addr().String(), c.HTTPCert), s.kafkaProbe(log), s.natsProbe(log), s.postgresProbe())
	if err != nil {
		return err
	}
	var traces []part
	if s.tracer, traces, err = c.tracer("streamflow-api", log, registry); err != nil {
		return err
	}
	p, err := newAPI(ctx, s, c.httpFlags, ln, registry, log)
	if err != nil {
		return err
	}
	log.Info("API is ready", "url", c.url(ln))
	return runParts(ctx, log, slices.Concat([]part{p}, serve, traces)...)
}

func (f httpFlags) listen() (net.Listener, error) {
	c, err := secure.TLS{Cert: f.HTTPCert, Key: f.HTTPKey, Setting: "HTTP_TLS"}.Server()
	if err != nil {
		return nil, fmt.Errorf("API: %w", err)
	}
	ln, err := net.Listen("tcp", f.HTTPAddr)
	if err != nil {
		return nil, fmt.Errorf("API on %s: %w: choose another address with --http-addr", f.HTTPAddr, err)
	}
	if c != nil {
		ln = tls.NewListener(ln, c)
	}
	return ln, nil
}

// url is where the API is reached.
func (f httpFlags) url(ln net.Listener) string {
	return scheme("http", f.HTTPCert) + ln.Addr().String()
}

// scheme is that of an URL, with an s if there is a certificate.
func scheme(name, cert string) string {
	if cert != "" {
		name += "s"
	}
	return name + "://"
}

// newAPI joins the API to the stream of ticks, the database and the page.
func newAPI(ctx context.Context, s servers, f httpFlags, ln net.Listener, r *prometheus.Registry, log *slog.Logger) (part, error) {
	js, err := s.natsFlags.connect("api", log)
	if err != nil {
		return part{}, err
	}
	db, err := s.postgresFlags.connect(ctx, "api", s.Topic)
	if err != nil {
		js.Close()
		return part{}, err
	}
	keys, err := keyBucket(ctx, js)
	if err != nil {
		js.Close()
		db.Close()
		return part{}, err
	}
	ops, closeOps, err := operations(s, js, db, log)
	if err != nil {
		js.Close()
		db.Close()
		return part{}, err
	}
	r.MustRegister(newStoreMetrics(ops.Sight, log))
	server, err := api.New(api.Config{
		Operations: ops,
		Feed:       feed{js}, Store: store{db}, Market: market(db, js.Bucket(streamflow.BucketRules)), Page: ui.Handler(), Logger: log, Registry: r,
		AllowedOrigins: f.AllowedOrigins, Checks: append(checks(s, js, db, log), f.more...), Version: version(), Docs: ui.Docs(), Tracer: s.tracer,
		Guard: guard.Config{
			Open: guard.Open(f.OpenTo), OpenWrites: f.openWrites, Listener: ln.Addr(), Keys: guard.NewRing(keys, log), Rate: guard.Rate{PerSecond: f.RateLimit},
		},
	})
	if err != nil {
		closeOps()
		js.Close()
		db.Close()
		return part{}, err
	}
	run := func(ctx context.Context) error {
		g, ctx := errgroup.WithContext(ctx)
		g.Go(func() error { return server.Run(ctx) })
		g.Go(func() error { return api.Serve(ctx, ln, server.Handler(), log) })
		g.Go(func() error { return js.Serve(ctx, version(), &stocks{js: js, db: db}) })
		return g.Wait()
	}
	return part{"api", run, func() { closeOps(); db.Close(); js.Close() }}, nil
}

// checks are what GET /ready tries.
func checks(s servers, js *jetstream.Client, db *postgres.DB, log *slog.Logger) []api.Check {
	return []api.Check{
		{Name: "kafka", Fn: func(ctx context.Context) (string, error) {
			client, err := kafka.Connect(ctx, s.config("ready", log))
			if err != nil {
				return "", err
			}
			defer client.Close()
			_, end, err := kafka.Marks(ctx, client, s.Topic)
			return fmt.Sprintf("topic %s, %d partitions", s.Topic, len(end)), err
		}},
		{Name: "nats", Fn: func(ctx context.Context) (string, error) {
			detail, err := js.Ping(2 * time.Second)
			if err != nil {
				return "", err
			}
			last, err := js.Ticks().Head(ctx)
			return fmt.Sprintf("%s, stream %s at %d", detail, streamflow.StreamTicks, last), err
		}},
		{Name: "postgres", Fn: db.Ping},
	}
}

// store gives the database's queries the form that the API asks for.
type store struct{ *postgres.DB }

func (s store) Ticks(ctx context.Context, q api.TicksQuery) ([]streamflow.Mirrored, error) {
	query := postgres.TicksQuery{Symbol: q.Symbol, From: q.From, To: q.To, Limit: q.Limit, OldestFirst: !q.Descending}
	if q.After != nil {
		query.After = &postgres.TickCursor{Time: q.After.Time, Partition: q.After.Partition, Offset: q.After.Offset}
	}
	return s.DB.Ticks(ctx, query)
}
