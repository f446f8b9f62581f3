package functions_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"streamflow"
	"streamflow/functions"
)

// shelf is a source that hands out all there is.
type shelf struct {
	tap
	mu    sync.Mutex
	there []streamflow.Message
	next  int64
}

func (s *shelf) put(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.there = append(s.there, tick("A", 0, s.next, 1, time.Now()))
		s.next++
	}
}

func (s *shelf) Next(ctx context.Context, limit int) ([]streamflow.Message, bool, error) {
	for {
		s.mu.Lock()
		n := min(limit, len(s.there))
		messages := s.there[:n:n]
		s.there = s.there[n:]
		s.mu.Unlock()
		if n > 0 {
			return messages, false, nil
		}
		select {
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

func (s *shelf) Ack() error { return nil }

// commits is a sink that notes when it is written to, and how much.
type commits struct {
	mu    sync.Mutex
	at    []time.Time
	sizes []int
}

func (c *commits) Load(context.Context) (functions.Checkpoint, error) {
	return functions.Checkpoint{}, nil
}

func (c *commits) Commit(_ context.Context, messages []streamflow.Message, _, _ functions.Checkpoint) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.sizes = append(c.at, time.Now()), append(c.sizes, len(messages))
	return nil
}

func (c *commits) seen() ([]time.Time, []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.at), slices.Clone(c.sizes)
}

// Few messages are gathered, a lone one goes at once, and a backlog too.
func TestCommitsStayApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const apart = 200 * time.Millisecond
		w := &shelf{tap: tap{life: &life{w: newPeace(t)}}}
		c := &commits{}
		r := functions.New(functions.Config{Function: "test", Source: w, Sink: c, Limit: 20, Apart: apart})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()

		time.Sleep(time.Second)
		lone := time.Now()
		w.put(1)
		time.Sleep(time.Second)
		if at, _ := c.seen(); len(at) != 1 || at[0].Sub(lone) > 20*time.Millisecond {
			t.Errorf("a lone message was committed at %v, it came at %v", at, lone)
		}
		for range 100 {
			w.put(1)
			time.Sleep(20 * time.Millisecond) // 2 s: 10 messages in each 200 ms
		}
		at, _ := c.seen()
		if n := len(at) - 1; n < 8 || n > 20 {
			t.Errorf("%d commits in 2 s", n)
		}
		time.Sleep(time.Second)
		at, _ = c.seen()
		before, backlog := len(at), time.Now()
		w.put(2000)
		time.Sleep(time.Second)
		at, sizes := c.seen()
		for i, size := range sizes[before : len(sizes)-1] {
			if gap := at[before+i+1].Sub(at[before+i]); size >= 10 && gap > 20*time.Millisecond {
				t.Fatalf("%s after a commit of %d messages of a backlog, %s after it came", gap, size, at[before+i].Sub(backlog))
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		total := 0
		_, sizes = c.seen()
		for _, n := range sizes {
			total += n
		}
		if total != 2101 {
			t.Errorf("%d messages of 2101", total)
		}
	})
}
