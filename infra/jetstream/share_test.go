package jetstream_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"streamflow"
	"streamflow/infra/jetstream"
)

// sharing opens durables one and two of a client, which have read the ticks 0-104
// and acknowledged 0-99 when it returns, the last ones by their tap.
func sharing(t *testing.T, c *jetstream.Client) (durables []*jetstream.Durable, cur streamflow.Cursor) {
	t.Helper()
	cur = commit(t, c.Ticks(), streamflow.Start, 0, 99)
	for _, name := range []string{"one", "two"} {
		d := c.Durable(streamflow.StreamTicks, "", name, 0)
		t.Cleanup(d.Close)
		next(t, d, 1)
		durables = append(durables, d)
	}
	for _, d := range durables {
		offsets(t, d, 1, 99)
		acknowledge(t, d)
	}
	cur = commit(t, c.Ticks(), cur, 100, 104)
	for _, d := range durables {
		offsets(t, d, 100, 104)
	}
	mustShare(t, true, durables...)
	return durables, cur
}

func mustShare(t *testing.T, want bool, durables ...*jetstream.Durable) {
	t.Helper()
	for i, d := range durables {
		if d.Shares() != want {
			t.Fatalf("durable %d shares: %v", i, d.Shares())
		}
	}
}

// Durables of one process that have come to the end are read by one consumer,
// and the server knows how far each of them is.
func TestDurablesAtTheEndShare(t *testing.T) {
	c, url := start(t)
	two, cur := sharing(t, c)
	cur = commit(t, c.Ticks(), cur, 105, 199)
	for _, d := range two {
		offsets(t, d, 105, 199)
		if d.Ack() != nil {
			t.Fatal("not acknowledged")
		}
	}
	cur = commit(t, c.Ticks(), cur, 200, 249)
	offsets(t, two[0], 200, 249) // and does not acknowledge them
	for _, name := range []string{"one", "two"} {
		eventually(t, name+" is behind by 50 ticks, and a cursor or two", func() bool {
			n, unacked, err := connectedTo(t, url).Durable(streamflow.StreamTicks, "", name, 0).Pending(t.Context())
			return err == nil && n > 50 && n <= 52 && unacked == 0
		})
	}
	offsets(t, two[1], 200, 249)
	for _, d := range two {
		if d.Ack() != nil {
			t.Fatal("not acknowledged")
		}
	}
	eventually(t, "all is acknowledged, the cursor behind it too", func() bool {
		n, _, err := connectedTo(t, url).Durable(streamflow.StreamTicks, "", "one", 0).Pending(t.Context())
		return err == nil && n == 0
	})
	two[1].Close() // a tap for one is a detour
	commit(t, c.Ticks(), cur, 250, 299)
	offsets(t, two[0], 250, 299)
	mustShare(t, false, two...)
}

var clients sync.Map

// connectedTo returns one client for each server, which is not the one that shares.
func connectedTo(t *testing.T, url string) *jetstream.Client {
	if c, ok := clients.Load(url); ok {
		return c.(*jetstream.Client)
	}
	c := connect(t, url)
	clients.Store(url, c)
	return c
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within two minutes: %s", what)
		}
	}
}

// Who holds a durable that shares stays its owner while nothing comes, and longer
// than a pin lasts. Who takes it away gets what was not acknowledged; the other
// one stands by.
func TestDurableThatSharesIsPinned(t *testing.T) {
	c, url := start(t)
	two, cur := sharing(t, c)
	standby := connect(t, url).Durable(streamflow.StreamTicks, "", "one", 0)
	defer standby.Close()
	waited, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if messages, _, err := standby.Next(waited, 10); err == nil {
		t.Fatalf("a standby was given %d messages", len(messages))
	}
	commit(t, c.Ticks(), cur, 105, 109)
	offsets(t, two[0], 105, 109)
	mustShare(t, true, two[0])
	two[0].Close()
	messages, fresh, err := standby.Next(t.Context(), 100)
	if err != nil || !fresh || messages[0].Position.Offset > 100 {
		t.Fatalf("the next one begins at %v (%v)", messages, err)
	}
}

