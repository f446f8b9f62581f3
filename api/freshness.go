package api

import (
	"cmp"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// newPassing makes the histogram of how long messages are under way. A hop is a
// part or a function, so there are as many series as those.
func newPassing() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "streamflow_hop_latency_seconds",
		Help: "Time since a message was produced until it had passed a hop, of samples; hop api is the whole way to the API.",
		// From what one machine can do to what is an outage.
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
	}, []string{"hop"})
}

// freshness tells how old the newest tick of each symbol is: of all of them as
// a distribution, and by name of the few that are stalest. So the number of
// series does not grow with that of the symbols.
type freshness struct{ board *board }

const stalest = 10

var (
	freshnessDesc = prometheus.NewDesc("streamflow_feed_symbol_age_seconds",
		"Age of the newest tick of each symbol by event time, now: the count is that of the symbols.", nil, nil)
	stalestDesc = prometheus.NewDesc("streamflow_feed_stalest_symbol_age_seconds",
		"Age of the newest tick of the ten symbols that have waited longest.", []string{"symbol"}, nil)
	freshnessBounds = []float64{1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 86400}
)

// Describe implements [prometheus.Collector].
func (f freshness) Describe(ch chan<- *prometheus.Desc) {
	ch <- freshnessDesc
	ch <- stalestDesc
}

// Collect implements [prometheus.Collector].
func (f freshness) Collect(ch chan<- prometheus.Metric) {
	ages := f.board.ages(time.Now())
	counts := make(map[float64]uint64, len(freshnessBounds))
	sum := 0.0
	for _, a := range ages {
		sum += a.seconds
		for _, bound := range freshnessBounds {
			if a.seconds <= bound {
				counts[bound]++
			}
		}
	}
	ch <- prometheus.MustNewConstHistogram(freshnessDesc, uint64(len(ages)), sum, counts)
	slices.SortFunc(ages, func(a, b symbolAge) int {
		return cmp.Or(cmp.Compare(b.seconds, a.seconds), cmp.Compare(a.symbol, b.symbol))
	})
	for _, a := range ages[:min(len(ages), stalest)] {
		ch <- prometheus.MustNewConstMetric(stalestDesc, prometheus.GaugeValue, a.seconds, a.symbol)
	}
}

// symbolAge is how old the newest tick of a symbol is.
type symbolAge struct {
	symbol  string
	seconds float64
}

func (b *board) ages(now time.Time) []symbolAge {
	b.mu.Lock()
	defer b.mu.Unlock()
	ages := make([]symbolAge, 0, len(b.sorted))
	for _, r := range b.sorted {
		ages = append(ages, symbolAge{r.symbol, max(now.Sub(time.Unix(0, r.at)).Seconds(), 0)})
	}
	return ages
}
