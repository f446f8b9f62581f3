package notify

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics of all webhooks of a process, labelled with the webhook's name.
type Metrics struct {
	attempts, letters, unrecorded *prometheus.CounterVec
	seconds                       *prometheus.HistogramVec
}

// NewMetrics registers the metrics with r; a nil r keeps them to itself.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "streamflow", Subsystem: "notify", Name: name, Help: help}, labels)
	}
	m := &Metrics{
		attempts:   counter("attempts_total", "Attempts to deliver an alert, by what they came to.", "webhook", "result"),
		letters:    counter("dead_letters_total", "Alerts that were given up.", "webhook"),
		unrecorded: counter("unrecorded_total", "Attempts that table deliveries does not have because the database did not take them.", "webhook"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "streamflow", Subsystem: "notify", Name: "attempt_seconds", Help: "Time that an attempt took.",
			Buckets: prometheus.ExponentialBuckets(0.005, 3, 9),
		}, []string{"webhook"}),
	}
	if r != nil {
		r.MustRegister(m.attempts, m.letters, m.unrecorded, m.seconds)
	}
	return m
}

// verdictText is the label of each verdict.
var verdictText = [...]string{"delivered", "retried", "refused", "gone"}

func (m *Metrics) attempt(webhook string, v verdict, took time.Duration) {
	m.attempts.WithLabelValues(webhook, verdictText[v]).Inc()
	m.seconds.WithLabelValues(webhook).Observe(took.Seconds())
}
