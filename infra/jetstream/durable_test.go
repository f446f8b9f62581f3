package jetstream_test

import (
	"context"
	"testing"
	"time"

	"streamflow"
)

// A durable of an older version is given the filter of this one and keeps its
// place: nothing comes twice that was acknowledged, and nothing is left out.
func TestDurableKeepsItsPlaceWithAnotherFilter(t *testing.T) {
	c, url := start(t)
	cur := commit(t, c.Ticks(), streamflow.Start, 0, 99)
	old := c.Durable(streamflow.StreamTicks, "ticks.>", "test", 0)
	offsets(t, old, 0, 99)
	acknowledge(t, old)
	cur = commit(t, c.Ticks(), cur, 100, 149)
	offsets(t, old, 100, 119) // handed out, and not acknowledged
	old.Close()
	commit(t, c.Ticks(), cur, 150, 159)
	renewed := connect(t, url).Durable(streamflow.StreamTicks, "", "test", 0)
	first := next(t, renewed, 1)
	if at := first[0].Position.Offset; at != 100 {
		t.Fatalf("goes on at %d, want 100", at)
	}
	offsets(t, renewed, 101, 159)
	acknowledge(t, renewed)
}

// A cursor that is handed out is not a tick, and is not removed by the next one:
// what is removed counts as acknowledged, with all before it.
func TestDurableWithoutAFilterHoldsWhatIsNotAcknowledged(t *testing.T) {
	c, url := start(t)
	cur := commit(t, c.Ticks(), streamflow.Start, 0, 99)
	first := c.Durable(streamflow.StreamTicks, "", "test", 0)
	offsets(t, first, 0, 99)
	for n := int64(100); n < 1000; n += 100 {
		cur = commit(t, c.Ticks(), cur, n, n+99)
		offsets(t, first, n, n+99)
	}
	cursors := 0
	if err := c.Scan(t.Context(), streamflow.StreamTicks, streamflow.SubjectCursors, true, func(*streamflow.Message) error { cursors++; return nil }); err != nil || cursors != 10 {
		t.Errorf("%d cursors of 10 are there, %v", cursors, err)
	}
	first.Close()
	second := connect(t, url).Durable(streamflow.StreamTicks, "", "test", 0)
	defer second.Close()
	offsets(t, second, 0, 999)
	acknowledge(t, second)

	// A cursor alone is taken and acknowledged, though nobody is told of it.
	if _, err := c.Ticks().Claim(t.Context(), streamflow.Partition{Topic: streamflow.TopicTicks}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * time.Minute); ; {
		wait, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		messages, _, _ := second.Next(wait, 1000)
		cancel()
		if len(messages) > 0 { // on the way since before the reset
			if err := second.Ack(); err != nil {
				t.Fatal(err)
			}
		}
		pending, unacked, err := second.Pending(t.Context())
		if err == nil && pending == 0 && unacked == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d messages wait, %d are not acknowledged, %v", pending, unacked, err)
		}
	}
}

func next(t *testing.T, d interface {
	Next(ctx context.Context, limit int) ([]streamflow.Message, bool, error)
}, limit int) []streamflow.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	messages, _, err := d.Next(ctx, limit)
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

// To go on behind any sequence is possible, whether it is there or not.
func TestDurableSeeksAnywhere(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	cur := commit(t, c.Ticks(), streamflow.Start, 0, 99)
	_, last, err := c.Bounds(ctx, streamflow.StreamTicks)
	if err != nil {
		t.Fatal(err)
	}
	begin := last - 100 // the last message is the cursor
	d := c.Durable(streamflow.StreamTicks, "", "test", 0)
	defer d.Close()
	for _, s := range []struct {
		behind uint64
		want   int64
	}{{begin + 41, 42}, {begin + 9, 10}, {0, 0}, {1, 0}, {begin - 5, 0}, {last + 1000, 0}, {begin + 98, 99}} {
		if err := d.Seek(ctx, s.behind); err != nil {
			t.Fatalf("behind %d: %v", s.behind, err)
		}
		if got := next(t, d, 1)[0].Position.Offset; got != s.want {
			t.Errorf("behind %d comes %d, want %d", int64(s.behind-begin), got, s.want)
		}
		if err := d.Ack(); err != nil {
			t.Error(err)
		}
	}
	if err := d.Seek(ctx, last); err != nil { // behind all that there is
		t.Fatal(err)
	}
	commit(t, c.Ticks(), cur, 100, 104)
	offsets(t, d, 100, 104)
	acknowledge(t, d)
}

