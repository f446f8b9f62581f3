package api

import "github.com/prometheus/client_golang/prometheus"

// wsMetrics counts what the websocket does.
type wsMetrics struct {
	sessions, subscriptions              prometheus.Gauge
	frames, messages, conflated, dropped prometheus.Counter
	closed                               *prometheus.CounterVec // by reason: client, slow, abuse, shutdown
}

func newWSMetrics() *wsMetrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "streamflow_ws_" + name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "streamflow_ws_" + name, Help: help})
	}
	return &wsMetrics{
		sessions:      gauge("sessions", "Websocket sessions that are open."),
		subscriptions: gauge("subscriptions", "Subscriptions of all sessions."),
		frames:        counter("frames_total", "Frames handed to clients."),
		messages:      counter("messages_sent_total", "Messages in those frames."),
		conflated:     counter("messages_conflated_total", "Messages that a newer one of their subject replaced before a slow client took them."),
		dropped:       counter("messages_dropped_total", "Messages that waited when their session ended."),
		closed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "streamflow_ws_sessions_closed_total", Help: "Sessions that ended, by reason.",
		}, []string{"reason"}),
	}
}

func (m *wsMetrics) register(r prometheus.Registerer) error {
	return registerAll(r, m.sessions, m.subscriptions, m.frames, m.messages, m.conflated, m.dropped, m.closed)
}
