package api

import (
	"math"
	"slices"
	"time"
)

// latencies are samples of how long messages took to a hop, over ten seconds.
type latencies struct {
	from    string // the hop before it
	samples [maxSamples]latency
	n       int // written so far
}

type latency struct {
	at          time.Time
	step, total time.Duration // since the hop before; since it was produced
}

const (
	maxSamples    = 2048
	latencyWindow = 10 * time.Second
)

func (l *latencies) add(at time.Time, step, total time.Duration) {
	l.samples[l.n%maxSamples] = latency{at, step, total}
	l.n++
}

// show fills in what a hop's latencies are.
func (l *latencies) show(h *PipelineHop, now time.Time) {
	if l == nil {
		return
	}
	h.From = l.from
	steps, totals := make([]time.Duration, 0, maxSamples), make([]time.Duration, 0, maxSamples)
	for i := range min(l.n, maxSamples) {
		if s := &l.samples[i]; now.Sub(s.at) <= latencyWindow {
			steps, totals = append(steps, s.step), append(totals, s.total)
		}
	}
	h.Samples = len(steps)
	slices.Sort(steps)
	slices.Sort(totals)
	h.P50, h.P99 = rank(steps, 0.50), rank(steps, 0.99)
	h.TotalP50, h.TotalP99 = rank(totals, 0.50), rank(totals, 0.99)
}

// rank returns the nearest-rank percentile in milliseconds, nil of nothing.
func rank(sorted []time.Duration, q float64) *float64 {
	if len(sorted) == 0 {
		return nil
	}
	ms := milliseconds(sorted[int(math.Ceil(q*float64(len(sorted))))-1])
	return &ms
}

// milliseconds returns d in milliseconds, to the microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
