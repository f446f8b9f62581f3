package bridge

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"streamflow"
)

// Metrics of the bridges of a process.
type Metrics struct {
	messages, bytes, rejected          *prometheus.CounterVec
	fences, failures, missed, returned *prometheus.CounterVec
	restarts                           prometheus.Counter
	batch, latency                     *prometheus.HistogramVec
	lag, held                          *prometheus.GaugeVec
	mu                                 sync.Mutex
	ends, nexts                        map[streamflow.Partition]int64
}

// NewMetrics registers the metrics with r; a nil r keeps them to itself.
func NewMetrics(r prometheus.Registerer) *Metrics {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "streamflow", Subsystem: "bridge", Name: name, Help: help}
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts(opts(name, help)))
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts(opts(name, help)), labels)
	}
	histogram := func(name, help string, buckets []float64) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "streamflow", Subsystem: "bridge", Name: name, Help: help, Buckets: buckets}, []string{"topic"})
	}
	m := &Metrics{
		messages: counters("messages_total", "Records mirrored into JetStream.", "topic", "partition"),
		bytes:    counters("bytes_total", "Bytes of the mirrored records' values.", "topic", "partition"),
		rejected: counters("rejected_total", "Records refused and dead-lettered, by reason.", "topic", "reason"),
		fences:   counters("fenced_total", "Commits refused because another bridge had moved the cursor.", "topic"),
		failures: counters("failures_total", "Commits that failed for another reason and were tried again.", "topic"),
		restarts: counter("restarts_total", "Times that the bridge began anew from its cursors."),
		missed:   counters("missed_total", "Records that Kafka's retention took before they were mirrored.", "topic"),
		batch:    histogram("batch_messages", "Messages in a batch.", []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 999}),
		latency:  histogram("commit_seconds", "Time from a batch's first byte to its commit.", prometheus.ExponentialBuckets(0.0005, 2, 14)),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts(opts("lag_messages", "Records between the cursor and the end of the partition.")),
			[]string{"topic", "partition"}),
		held: prometheus.NewGaugeVec(prometheus.GaugeOpts(opts("held", "1 while a partition is held because a schema registry cannot be asked, else 0.")),
			[]string{"topic", "partition"}),
		returned: counters("returned_total", "Dead letters and results published to Kafka, by the topic that they went to.", "topic"),
		ends:     make(map[streamflow.Partition]int64), nexts: make(map[streamflow.Partition]int64),
	}
	if r != nil {
		r.MustRegister(m.messages, m.bytes, m.rejected, m.fences, m.failures, m.restarts, m.missed, m.batch, m.latency, m.lag, m.held, m.returned)
	}
	return m
}

// known shows what may never happen as 0: a rate of what is not there is
// nothing, and no alert would ever look at it.
func (m *Metrics) known(topic string) {
	for _, c := range []*prometheus.CounterVec{m.fences, m.failures, m.missed} {
		c.WithLabelValues(topic)
	}
	for _, reason := range streamflow.Reasons {
		m.rejected.WithLabelValues(topic, string(reason))
	}
}

func (m *Metrics) committed(p streamflow.Partition, good []streamflow.Message, took time.Duration, next int64) {
	bytes := 0
	for i := range good {
		bytes += len(good[i].Data)
	}
	partition := strconv.Itoa(int(p.Number))
	m.messages.WithLabelValues(p.Topic, partition).Add(float64(len(good)))
	m.bytes.WithLabelValues(p.Topic, partition).Add(float64(bytes))
	m.batch.WithLabelValues(p.Topic).Observe(float64(len(good)))
	m.latency.WithLabelValues(p.Topic).Observe(took.Seconds())
	m.mu.Lock()
	m.nexts[p] = next
	m.setLag(p)
	m.mu.Unlock()
}

// assigned counts the lag of a partition from its cursor on.
func (m *Metrics) assigned(p streamflow.Partition, next int64) {
	m.mu.Lock()
	m.nexts[p] = next
	m.mu.Unlock()
	m.hold(p, false)
}

// hold says whether a partition is held.
func (m *Metrics) hold(p streamflow.Partition, held bool) {
	value := 0.0
	if held {
		value = 1
	}
	m.held.WithLabelValues(p.Topic, strconv.Itoa(int(p.Number))).Set(value)
}

// highWater takes the end of a partition as a fetch told it.
func (m *Metrics) highWater(p streamflow.Partition, end int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ends[p] = end
	m.setLag(p)
}

// setLag is called with mu held.
func (m *Metrics) setLag(p streamflow.Partition) {
	m.lag.WithLabelValues(p.Topic, strconv.Itoa(int(p.Number))).Set(float64(max(m.ends[p]-m.nexts[p], 0)))
}

// revoked forgets the lag of a partition that is now somebody else's.
func (m *Metrics) revoked(p streamflow.Partition) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.ends, p)
	delete(m.nexts, p)
	m.held.DeleteLabelValues(p.Topic, strconv.Itoa(int(p.Number)))
	m.lag.DeleteLabelValues(p.Topic, strconv.Itoa(int(p.Number)))
}

func (m *Metrics) reject(topic string, bad []streamflow.Message) {
	for i := range bad {
		m.rejected.WithLabelValues(topic, string(bad[i].Headers[0].Value)).Inc()
	}
}
