package functions

import (
	"math/bits"
	"sync"
	"time"

	"streamflow"
)

const (
	statSeconds = 10 // over which rates and latencies are told
	sampleEvery = 16 // steps: to read the clock takes as long as a small one
	fine        = 4  // buckets between two powers of two
	buckets     = 40 * fine
)

// stats are the numbers of a shard that are told to people.
type stats struct {
	mu      sync.Mutex
	seconds [statSeconds + 1]second // by Unix second, modulo their number
	s       streamflow.ShardStatus
	steps   uint // since the newest sample
	sampled []time.Duration
}

// second is what happened in one second.
type second struct {
	at       int64
	messages int
	latency  [buckets]uint32
}

func newStats() *stats { return &stats{sampled: make([]time.Duration, 0, 512)} }

// timer measures a step, now and then.
type timer struct{ start time.Time }

func (s *stats) start() timer {
	if s.steps++; s.steps%sampleEvery != 1 {
		return timer{}
	}
	return timer{time.Now()}
}

func (t timer) stop(s *stats) {
	if !t.start.IsZero() && len(s.sampled) < cap(s.sampled) {
		s.sampled = append(s.sampled, time.Since(t.start))
	}
}

// delivered counts messages, and the samples that were taken of their steps.
func (s *stats) delivered(now time.Time, n int, observe func(time.Duration)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &s.seconds[now.Unix()%int64(len(s.seconds))]
	if w.at != now.Unix() {
		*w = second{at: now.Unix()}
	}
	w.messages += n
	s.s.Messages += uint64(n)
	for _, d := range s.sampled {
		w.latency[bucketOf(d)]++
		observe(d)
	}
	s.sampled = s.sampled[:0]
}

func (s *stats) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Errors++
	s.s.LastError = err.Error()
}

func (s *stats) rejected(err error) {
	s.failed(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.DeadLetters++
}

func (s *stats) published(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Facts += uint64(n)
}

func (s *stats) lag(n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Lag = n
}

// stands notes what the states are.
func (s *stats) stands(keys int, newest *snapshot, produced time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Keys, s.s.NewestInput = keys, produced
	if newest != nil {
		s.s.Checkpoint = newest.At
	}
}

// status returns all of it.
func (sh *shard) status(now time.Time) streamflow.ShardStatus {
	s := sh.stats
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.s
	st.Function, st.Shard, st.At = sh.Function.Name, sh.Shard, now
	var sum [buckets]uint32
	messages, samples := 0, uint32(0)
	for i := range s.seconds {
		w := &s.seconds[i]
		if age := now.Unix() - w.at; age < 1 || age > statSeconds {
			continue // the present second is not over
		}
		messages += w.messages
		for b, n := range w.latency {
			sum[b] += n
			samples += n
		}
	}
	st.Rate = float64(messages) / statSeconds
	st.StepP50, st.StepP99 = quantile(&sum, samples, 0.50), quantile(&sum, samples, 0.99)
	return st
}

// bucketOf counts in powers of two of a nanosecond, each in four parts: a
// latency is told to a fifth.
func bucketOf(d time.Duration) int {
	n := uint64(max(d, fine))
	power := bits.Len64(n) - 1
	return min(power*fine+int(n>>(power-2)&(fine-1)), buckets-1)
}

// quantile returns microseconds.
func quantile(sum *[buckets]uint32, n uint32, q float64) float64 {
	if n == 0 {
		return 0
	}
	rest := int64(float64(n) * q)
	for b, count := range sum {
		if rest -= int64(count); rest < 0 {
			low := uint64(1) << (b / fine)
			middle := float64(low) * (1 + (float64(b%fine)+0.5)/fine)
			return middle / 1000
		}
	}
	return 0
}
