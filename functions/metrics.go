package functions

import (
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"streamflow"
)

// Metrics of all runners of a process, labelled with the function's name.
type Metrics struct {
	messages, commits, skips, foreigns, fences, rewinds, losses, failures *prometheus.CounterVec
	batch, latency                                                        *prometheus.HistogramVec

	// of step functions
	facts, views, letters, snapshotBytes, repeated, events *prometheus.CounterVec
	steps, snapshots                                       *prometheus.HistogramVec
	lag, age                                               *prometheus.GaugeVec
}

// NewMetrics registers the metrics with r; a nil r keeps them to itself.
func NewMetrics(r prometheus.Registerer) *Metrics {
	f := factory{r}
	return &Metrics{
		messages: f.counter("messages_total", "Messages whose results were committed."),
		commits:  f.counter("commits_total", "Commits of results and checkpoint."),
		skips:    f.counter("skipped_total", "Messages delivered again that lay at or below the checkpoint."),
		foreigns: f.counter("foreign_total", "Messages in the stream that did not come through the bridge."),
		fences:   f.counter("fenced_total", "Commits refused because another worker had moved the checkpoint."),
		rewinds:  f.counter("rewinds_total", "Times that the stream was read again because of a gap."),
		losses:   f.counter("gaps_total", "Gaps that reading the stream again did not close."),
		failures: f.counter("failures_total", "Steps that failed and were tried again."),
		batch:    f.histogram("batch_messages", "Messages in a commit.", prometheus.ExponentialBuckets(1, 4, 8)),
		latency:  f.histogram("commit_seconds", "Time that a commit took.", prometheus.ExponentialBuckets(0.0005, 2, 14)),

		facts:         f.counter("facts_total", "Results published, each once."),
		views:         f.counter("views_total", "Views published."),
		letters:       f.counter("dead_letters_total", "Messages set aside because their step fails."),
		repeated:      f.counter("replayed_total", "Messages stepped in silence to make states that were not in a snapshot."),
		events:        f.counter("events_total", "What the functions count themselves.", "event"),
		snapshotBytes: f.counter("snapshot_bytes_total", "Bytes of states written."),
		steps:         f.histogram("step_seconds", "Time that a step took; one of 16 is measured.", prometheus.ExponentialBuckets(0.0000005, 2, 20)),
		snapshots:     f.histogram("snapshot_seconds", "Time that a snapshot of all states took.", prometheus.ExponentialBuckets(0.001, 2, 14)),
		lag:           f.gauge("lag_messages", "Messages that were not delivered yet, or not acknowledged.", "shard"),
		age:           f.gauge("checkpoint_age_seconds", "Time since the checkpoint was written.", "shard"),
	}
}

// factory makes metrics and registers them.
type factory struct{ r prometheus.Registerer }

func register[C prometheus.Collector](f factory, c C) C {
	if f.r != nil {
		f.r.MustRegister(c)
	}
	return c
}

func (f factory) counter(name, help string, labels ...string) *prometheus.CounterVec {
	return register(f, prometheus.NewCounterVec(prometheus.CounterOpts(opts(name, help)), append([]string{"function"}, labels...)))
}

func (f factory) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return register(f, prometheus.NewGaugeVec(prometheus.GaugeOpts(opts(name, help)), append([]string{"function"}, labels...)))
}

func (f factory) histogram(name, help string, buckets []float64) *prometheus.HistogramVec {
	o := opts(name, help)
	return register(f, prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: o.Namespace, Subsystem: o.Subsystem, Name: name, Help: help, Buckets: buckets}, []string{"function"}))
}

func opts(name, help string) prometheus.Opts {
	return prometheus.Opts{Namespace: "streamflow", Subsystem: "function", Name: name, Help: help}
}

// known shows what may never happen as 0: a rate of what is not there is
// nothing, and no alert would ever look at it.
func (m *Metrics) known(function string) {
	for _, c := range []*prometheus.CounterVec{m.messages, m.commits, m.skips, m.fences, m.rewinds, m.losses, m.failures, m.letters} {
		c.WithLabelValues(function)
	}
}

func (m *Metrics) committed(function string, n int, took time.Duration) {
	m.messages.WithLabelValues(function).Add(float64(n))
	m.commits.WithLabelValues(function).Inc()
	m.batch.WithLabelValues(function).Observe(float64(n))
	m.latency.WithLabelValues(function).Observe(took.Seconds())
}

func (m *Metrics) skipped(function string) { m.skips.WithLabelValues(function).Inc() }
func (m *Metrics) foreign(function string) { m.foreigns.WithLabelValues(function).Inc() }
func (m *Metrics) fenced(function string)  { m.fences.WithLabelValues(function).Inc() }
func (m *Metrics) rewind(function string)  { m.rewinds.WithLabelValues(function).Inc() }
func (m *Metrics) lost(function string)    { m.losses.WithLabelValues(function).Inc() }

func (m *Metrics) failure(function string, err error) {
	if !errors.Is(err, streamflow.ErrFenced) {
		m.failures.WithLabelValues(function).Inc()
	}
}

func (m *Metrics) published(function string, n int) {
	m.facts.WithLabelValues(function).Add(float64(n))
}
func (m *Metrics) showed(function string, n int) { m.views.WithLabelValues(function).Add(float64(n)) }
func (m *Metrics) rejected(function string)      { m.letters.WithLabelValues(function).Inc() }

func (m *Metrics) replayed(function string, n int) {
	m.repeated.WithLabelValues(function).Add(float64(n))
}

func (m *Metrics) counted(function, event string, n int64) {
	m.events.WithLabelValues(function, event).Add(float64(max(n, 0)))
}

func (m *Metrics) stepped(function string) func(time.Duration) {
	h := m.steps.WithLabelValues(function)
	return func(d time.Duration) { h.Observe(d.Seconds()) }
}

func (m *Metrics) snapped(function string, bytes int, took time.Duration) {
	m.snapshotBytes.WithLabelValues(function).Add(float64(bytes))
	m.snapshots.WithLabelValues(function).Observe(took.Seconds())
}

func (m *Metrics) stands(function string, shard int, lag uint64, age time.Duration) {
	s := strconv.Itoa(shard)
	m.lag.WithLabelValues(function, s).Set(float64(lag))
	m.age.WithLabelValues(function, s).Set(age.Seconds())
}

// left forgets what a shard said of itself that is not ours any more.
func (m *Metrics) left(function string, shard int) {
	s := strconv.Itoa(shard)
	m.lag.DeleteLabelValues(function, s)
	m.age.DeleteLabelValues(function, s)
}
