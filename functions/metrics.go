package functions

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"streamflow"
)

// Metrics of all runners of a process, labelled with the function's name.
type Metrics struct {
	messages, commits, skips, foreigns, fences, rewinds, losses, failures *prometheus.CounterVec
	batch, latency                                                        *prometheus.HistogramVec
}

// NewMetrics registers the metrics with r; a nil r keeps them to itself.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "streamflow", Subsystem: "function", Name: name, Help: help}, []string{"function"})
		if r != nil {
			r.MustRegister(v)
		}
		return v
	}
	histogram := func(name, help string, buckets []float64) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "streamflow", Subsystem: "function", Name: name, Help: help, Buckets: buckets}, []string{"function"})
		if r != nil {
			r.MustRegister(v)
		}
		return v
	}
	return &Metrics{
		messages: counter("messages_total", "Messages whose results were committed."),
		commits:  counter("commits_total", "Commits of results and checkpoint."),
		skips:    counter("skipped_total", "Messages delivered again that lay at or below the checkpoint."),
		foreigns: counter("foreign_total", "Messages in the stream that did not come through the bridge."),
		fences:   counter("fenced_total", "Commits refused because another worker had moved the checkpoint."),
		rewinds:  counter("rewinds_total", "Times that the stream was read again because of a gap."),
		losses:   counter("gaps_total", "Gaps that reading the stream again did not close."),
		failures: counter("failures_total", "Steps that failed and were tried again."),
		batch:    histogram("batch_messages", "Messages in a commit.", prometheus.ExponentialBuckets(1, 4, 8)),
		latency:  histogram("commit_seconds", "Time that a commit took.", prometheus.ExponentialBuckets(0.0005, 2, 14)),
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
