package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"streamflow"
	"streamflow/bridge"
	"streamflow/functions"
	"streamflow/functions/archive"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/postgres"
)

// servers says where everything is: what all the parts are joined to.
type servers struct {
	kafkaFlags
	natsFlags
	postgresFlags
}

// newRegistry returns a registry with the figures of the process itself.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// part is a piece of the system that runs until its context ends.
type part struct {
	name  string
	run   func(ctx context.Context) error
	close func()
}

// newBridge joins the bridge to Kafka and JetStream.
func newBridge(s servers, group string, batch int, log *slog.Logger, r *prometheus.Registry, m *bridge.Metrics) (part, error) {
	js, err := s.natsFlags.connect("bridge", log)
	if err != nil {
		return part{}, err
	}
	b := bridge.New(bridge.Config{
		Topic: s.Topic, Group: group, Batch: batch, Ticks: js.Ticks(), Letters: js.DeadLetters(),
		Connect: s.connector("bridge", log, r), Logger: log, Metrics: m,
	})
	return part{"bridge", b.Run, js.Close}, nil
}

// newArchive joins the archive to JetStream and the database.
func newArchive(ctx context.Context, s servers, log *slog.Logger, m *functions.Metrics) (part, error) {
	js, err := s.natsFlags.connect(streamflow.FunctionArchive, log)
	if err != nil {
		return part{}, err
	}
	db, err := s.postgresFlags.connect(ctx, streamflow.FunctionArchive, s.Topic)
	if err != nil {
		js.Close()
		return part{}, err
	}
	runner := functions.New(functions.Config{
		Function: streamflow.FunctionArchive, Sink: archive.New(db, log), Logger: log, Metrics: m,
		Source: js.Durable(streamflow.StreamTicks, streamflow.SubjectAllTicks, streamflow.FunctionArchive, 0),
	})
	return part{streamflow.FunctionArchive, runner.Run, func() { db.Close(); js.Close() }}, nil
}

// newDeadLetters joins the dead letters' way back to JetStream and Kafka.
func newDeadLetters(s servers, log *slog.Logger, m *functions.Metrics, bm *bridge.Metrics) (part, error) {
	js, err := s.natsFlags.connect(streamflow.FunctionDeadLetter, log)
	if err != nil {
		return part{}, err
	}
	sink := bridge.NewDeadLetters(s.deadLetters(), s.connector(streamflow.FunctionDeadLetter, log, nil), bm)
	runner := functions.New(functions.Config{
		Function: streamflow.FunctionDeadLetter, Sink: sink, Logger: log, Metrics: m, Limit: 1000,
		Source: js.Durable(streamflow.StreamDeadLetters, streamflow.SubjectAllDeadLetters, streamflow.FunctionDeadLetter, 0),
	})
	return part{streamflow.FunctionDeadLetter, runner.Run, func() { sink.Close(); js.Close() }}, nil
}

// streamLayout is what topics and streams should be like.
type streamLayout struct {
	Replication int           `help:"Replicas of topics and streams: 1, or 3 on clusters." default:"1" env:"REPLICATION"`
	Keep        time.Duration `help:"How long Kafka and JetStream keep ticks." default:"24h" env:"KEEP_TICKS"`
	KeepBytes   int64         `help:"How many bytes of ticks Kafka and JetStream keep at most, each; 0 is no limit." default:"3221225472" env:"KEEP_BYTES"`
}

func (l streamLayout) limits() jetstream.Limits {
	return jetstream.Limits{Age: l.Keep, Bytes: l.KeepBytes, Replicas: l.Replication}
}

// rowFlags say how long rows live.
type rowFlags struct {
	KeepRows time.Duration `help:"How long the database keeps ticks, by event time; 0 is for ever." default:"0" env:"KEEP_ROWS"`
}

// layout is what topics, streams and tables should be like.
type layout struct {
	streamLayout
	rowFlags
	Compress time.Duration `help:"Age at which TimescaleDB compresses ticks; 0 is never." default:"168h" env:"COMPRESS_AFTER"`
}

// ensure makes topics, streams, buckets and tables what they should be and
// returns what it changed.
func (l layout) ensure(ctx context.Context, s servers, log *slog.Logger) (changes []string, err error) {
	client, err := kafka.Connect(ctx, s.config("topics", log))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	changes, err = kafka.EnsureTopics(ctx, client, s.topics(l))
	if err != nil {
		return changes, err
	}
	js, err := s.natsFlags.connect("topics", log)
	if err != nil {
		return changes, err
	}
	defer js.Close()
	more, err := js.Ensure(ctx, l.limits())
	if changes = append(changes, more...); err != nil {
		return changes, err
	}
	db, err := s.postgresFlags.connect(ctx, "topics", s.Topic)
	if err != nil {
		return changes, err
	}
	defer db.Close()
	more, err = db.Migrate(ctx, postgres.Retention{Keep: l.KeepRows, CompressAfter: l.Compress})
	return append(changes, more...), err
}
