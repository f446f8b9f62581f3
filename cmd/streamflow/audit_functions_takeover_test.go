//go:build unix

package main

import (
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// shardClock notes when each shard of a function last published a fact.
type shardClock struct {
	mu   sync.Mutex
	last map[int32]time.Time
	gaps map[int32]time.Duration // the longest time without one since the last reset
	n    int
}

// clockShards watches the facts of a stream until the test ends.
func (w *world) clockShards(stream string) *shardClock {
	w.t.Helper()
	s := &shardClock{last: make(map[int32]time.Time), gaps: make(map[int32]time.Duration)}
	c, err := w.jetstream().OrderedConsumer(w.t.Context(), stream, jetstream.OrderedConsumerConfig{FilterSubjects: []string{strings.ToLower(stream) + ".>"}, HeadersOnly: true})
	if err != nil {
		w.t.Fatal(err)
	}
	in, err := c.Consume(func(m jetstream.Msg) {
		at, err := streamflow.ParsePosition(m.Headers().Get(streamflow.HeaderOutput))
		if err != nil {
			return // a view
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		now := time.Now()
		if before, known := s.last[at.Partition]; known {
			s.gaps[at.Partition] = max(s.gaps[at.Partition], now.Sub(before))
		}
		s.last[at.Partition] = now
		s.n++
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(in.Stop)
	return s
}

// since says that all shards have published after a moment.
func (s *shardClock) since(shards int, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range shards {
		if !s.last[int32(i)].After(at) {
			return false
		}
	}
	return true
}

// count is how many facts there are.
func (s *shardClock) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// longest returns the longest time that a shard was silent since the last call.
func (s *shardClock) longest() (gap time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.gaps {
		gap = max(gap, g)
	}
	clear(s.gaps)
	return gap
}

// onlyNATS starts a NATS server, and a feed that writes into TICKS as a bridge would.
func (w *world) onlyNATS(seed uint64, rate int) *tickFeed {
	w.t.Helper()
	w.start(kindNATS, kindNATS)
	w.await("the server", 2*time.Minute, func() bool { return listens(w.nats) })
	return w.feedTicks(seed, rate)
}

// standsBy waits until the worker has attached itself to all functions since its
// newest start.
func (w *world) standsBy(c *child, functions int) {
	w.t.Helper()
	w.await(c.name+" stands by", 2*time.Minute, func() bool {
		return c.logged("function runs, or stands by") >= functions*c.count()
	})
}

// TestStandbyWorkerTakesOver kills and pauses the worker that has three shards
// while another stands by. Both publish, and nothing is there twice.
func TestStandbyWorkerTakesOver(t *testing.T) {
	w := newWorld(t)
	f := w.onlyNATS(5, 400)
	w.desire(3)
	three := audited[:3]
	a := w.start(kindWorker, "worker-a", three...)
	clock := w.clockShards(streamflow.StreamCandles)
	w.await("a works on all shards", 2*time.Minute, func() bool { return clock.since(3, f.market.began) })
	b := w.start(kindWorker, "worker-b", three...)
	for range 2 {
		w.standsBy(b, len(three))
		clock.longest()
		killed, starts := time.Now(), a.count()
		a.kill(6 * time.Second) // it is back when the other has everything
		w.await("all shards flow again", 2*time.Minute, func() bool { return clock.since(3, killed.Add(200*time.Millisecond)) })
		took := clock.longest()
		t.Logf("%s killed: each shard publishes again, the longest silence was %.1f s", a.name, took.Seconds())
		if took > takeOverAtMost {
			t.Errorf("the take-over took %s, want %s at most", took, takeOverAtMost)
		}
		if !a.awaitUp(starts+1, 2*time.Minute) {
			t.Fatal("the worker does not come up again")
		}
		a, b = b, a
	}
	w.standsBy(b, len(three))
	for _, c := range []*child{a, b, a} {
		clock.longest()
		c.signal(syscall.SIGSTOP) // in the midst of its work
		paused := time.Now()
		w.await("the other takes over", 2*time.Minute, func() bool { return clock.since(3, paused.Add(time.Second)) })
		c.signal(syscall.SIGCONT)
		t.Logf("%s paused: the longest silence of a shard was %.1f s", c.name, clock.longest().Seconds())
	}
	all, want, _ := w.asUndisturbed(f)
	t.Logf("equal to the batch: %d candles (%d facts), %d indicators, %d alerts; commits refused by the fence: %d",
		len(want.candles), len(all.candles), len(want.values), len(want.alerts), a.logged("wrong last sequence")+b.logged("wrong last sequence"))
}