// Whom the server has given up is not served by the tap any more.
func TestDurableThatSharesLosesItsPin(t *testing.T) {
	c, url := start(t)
	two, cur := sharing(t, c)
	standby := connect(t, url).Durable(streamflow.StreamTicks, "", "one", 0)
	defer standby.Close()
	got := make(chan bool, 1)
	go func() {
		_, fresh, err := standby.Next(t.Context(), 100)
		got <- fresh && err == nil
	}()
	eventually(t, "the standby has it", func() bool {
		if err := connectedTo(t, url).Unpin(t.Context(), streamflow.StreamTicks, "one-0"); err != nil {
			t.Fatal(err)
		}
		select {
		case ok := <-got:
			return ok
		case <-time.After(100 * time.Millisecond):
			return false
		}
	})
	commit(t, c.Ticks(), cur, 105, 109)
	wait := func(atMost time.Duration) {
		t.Helper()
		waited, cancel := context.WithTimeout(t.Context(), atMost)
		defer cancel()
		for waited.Err() == nil {
			if _, _, err := two[0].Next(waited, 100); err == nil && !two[0].Shares() {
				t.Fatal("two have the durable")
			}
		}
	}
	eventually(t, "it does not share any more, because it is another's", func() bool { wait(500 * time.Millisecond); return !two[0].Shares() })
	wait(2 * time.Second)
	if two[0].Shares() {
		t.Error("it shares though it is another's")
	}
}

// To go on elsewhere works while it shares, and so does to begin anew.
func TestDurableThatSharesSeeksAndRewinds(t *testing.T) {
	c, _ := start(t)
	two, cur := sharing(t, c)
	cur = commit(t, c.Ticks(), cur, 105, 109)
	at := next(t, two[0], 1)[0].Sequence
	mustShare(t, true, two[0])
	if err := two[0].Seek(t.Context(), at-51); err != nil {
		t.Fatal(err)
	}
	messages, fresh, err := two[0].Next(t.Context(), 1)
	if err != nil || fresh || messages[0].Sequence != at-50 {
		t.Fatalf("%v, fresh %v (%v), want %d", messages, fresh, err, at-50)
	}
	offsets(t, two[0], messages[0].Position.Offset+1, 109)
	commit(t, c.Ticks(), cur, 110, 110)
	offsets(t, two[0], 110, 110)
	mustShare(t, true, two[0])
	if err := two[0].Rewind(t.Context()); err != nil {
		t.Fatal(err)
	}
	offsets(t, two[0], 0, 110)
}

// Readers of all speeds, of which some fall behind what a tap holds, read all of
// it once and in order, whatever becomes of the tap.
func TestDurablesThatShareReadAllInOrder(t *testing.T) {
	c, _ := start(t)
	c.HoldInTaps(256)
	const total = 20_000
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var readers sync.WaitGroup
	var shared sync.Map
	for i := range 4 {
		readers.Go(func() {
			d := c.Durable(streamflow.StreamTicks, "", fmt.Sprint("reader", i), 0)
			defer d.Close()
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for want := int64(0); want < total; {
				messages, _, err := d.Next(ctx, 1+r.IntN(200))
				if err != nil {
					t.Errorf("reader %d waits for %d: %v", i, want, err)
					return
				}
				for _, m := range messages {
					if m.Position.Offset > want {
						t.Errorf("reader %d: %d came where %d was next", i, m.Position.Offset, want)
						return
					}
					if tick, err := m.Tick(); err != nil || tick.Volume != m.Position.Offset {
						t.Errorf("reader %d: tick %d is %+v (%v)", i, m.Position.Offset, tick, err)
						return
					}
					want = max(want, m.Position.Offset+1)
				}
				if r.IntN(3) > 0 {
					_ = d.Ack()
				}
				if d.Shares() {
					shared.Store(i, true)
				}
				if r.IntN(20) == 0 {
					time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
				}
			}
		})
	}
	cur := streamflow.Start
	r := rand.New(rand.NewPCG(9, 9))
	for cur.Next < total {
		cur = commit(t, c.Ticks(), cur, cur.Next, min(cur.Next+int64(r.IntN(300)), total-1))
		if r.IntN(4) == 0 {
			time.Sleep(time.Duration(r.IntN(10)) * time.Millisecond)
		}
	}
	readers.Wait()
	n := 0
	shared.Range(func(any, any) bool { n++; return true })
	if n == 0 {
		t.Error("nobody shared")
	}
}
