package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"streamflow"
	"streamflow/api"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/postgres"
	"streamflow/ui"
)

// httpFlags say where the API listens.
type httpFlags struct {
	HTTPAddr       string   `name:"http-addr" help:"Address of the API, the websocket and the page." default:"127.0.0.1:8080" env:"HTTP_ADDR"`
	AllowedOrigins []string `help:"Other origins whose pages may open the websocket, as scheme://host[:port]." env:"ALLOWED_ORIGINS"`
}

type apiCmd struct {
	kafkaFlags
	natsFlags
	postgresFlags
	httpFlags
}

// Run serves until ctx ends.
func (c *apiCmd) Run(ctx context.Context, log *slog.Logger) error {
	ln, err := c.listen()
	if err != nil {
		return err
	}
	p, err := newAPI(ctx, servers{c.kafkaFlags, c.natsFlags, c.postgresFlags}, c.httpFlags, ln, newRegistry(), log)
	if err != nil {
		return err
	}
	log.Info("API is ready", "url", "http://"+ln.Addr().String())
	return runParts(ctx, log, p)
}

func (f httpFlags) listen() (net.Listener, error) {
	ln, err := net.Listen("tcp", f.HTTPAddr)
	if err != nil {
		return nil, fmt.Errorf("API on %s: %w: choose another address with --http-addr", f.HTTPAddr, err)
	}
	return ln, nil
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
	ops, closeOps := operations(s, js, db, log)
	server, err := api.New(api.Config{
		Operations: ops,
		Feed:       feed{js}, Store: store{db}, Market: market(db, js.Bucket(streamflow.BucketRules)), Page: ui.Handler(), Logger: log, Registry: r,
		AllowedOrigins: f.AllowedOrigins, Checks: checks(s, js, db, log), Version: version(),
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
