package api

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"streamflow"
)

// httpMetrics counts requests. Its labels are bounded: operations, not paths.
type httpMetrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newHTTPMetrics() *httpMetrics {
	return &httpMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "streamflow_http_requests_total", Help: "HTTP requests, by operation, method and class of status.",
		}, []string{"operation", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "streamflow_http_request_seconds", Help: "Time to answer an HTTP request; websockets are not counted.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"operation"}),
	}
}

func (m *httpMetrics) observe(operation, method string, status int, took time.Duration) {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
	default:
		method = "other"
	}
	m.requests.WithLabelValues(operation, method, strconv.Itoa(status/100)+"xx").Inc()
	if status != 101 {
		m.seconds.WithLabelValues(operation).Observe(took.Seconds())
	}
}

// register registers the metrics of the server.
func (s *Server) register(r prometheus.Registerer) error {
	gauge := func(name, help string, fn func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "streamflow_feed_" + name, Help: help}, fn)
	}
	return registerAll(r, s.http.requests, s.http.seconds, s.pipeline.passing, freshness{s.board},
		gauge("last_sequence", "Stream sequence of the newest tick that the API has taken.", func() float64 {
			last, _ := s.live.Last(streamflow.StreamTicks)
			return float64(last)
		}),
		gauge("newest_tick_age_seconds", "Age of the newest tick by event time; -1 while there is none.", func() float64 {
			return s.board.age(time.Now())
		}))
}

func registerAll(r prometheus.Registerer, collectors ...prometheus.Collector) error {
	var errs []error
	for _, c := range collectors {
		if err := r.Register(c); err != nil {
			errs = append(errs, fmt.Errorf("register metrics: %w", err))
		}
	}
	return errors.Join(errs...)
}