// Who owns a durable goes on owning it, and is not told that it may have moved.
func TestDurableStaysPinnedWhenItSeeks(t *testing.T) {
	c, url := start(t)
	commit(t, c.Ticks(), streamflow.Start, 0, 998)
	owner := c.Durable(streamflow.StreamTicks, "", "test", 0)
	defer owner.Close()
	begin := next(t, owner, 1)[0].Sequence
	standby := connect(t, url).Durable(streamflow.StreamTicks, "", "test", 0)
	defer standby.Close()
	wait, cancel := context.WithCancel(t.Context())
	stole := make(chan int, 1)
	go func() {
		messages, _, _ := standby.Next(wait, 10)
		stole <- len(messages)
	}()
	for _, behind := range []uint64{500, 20, 700} {
		if err := owner.Seek(t.Context(), begin+behind); err != nil {
			t.Fatal(err)
		}
		for want := int64(behind) + 1; want < int64(behind)+50; {
			messages, fresh, err := owner.Next(t.Context(), 50)
			if err != nil || fresh {
				t.Fatalf("fresh %v, %v", fresh, err)
			}
			for _, m := range messages {
				if m.Position.Offset != want {
					t.Fatalf("behind %d comes %d, want %d", behind, m.Position.Offset, want)
				}
				want++
			}
		}
	}
	cancel()
	if n := <-stole; n > 0 {
		t.Errorf("the standby was given %d messages", n)
	}
}

func TestDurableOfAFunctionIsRemoved(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	commit(t, c.Ticks(), streamflow.Start, 0, 9)
	d := c.Durable(streamflow.StreamTicks, "", "test", 3)
	offsets(t, d, 0, 9)
	acknowledge(t, d)
	d.Close()
	for range 2 { // the second time there is none
		if err := c.DeleteDurable(ctx, streamflow.StreamTicks, "test", 3); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := d.Pending(ctx); err == nil {
		t.Error("it is still there")
	}
}

// Checkpoints and states stand among results and are none.
func TestDurableOfResultsBringsFactsAndViewsOnly(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	l := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, 0)
	fence := uint64(0)
	var err error
	for n := range int64(20) {
		if fence, err = l.Commit(ctx, facts(5*n, 5*n+5), []byte("page"), fence); err != nil {
			t.Fatal(err)
		}
		if err := l.WriteState(ctx, int(n%2), [][]byte{[]byte("state")}, fence); err != nil {
			t.Fatal(err)
		}
		view := fact(0)
		view.Position = streamflow.Position{}
		if err := l.Show(ctx, []streamflow.Message{view}, fence); err != nil {
			t.Fatal(err)
		}
	}
	d := c.Durable(streamflow.StreamCandles, streamflow.SubjectAllCandles, "reverse-candles", 0)
	defer d.Close()
	views, want := make(map[uint64]bool), int64(0)
	for len(views) < 20 || want < 100 {
		for _, m := range next(t, d, 1000) {
			switch {
			case m.Position.Topic == "" && m.Cause.Topic != "":
				views[m.Sequence] = true
			case m.Position.Topic == "" || m.Position.Offset > want || m.Previous != m.Position.Offset-1:
				t.Fatalf("%+v came where fact %d was next", m, want)
			default: // what was on the way before the reset comes again
				want = max(want, m.Position.Offset+1)
			}
		}
	}
	acknowledge(t, d)
	if heads, err := d.Heads(ctx); err != nil || len(heads) > 0 {
		t.Errorf("heads %v, %v, want none", heads, err)
	}
}
