package jetstream_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"streamflow"
	"streamflow/infra/jetstream"
)

// Whoever follows a stream of results sees facts and views, and none of what
// the functions keep among them.
func TestFollowResults(t *testing.T) {
	c, _ := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	l := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, 0)
	fence, err := l.Commit(ctx, facts(0, 3), []byte("page"), 0)
	if err != nil {
		t.Fatal(err)
	}
	newest, last, err := c.Snapshot(ctx, streamflow.StreamCandles, streamflow.SubjectAllCandles)
	if err != nil || len(newest) != 1 || newest[0].Position.Offset != 2 || last != fence {
		t.Fatalf("snapshot %+v up to %d, %v", newest, last, err)
	}
	view := fact(3)
	view.Position = streamflow.Position{}
	if err := l.Show(ctx, []streamflow.Message{view}, fence); err != nil {
		t.Fatal(err)
	}
	if err := l.WriteState(ctx, 0, [][]byte{[]byte("state")}, fence); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(ctx, facts(3, 5), []byte("page"), fence); err != nil {
		t.Fatal(err)
	}
	done := errors.New("done")
	var got []streamflow.Message
	err = c.Follow(ctx, streamflow.StreamCandles, last, func(batch []streamflow.Message) error {
		if got = append(got, batch...); len(got) >= 3 {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) || len(got) != 3 {
		t.Fatalf("%d messages, %v", len(got), err)
	}
	if got[0].Position.Topic != "" || got[0].Cause != view.Cause || got[1].Position.Offset != 3 || got[2].Position.Offset != 4 {
		t.Errorf("what follows is %+v", got)
	}
	newest, _, err = c.Snapshot(ctx, streamflow.StreamCandles, "")
	if err != nil || len(newest) != 1 {
		t.Errorf("without a filter the snapshot has %d subjects, %v", len(newest), err)
	}
}

// A follower is told when the stream is made anew under it.
func TestFollowerIsToldOfARebuild(t *testing.T) {
	c, _ := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	commit(t, c.Ticks(), streamflow.Start, 0, 99)
	seen := make(chan int, 1000)
	ended := make(chan error, 1)
	go func() {
		ended <- c.Follow(ctx, streamflow.StreamTicks, 0, func(batch []streamflow.Message) error {
			seen <- len(batch)
			return nil
		})
	}()
	for n := 0; n < 100; {
		select {
		case more := <-seen:
			n += more
		case <-ctx.Done():
			t.Fatalf("%d of 100 ticks came", n)
		}
	}
	if err := c.DeleteStreams(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ensure(ctx, jetstream.DefaultLimits); err != nil {
		t.Fatal(err)
	}
	commit(t, c.Ticks(), streamflow.Start, 0, 499)
	if err := <-ended; !errors.Is(err, streamflow.ErrRebuilt) {
		t.Errorf("it ends with %v", err)
	}
}
