package archive

import "github.com/prometheus/client_golang/prometheus"

// Metrics of the sinks that store results.
type Metrics struct{ rows *prometheus.CounterVec }

// NewMetrics registers the metrics with r; a nil r keeps them to itself.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{rows: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "streamflow", Subsystem: "archive", Name: "rows_total",
		Help: "Results by table and by what became of them: written, kept (the table had as much already), unreadable, refused by the table.",
	}, []string{"table", "outcome"})}
	if r != nil {
		r.MustRegister(m.rows)
	}
	return m
}

// count takes what became of n results that were read.
func (m *Metrics) count(table string, n int, written int64, refused int) {
	m.rows.WithLabelValues(table, "written").Add(float64(written))
	m.rows.WithLabelValues(table, "kept").Add(float64(max(0, int64(n-refused)-written)))
	m.rows.WithLabelValues(table, "refused").Add(float64(refused))
}

func (m *Metrics) unreadable(table string) { m.rows.WithLabelValues(table, "unreadable").Inc() }
