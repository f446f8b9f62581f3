package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"streamflow"
	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
)

// start runs a real nats-server in process and connects to it.
func start(t *testing.T) (*jetstream.Client, string) {
	t.Helper()
	server, err := embedded.StartNATS(embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	c := connect(t, server.URL())
	if _, err := c.Ensure(t.Context(), jetstream.DefaultLimits); err != nil {
		t.Fatal(err)
	}
	return c, server.URL()
}

func connect(t *testing.T, url string) *jetstream.Client {
	t.Helper()
	c, err := jetstream.Connect(url, t.Name(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

var partition = streamflow.Partition{Topic: streamflow.TopicTicks, Number: 0}

// ticks makes messages with offsets from first to last.
func ticks(first, last int64) (messages []streamflow.Message) {
	for offset := first; offset <= last; offset++ {
		messages = append(messages, streamflow.Message{
			Subject: streamflow.TickSubject("AAPL"), Previous: offset - 1,
			Position: streamflow.Position{Topic: partition.Topic, Partition: partition.Number, Offset: offset},
			Data:     fmt.Appendf(nil, `{"symbol":"AAPL","price":1,"volume":%d,"timestamp":1}`, offset),
		})
	}
	return messages
}

func commit(t *testing.T, m *jetstream.Mirror, cur streamflow.Cursor, first, last int64) streamflow.Cursor {
	t.Helper()
	cur.Next, cur.Last = last+1, last
	fence, err := m.Commit(t.Context(), partition, ticks(first, last), cur)
	if err != nil {
		t.Fatalf("commit %d-%d: %v", first, last, err)
	}
	cur.Fence = fence
	return cur
}

func TestCursorMovesWithItsBatch(t *testing.T) {
	c, _ := start(t)
	m := c.Ticks()
	if cur, err := m.Cursor(t.Context(), partition); err != nil || cur != streamflow.Start {
		t.Fatalf("empty stream: %+v, %v", cur, err)
	}
	cur := commit(t, m, streamflow.Start, 0, 998)
	cur = commit(t, m, cur, 999, 999)
	if got, err := m.Cursor(t.Context(), partition); err != nil || got != cur {
		t.Fatalf("cursor is %+v (%v), want %+v", got, err, cur)
	}
}

func TestStaleFenceIsRefusedWhole(t *testing.T) {
	c, _ := start(t)
	m := c.Ticks()
	old := commit(t, m, streamflow.Start, 0, 9)
	commit(t, m, old, 10, 49) // enough for a batch, which moves the cursor
	stale := streamflow.Cursor{Next: 15, Last: 14, Fence: old.Fence}
	if _, err := m.Commit(t.Context(), partition, ticks(10, 14), stale); !errors.Is(err, streamflow.ErrFenced) {
		t.Fatalf("stale commit: %v, want ErrFenced", err)
	}
	if n := count(t, c); n != 50 {
		t.Fatalf("%d ticks in the stream, want 50", n)
	}
}

func count(t *testing.T, c *jetstream.Client) (n int) {
	t.Helper()
	err := c.Scan(t.Context(), streamflow.StreamTicks, streamflow.SubjectAllTicks, true, func(*streamflow.Message) error { n++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A server that died within a commit may keep ticks without their cursor.
func TestCursorCountsTicksThatStandBehindIt(t *testing.T) {
	c, _ := start(t)
	m := c.Ticks()
	cur := commit(t, m, streamflow.Start, 0, 9)
	other := streamflow.Partition{Topic: partition.Topic, Number: 1}
	if _, err := m.Commit(t.Context(), other, ticks(10, 12), streamflow.Cursor{Next: 1, Last: 0}); err != nil {
		t.Fatal(err)
	}
	got, err := m.Cursor(t.Context(), partition)
	if want := (streamflow.Cursor{Next: 13, Last: 12, Fence: cur.Fence}); err != nil || got != want {
		t.Fatalf("cursor is %+v (%v), want %+v", got, err, want)
	}
}

func TestEnsureIsIdempotentAndRefusesWhatItCannotChange(t *testing.T) {
	c, _ := start(t)
	if changes, err := c.Ensure(t.Context(), jetstream.DefaultLimits); err != nil || len(changes) > 0 {
		t.Fatalf("second time: %v, %v", changes, err)
	}
	limits := jetstream.DefaultLimits
	limits.Age = time.Hour
	changes, err := c.Ensure(t.Context(), limits)
	if err != nil || len(changes) != 7 {
		t.Fatalf("new age: %v, %v", changes, err)
	}
}

// offsets reads messages first to last of the durable as a runner does: what
// comes again is skipped, and nothing may be left out.
func offsets(t *testing.T, d *jetstream.Durable, first, last int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for next := first; next <= last; {
		messages, _, err := d.Next(ctx, 1000)
		if err != nil {
			t.Fatalf("waiting for %d of %d-%d: %v", next, first, last, err)
		}
		for _, m := range messages {
			if m.Position.Offset > next {
				t.Fatalf("%d came where %d was next", m.Position.Offset, next)
			}
			next = max(next, m.Position.Offset+1)
		}
	}
}

// acknowledge acknowledges what was read until the server has it. Messages that
// were on the way when the durable was reset come again and are acknowledged
// again: acknowledgements with numbers from before the reset do not count.
func acknowledge(t *testing.T, d *jetstream.Durable) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; {
		_ = d.Ack() // what is acknowledged already says so
		undelivered, unacked, err := d.Pending(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if undelivered == 0 && unacked == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d undelivered and %d unacknowledged messages remain", undelivered, unacked)
		}
		again, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, _, _ = d.Next(again, 1000)
		cancel()
	}
}

// The standby must begin at the ack floor, not behind what the dead worker held.
func TestTakeOverDeliversWhatTheDeadWorkerHeld(t *testing.T) {
	c, url := start(t)
	m := c.Ticks()
	cur := commit(t, m, streamflow.Start, 0, 99)
	a := c.Durable(streamflow.StreamTicks, "", "test", 0)
	offsets(t, a, 0, 99)
	// A dies without a word: its connection is cut.
	b := connect(t, url).Durable(streamflow.StreamTicks, "", "test", 0)
	c.Close()
	commit(t, connect(t, url).Ticks(), cur, 100, 149)
	offsets(t, b, 0, 149)
}

func TestAckMovesTheFloorAndRewindGoesBack(t *testing.T) {
	c, url := start(t)
	cur := commit(t, c.Ticks(), streamflow.Start, 0, 99)
	a := c.Durable(streamflow.StreamTicks, "", "test", 0)
	offsets(t, a, 0, 99)
	acknowledge(t, a)
	a.Close()
	commit(t, c.Ticks(), cur, 100, 109)
	b := connect(t, url).Durable(streamflow.StreamTicks, "", "test", 0)
	offsets(t, b, 100, 109)
	if err := b.Rewind(t.Context()); err != nil {
		t.Fatal(err)
	}
	offsets(t, b, 0, 109)
}

func TestFeedGivesTheNewestThenWhatFollows(t *testing.T) {
	c, _ := start(t)
	cur := commit(t, c.Ticks(), streamflow.Start, 0, 9)
	feed := c.Feed()
	newest, last, err := feed.Snapshot(t.Context())
	if err != nil || len(newest) != 1 || newest[0].Position.Offset != 9 {
		t.Fatalf("snapshot %+v, %v", newest, err)
	}
	commit(t, c.Ticks(), cur, 10, 14)
	done := errors.New("done")
	want := int64(10)
	err = feed.Follow(t.Context(), last, func(batch []streamflow.Mirrored) error {
		for _, tick := range batch {
			if tick.Position.Offset != want {
				t.Errorf("offset %d, want %d", tick.Position.Offset, want)
			}
			want++
		}
		if want == 15 {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Fatal(err)
	}
}

// A few ticks are stored one by one; the cursor stays, and Cursor counts them.
func TestFewTicksAreCountedBehindTheCursor(t *testing.T) {
	c, _ := start(t)
	m := c.Ticks()
	cur, err := m.Claim(t.Context(), partition)
	if err != nil || cur.Next != 0 || cur.Last != -1 || cur.Fence == 0 {
		t.Fatalf("claim of nothing: %+v, %v", cur, err)
	}
	after := commit(t, m, cur, 0, 4)
	if after.Fence != cur.Fence {
		t.Fatalf("the fence moved from %d to %d", cur.Fence, after.Fence)
	}
	if got, err := m.Cursor(t.Context(), partition); err != nil || got != after {
		t.Fatalf("cursor is %+v (%v), want %+v", got, err, after)
	}
	claimed, err := m.Claim(t.Context(), partition)
	if err != nil || claimed.Next != 5 || claimed.Fence <= after.Fence {
		t.Fatalf("claimed %+v (%v)", claimed, err)
	}
	// The one from before the claim can store nothing more, few or many.
	for _, last := range []int64{5, 50} {
		stale := streamflow.Cursor{Next: last + 1, Last: last, Fence: after.Fence}
		if _, err := m.Commit(t.Context(), partition, ticks(5, last), stale); !errors.Is(err, streamflow.ErrFenced) {
			t.Fatalf("commit under a stale fence: %v", err)
		}
	}
	if n := count(t, c); n != 5 {
		t.Fatalf("%d ticks, want 5", n)
	}
}

// What was refused behind the last of few ticks is counted too.
func TestCursorCountsWhatWasRefusedBehindFewTicks(t *testing.T) {
	for _, replicated := range []bool{false, true} {
		c, _ := start(t)
		m := c.Ticks()
		cur, err := m.Claim(t.Context(), partition)
		if err != nil {
			t.Fatal(err)
		}
		if replicated {
			m.Replicated()
		}
		cur.Next, cur.Last = 7, 4 // 5 and 6 are dead letters
		if cur.Fence, err = m.Commit(t.Context(), partition, ticks(0, 4), cur); err != nil {
			t.Fatal(err)
		}
		if got, err := m.Cursor(t.Context(), partition); err != nil || got != cur {
			t.Errorf("cursor is %+v (%v), want %+v", got, err, cur)
		}
	}
}

func TestManyClaimAtOnceAndOneRemains(t *testing.T) {
	c, url := start(t)
	commit(t, c.Ticks(), streamflow.Start, 0, 19)
	cursors := make(chan streamflow.Cursor, 4)
	for range 4 {
		other := connect(t, url)
		go func() {
			cur, err := other.Ticks().Claim(context.Background(), partition)
			if err != nil {
				t.Error(err)
			}
			cursors <- cur
		}()
	}
	newest := uint64(0)
	for range 4 {
		cur := <-cursors
		if cur.Next != 20 || cur.Last != 19 {
			t.Errorf("claimed %+v", cur)
		}
		newest = max(newest, cur.Fence)
	}
	if fence, err := c.Ticks().Fence(t.Context(), partition); err != nil || fence != newest {
		t.Fatalf("the fence is %d (%v), the last claim's was %d", fence, err, newest)
	}
}

// Both ways of writing leave the same and refuse the same.
func TestWaysOfWritingAreEqual(t *testing.T) {
	for _, replicated := range []bool{false, true} {
		t.Run(fmt.Sprintf("replicated=%v", replicated), func(t *testing.T) {
			c, _ := start(t)
			m := c.Ticks()
			cur, err := m.Claim(t.Context(), partition)
			if err != nil {
				t.Fatal(err)
			}
			if replicated {
				m.Replicated()
			}
			stale := cur.Fence
			for _, last := range []int64{0, 3, 19, 20, 1018, 2017} {
				cur = commit(t, m, cur, cur.Next, last)
			}
			if replicated {
				m.Replicated()
			}
			late := streamflow.Cursor{Next: 2020, Last: 2019, Fence: stale}
			for _, last := range []int64{2018, 2100} {
				if _, err := m.Commit(t.Context(), partition, ticks(2018, last), late); !errors.Is(err, streamflow.ErrFenced) {
					t.Fatalf("stale fence: %v", err)
				}
			}
			if got, err := m.Cursor(t.Context(), partition); err != nil || got != cur {
				t.Fatalf("cursor %+v (%v), want %+v", got, err, cur)
			}
			next := int64(0)
			err = c.Scan(t.Context(), streamflow.StreamTicks, streamflow.SubjectAllTicks, true, func(msg *streamflow.Message) error {
				if msg.Position.Offset != next || msg.Previous != next-1 {
					t.Errorf("offset %d, previous %d, want %d", msg.Position.Offset, msg.Previous, next)
				}
				next++
				return nil
			})
			if err != nil || next != 2018 {
				t.Fatalf("%d ticks (%v), want 2018", next, err)
			}
		})
	}
}
