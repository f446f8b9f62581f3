package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"streamflow"
	"streamflow/bridge"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/postgres"
)

// servers says where everything is: what all the parts are joined to.
type servers struct {
	kafkaFlags
	natsFlags
	postgresFlags
	schemaFlags
	tracer tracer // nil traces nothing
}

// newRegistry returns a registry with the figures of the process itself.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newHostMetrics(hostDisk()),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "streamflow_build_info", Help: "1; the label says what was built.", ConstLabels: prometheus.Labels{"version": version()},
		}, func() float64 { return 1 }))
	return r
}

// part is a piece of the system that runs until its context ends.
type part struct {
	name  string
	run   func(ctx context.Context) error
	close func()
}

// newBridge joins the bridge to Kafka and JetStream.
func newBridge(s servers, f bridgeFlags, log *slog.Logger, r *prometheus.Registry, m *bridge.Metrics) (part, error) {
	routes, err := f.routes(s.Topic)
	if err != nil {
		return part{}, err
	}
	c := bridge.Config{Group: f.Group, Batch: f.Batch, Connect: s.connector("bridge", log, r), Logger: log, Metrics: m, Tracer: s.tracer}
	if slices.ContainsFunc(routes, func(r streamflow.Route) bool { return len(r.Mask) > 0 }) {
		if c.Mask, err = f.mask(); err != nil {
			return part{}, err
		}
	}
	if c.Values, err = s.registryOfSchemas(); err != nil {
		return part{}, err
	}
	js, err := s.natsFlags.connect("bridge", log)
	if err != nil {
		return part{}, err
	}
	targets := map[string]bridge.Target{streamflow.StreamTicks: js.Ticks(), streamflow.StreamEvents: js.Events()}
	for _, route := range routes {
		c.Routes = append(c.Routes, bridge.Route{Route: route, Target: targets[route.Stream]})
	}
	c.Letters = js.DeadLetters()
	mirror := bridge.New(c)
	return part{"bridge", func(ctx context.Context) error {
		ctx, stop := context.WithCancel(ctx)
		var trimming sync.WaitGroup
		if f.Trim { // what fills the streams sees to it that they end somewhere
			trimming.Go(func() { js.KeepTrimmed(ctx) })
		}
		defer trimming.Wait()
		defer stop()
		return mirror.Run(ctx)
	}, js.Close}, nil
}

// streamLayout is what topics and streams should be like.
type streamLayout struct {
	Replication int           `help:"Replicas of topics and streams: 1, or 3 on clusters." default:"1" env:"REPLICATION"`
	Keep        time.Duration `help:"How long Kafka and JetStream keep ticks." default:"24h" env:"KEEP_TICKS"`
	KeepBytes   int64         `help:"How many bytes of ticks Kafka and JetStream keep at most, each; 0 is no limit." default:"3221225472" env:"KEEP_BYTES"`
}

// Validate refuses what would be taken for another limit than it says.
func (l *streamLayout) Validate() error {
	switch {
	case l.Replication < 1 || l.Replication > 5:
		return fmt.Errorf("--replication is %d, want 1, 3 or 5", l.Replication)
	case l.Keep < time.Second:
		return fmt.Errorf("--keep is %s, want 1s or more, such as 24h: what is kept for less is gone before anything has read it", l.Keep)
	case l.KeepBytes < 0:
		return fmt.Errorf("--keep-bytes is %d, want 0, for no limit, or more", l.KeepBytes)
	}
	return nil
}

func (l streamLayout) limits() jetstream.Limits {
	return jetstream.Limits{Age: l.Keep, Bytes: l.KeepBytes, Replicas: l.Replication, Functions: writers()}
}

// rowFlags say how long rows live.
type rowFlags struct {
	KeepRows    time.Duration `help:"How long the database keeps ticks, by event time; 0 is for ever." default:"0" env:"KEEP_ROWS"`
	KeepCandles time.Duration `help:"How long the database keeps candles, by their start; 0 is for ever." default:"0" env:"KEEP_CANDLES"`
	KeepAlerts  time.Duration `help:"How long the database keeps alerts, and what became of their deliveries; 0 is for ever." default:"0" env:"KEEP_ALERTS"`
}

// Validate refuses ages that lie ahead.
func (f *rowFlags) Validate() error {
	for name, age := range map[string]time.Duration{"--keep-rows": f.KeepRows, "--keep-candles": f.KeepCandles, "--keep-alerts": f.KeepAlerts} {
		if age < 0 {
			return fmt.Errorf("%s is %s, want 0, for ever, or more", name, age)
		}
	}
	return nil
}

// any reports whether some rows are to go at all.
func (f rowFlags) any() bool { return f.KeepRows > 0 || f.KeepCandles > 0 || f.KeepAlerts > 0 }

// layout is what topics, streams and tables should be like.
type layout struct {
	streamLayout
	rowFlags
	Compress time.Duration `help:"Age at which TimescaleDB compresses ticks; 0 is never." default:"168h" env:"COMPRESS_AFTER"`
}

// Validate refuses limits that cannot be meant.
func (l *layout) Validate() error { return cmp.Or(l.streamLayout.Validate(), l.rowFlags.Validate()) }

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
	more, err = db.Migrate(ctx, postgres.Retention{Keep: l.KeepRows, KeepCandles: l.KeepCandles, CompressAfter: l.Compress})
	return append(changes, more...), err
}
