package main

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"streamflow/api"
)

// storeMetrics tell how the servers stand, as the API sees them: the lag of a
// function is known here also when none of its workers is there to tell it.
type storeMetrics struct {
	sight api.Sight
	log   *slog.Logger
	desc  map[string]*prometheus.Desc

	mu   sync.Mutex
	at   time.Time
	told []prometheus.Metric
}

const (
	// storesFor is how long a measurement is good for, so that two Prometheus
	// do not ask the servers twice as much.
	storesFor = 4 * time.Second
	// storesTimeout is below Prometheus' own of 10 s: what does answer is told.
	storesTimeout = 5 * time.Second
	// maxGroups bounds a label that anybody with a console consumer can add to.
	maxGroups = 20
)

func newStoreMetrics(sight api.Sight, log *slog.Logger) *storeMetrics {
	m := &storeMetrics{sight: sight, log: log, desc: make(map[string]*prometheus.Desc)}
	describe := func(name, help string, labels ...string) {
		m.desc[name] = prometheus.NewDesc("streamflow_"+name, help, labels, nil)
	}
	describe("server_up", "Whether a server told its figures: 1 or 0.", "server")
	describe("topic_end_offset", "Offset of the next record, by topic and partition.", "topic", "partition")
	describe("topic_lag_messages", "Records behind what a group has committed.", "topic", "group")
	describe("stream_messages", "Messages in a stream.", "stream")
	describe("stream_bytes", "Bytes of a stream on disk.", "stream")
	describe("stream_last_sequence", "Sequence of a stream's newest message.", "stream")
	describe("durable_pending_messages", "Messages that a durable has not delivered, or of which it has no acknowledgement.", "stream", "durable")
	describe("durable_unacknowledged_messages", "Those of them that were delivered.", "stream", "durable")
	describe("database_bytes", "Size of the database on disk.")
	describe("database_rows_total", "Rows inserted or updated.")
	describe("database_commits_total", "Transactions.")
	describe("database_connections", "Connections to the database, from everywhere.")
	describe("database_archived_total", "Ticks that the archive has stored, by their offsets.")
	return m
}

// Describe implements [prometheus.Collector].
func (m *storeMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range m.desc {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (m *storeMetrics) Collect(ch chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.at) > storesFor {
		m.told, m.at = m.measure(), time.Now()
	}
	for _, metric := range m.told {
		ch <- metric
	}
}

// measure asks all servers at the same time. One that does not answer has no
// figures, and says so.
func (m *storeMetrics) measure() (told []prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), storesTimeout)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for server, ask := range map[string]func(context.Context, tell) error{
		"kafka": m.kafka, "nats": m.nats, "postgres": m.postgres,
	} {
		wg.Go(func() {
			var own []prometheus.Metric
			err := ask(ctx, func(name string, kind prometheus.ValueType, v float64, labels ...string) {
				own = append(own, prometheus.MustNewConstMetric(m.desc[name], kind, v, labels...))
			})
			up := 1.0
			if err != nil {
				up, own = 0, nil
				m.log.Debug("a server does not tell its figures", "server", server, "error", err)
			}
			mu.Lock()
			defer mu.Unlock()
			told = append(append(told, own...), prometheus.MustNewConstMetric(m.desc["server_up"], prometheus.GaugeValue, up, server))
		})
	}
	wg.Wait()
	return told
}

// tell takes a figure.
type tell func(name string, kind prometheus.ValueType, v float64, labels ...string)

func (m *storeMetrics) kafka(ctx context.Context, tell tell) error {
	topics, err := m.sight.Kafka(ctx)
	if err != nil {
		return err
	}
	for _, t := range topics {
		for _, p := range t.Partitions {
			tell("topic_end_offset", prometheus.GaugeValue, float64(p.End), t.Name, strconv.Itoa(int(p.Partition)))
		}
		for _, g := range t.Groups[:min(len(t.Groups), maxGroups)] {
			if g.Lag != nil && *g.Lag >= 0 {
				tell("topic_lag_messages", prometheus.GaugeValue, float64(*g.Lag), t.Name, g.Name)
			}
		}
	}
	return nil
}

func (m *storeMetrics) nats(ctx context.Context, tell tell) error {
	streams, err := m.sight.Streams(ctx)
	if err != nil {
		return err
	}
	for _, s := range streams {
		tell("stream_messages", prometheus.GaugeValue, float64(s.Messages), s.Name)
		tell("stream_bytes", prometheus.GaugeValue, float64(s.Bytes), s.Name)
		tell("stream_last_sequence", prometheus.GaugeValue, float64(s.LastSeq), s.Name)
		for _, c := range s.Consumers {
			tell("durable_pending_messages", prometheus.GaugeValue, float64(c.Pending)+float64(c.AckPending), s.Name, c.Name)
			tell("durable_unacknowledged_messages", prometheus.GaugeValue, float64(c.AckPending), s.Name, c.Name)
		}
	}
	return nil
}

func (m *storeMetrics) postgres(ctx context.Context, tell tell) error {
	c, err := m.sight.Database(ctx)
	if err != nil {
		return err
	}
	tell("database_bytes", prometheus.GaugeValue, float64(c.Bytes))
	tell("database_rows_total", prometheus.CounterValue, float64(c.Rows))
	tell("database_commits_total", prometheus.CounterValue, float64(c.Commits))
	tell("database_connections", prometheus.GaugeValue, float64(c.Connections))
	tell("database_archived_total", prometheus.CounterValue, float64(c.Archived))
	return nil
}
