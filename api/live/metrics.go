package live

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count what the websocket does.
type metrics struct {
	sessions, subscriptions    prometheus.Gauge
	frames, conflated, dropped prometheus.Counter
	messages                   *prometheus.CounterVec // by root
	closed                     *prometheus.CounterVec // by reason: client, slow, abuse, shutdown
	resumes                    *prometheus.CounterVec // by outcome: resumed, gone, slow, cancelled
	errors                     *prometheus.CounterVec // by code
	byKind                     [countKinds]prometheus.Counter
}

func newMetrics() *metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "streamflow_ws_" + name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "streamflow_ws_" + name, Help: help})
	}
	vector := func(name, label, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "streamflow_ws_" + name, Help: help}, []string{label})
	}
	m := &metrics{
		sessions:      gauge("sessions", "Websocket sessions that are open."),
		subscriptions: gauge("subscriptions", "Subscriptions of all sessions."),
		frames:        counter("frames_total", "Frames handed to clients."),
		messages:      vector("messages_sent_total", "root", "Messages in those frames, by the first token of their subject."),
		conflated:     counter("messages_conflated_total", "Messages that a newer one of their subject replaced, as the client asked for."),
		dropped:       counter("messages_dropped_total", "Messages that a client wanted and did not get: it was too slow, or they waited when it left."),
		closed:        vector("sessions_closed_total", "reason", "Sessions that ended, by reason."),
		resumes:       vector("resumes_total", "outcome", "Requests to resume from a sequence, by outcome."),
		errors:        vector("errors_total", "code", "Errors that clients were told, by code."),
	}
	for i, k := range kinds {
		m.byKind[i] = m.messages.WithLabelValues(k.root)
	}
	return m
}

// count counts what a frame holds.
func (m *metrics) count(parts []part) {
	var sent [countKinds]int
	for i := range parts {
		if k := parts[i].kind; k >= 0 {
			sent[k]++
		}
	}
	for i, n := range sent {
		if n > 0 {
			m.byKind[i].Add(float64(n))
		}
	}
}

func (m *metrics) register(r prometheus.Registerer) error {
	var errs []error
	for _, c := range []prometheus.Collector{
		m.sessions, m.subscriptions, m.frames, m.messages, m.conflated, m.dropped, m.closed, m.resumes, m.errors,
	} {
		if err := r.Register(c); err != nil {
			errs = append(errs, fmt.Errorf("register metrics: %w", err))
		}
	}
	return errors.Join(errs...)
}
