package api

import (
	"sync"
	"time"
)

// FunctionSample is how a function did at a moment.
type FunctionSample struct {
	At   time.Time `json:"at" example:"2025-11-21T14:29:55Z" doc:"When this was measured"`
	Rate float64   `json:"rate" example:"500" doc:"Messages a second, over the 10 s before, of all shards"`
	Lag  *uint64   `json:"lag" nullable:"true" example:"12" doc:"Messages of its input that waited; null if nobody could tell"`
}

const (
	trailLength = 5 * time.Minute
	trailEvery  = 5*time.Second - time.Second/2 // of a tick of a second, whatever the clock's jitter
)

// trails are how the functions did in the last minutes: whoever looks at them
// for the first time sees where they come from.
type trails struct {
	mu     sync.Mutex
	newest time.Time
	of     map[string][]FunctionSample // by name, the oldest first
}

// due says whether the newest samples are so old that new ones are wanted.
func (t *trails) due(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return now.Sub(t.newest) >= trailEvery
}

// add notes what was measured, unless that was done not long ago. What could
// not be measured leaves a gap.
func (t *trails) add(now time.Time, states []FunctionState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.newest) < trailEvery {
		return
	}
	t.newest = now
	of := make(map[string][]FunctionSample, len(states))
	for i := range states {
		f := viewFunction(&states[i], now)
		// A copy: samples that were handed out are still read.
		known := recent(t.of[f.Name], now)
		of[f.Name] = append(known[:len(known):len(known)], FunctionSample{now.UTC(), f.Rate, f.Lag})
	}
	t.of = of
}

// last returns the samples of a function of the last minutes.
func (t *trails) last(name string, now time.Time) []FunctionSample {
	t.mu.Lock()
	defer t.mu.Unlock()
	return recent(t.of[name], now)
}

// recent leaves out what is too old.
func recent(samples []FunctionSample, now time.Time) []FunctionSample {
	for len(samples) > 0 && now.Sub(samples[0].At) >= trailLength {
		samples = samples[1:]
	}
	return samples
}
