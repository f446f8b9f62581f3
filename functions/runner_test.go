package functions_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"streamflow/functions"
)

// workers runs n runners over a model and returns the function that ends them.
func (m *model) workers(n int, epochs bool) (stop func()) {
	ctx, cancel := context.WithCancel(m.t.Context())
	var done sync.WaitGroup
	for range n {
		done.Go(func() {
			runner := functions.New(functions.Config{Function: "test", Source: &source{m: m}, Sink: &sink{m: m, epochs: epochs}, Limit: 20})
			if err := runner.Run(ctx); err != nil {
				m.t.Error(err)
			}
		})
	}
	return func() { cancel(); done.Wait() }
}

// await lets the workers go on in peace until the store is complete.
func (m *model) await(atMost time.Duration) {
	m.t.Helper()
	m.mu.Lock()
	m.chaos = 0
	m.mu.Unlock()
	var err error
	for start := time.Now(); time.Since(start) < atMost; time.Sleep(100 * time.Millisecond) {
		m.mu.Lock()
		err = m.complete()
		m.mu.Unlock()
		if err == nil {
			return
		}
	}
	m.t.Fatalf("after %s of peace: %v", atMost, err)
}

// Whatever happens, every message is stored once and in order, and none is
// acknowledged before it is stored.
func TestExactlyOnceWhateverHappens(t *testing.T) {
	for seed := range uint64(150) {
		for _, epochs := range []bool{false, true} {
			t.Run(fmt.Sprintf("seed=%d,epochs=%v", seed, epochs), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newModel(t, seed)
					stop := m.workers(1+int(seed%3), epochs)
					defer stop()
					for range 30 {
						m.grow(1 + int(seed%40))
						time.Sleep(time.Duration(seed%7+1) * 100 * time.Millisecond)
						m.disturb()
					}
					m.await(30 * time.Minute)
				})
			})
		}
	}
}

// A standby must leave the worker alone: neither fence it, nor, because ticks
// arrive while it looks, have the stream read again.
func TestStandbyDisturbsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, 1)
		m.chaos = 0
		stop := m.workers(2, true)
		defer stop()
		for range 3000 {
			m.grow(1)
			time.Sleep(70 * time.Millisecond)
		}
		m.await(time.Second)
		time.Sleep(2 * time.Minute) // in which it looks after an idle stream
		m.grow(20)
		m.await(time.Second)
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.rewinds > 0 || m.epoch > 2 {
			t.Errorf("the stream was read again %d times, and workers were fenced %d times", m.rewinds, m.epoch-1)
		}
	})
}

// A rewind that failed proves nothing: the gap must not be taken for a loss.
func TestFailedRewindIsTriedAgain(t *testing.T) {
	for seed := range uint64(50) {
		synctest.Test(t, func(t *testing.T) {
			m := newModel(t, seed)
			m.grow(40)
			m.floor, m.next = 20, 20 // the durable believes in twenty that were never stored
			m.chaos = 0.6
			stop := m.workers(1, false)
			defer stop()
			time.Sleep(time.Second)
			m.await(30 * time.Minute)
		})
	}
}
