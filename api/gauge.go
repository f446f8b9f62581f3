package api

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// gauge is something that is measured now and then, by one at a time.
type gauge[T any] struct {
	part  string
	every time.Duration // a measurement that is younger is good enough
	take  func(ctx context.Context, before *reading[T]) (T, error)
	turn  chan struct{} // holds one while somebody measures

	mu   sync.Mutex
	last reading[T] // the newest that succeeded
	err  error      // of the newest try
	when time.Time  // of the newest try
}

// reading is what a gauge has shown.
type reading[T any] struct {
	value T
	at    time.Time // zero: nothing yet
}

// gaugeTimeout is how long a measurement may take.
const gaugeTimeout = 3 * time.Second

func newGauge[T any](part string, every time.Duration, take func(context.Context, *reading[T]) (T, error)) *gauge[T] {
	return &gauge[T]{part: part, every: every, take: take, turn: make(chan struct{}, 1)}
}

// measure measures unless somebody just has, and returns when that is done or
// ctx ends.
func (g *gauge[T]) measure(ctx context.Context) {
	if g == nil {
		return
	}
	select {
	case g.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	g.mu.Lock()
	before, when := g.last, g.when
	g.mu.Unlock()
	if time.Since(when) < g.every {
		<-g.turn
		return
	}
	// It goes on without who asked for it: the next one is glad of it, and a
	// driver that overlooks the end of its time holds up nobody.
	done := make(chan struct{})
	go func() {
		defer func() { <-g.turn; close(done) }()
		bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), gaugeTimeout)
		defer cancel()
		value, err := g.taken(bound, &before)
		if err != nil && bound.Err() != nil {
			err = fmt.Errorf("no answer within %s: %w", gaugeTimeout, err)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		now := time.Now()
		if g.err, g.when = err, now; err == nil {
			g.last = reading[T]{value, now}
		}
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (g *gauge[T]) taken(ctx context.Context, before *reading[T]) (value T, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the measurement panicked: %v", fault)
		}
	}()
	return g.take(ctx, before)
}

// stale is the age at which a measurement says nothing about now.
const stale = 15 * time.Second

// read returns the newest measurement, nil if there is none or it is stale, and
// what was wrong with the newest try.
func (g *gauge[T]) read(faults *[]PipelineFault) *reading[T] {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		*faults = append(*faults, PipelineFault{g.part, g.err.Error()})
		return nil // what it was before is not what it is now
	}
	if g.last.at.IsZero() || time.Since(g.last.at) > stale {
		return nil
	}
	r := g.last
	return &r
}

// perSecond is the growth of a counter since before, nil if that cannot be told.
func perSecond(now, before int64, since time.Time) *float64 {
	took := time.Since(since).Seconds()
	if since.IsZero() || took <= 0 || now < before {
		return nil
	}
	rate := float64(now-before) / took
	return &rate
}
