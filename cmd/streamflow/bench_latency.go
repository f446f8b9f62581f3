package main

import (
	"slices"
	"sync"
	"time"
)

// latencies gathers samples; it keeps every one, so that a maximum is one.
type latencies struct {
	mu      sync.Mutex
	samples []float32 // milliseconds
}

func (l *latencies) add(d time.Duration) {
	l.mu.Lock()
	l.samples = append(l.samples, float32(d.Seconds()*1000))
	l.mu.Unlock()
}

func (l *latencies) reset() {
	l.mu.Lock()
	l.samples = l.samples[:0]
	l.mu.Unlock()
}

// quantiles of a set of latencies, in milliseconds.
type quantiles struct {
	P50     float64 `json:"p50"`
	P99     float64 `json:"p99"`
	Max     float64 `json:"max"`
	Samples int     `json:"samples"`
}

func (l *latencies) quantiles() quantiles {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.samples)
	if n == 0 {
		return quantiles{}
	}
	slices.Sort(l.samples)
	return quantiles{
		P50: float64(l.samples[n/2]), P99: float64(l.samples[n*99/100]), Max: float64(l.samples[n-1]), Samples: n,
	}
}
