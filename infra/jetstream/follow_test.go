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
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
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
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
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

// A follower and a durable of another client of the process read by one tap; the
// follower misses nothing when it falls behind it, and when it goes.
func TestFollowerSharesATap(t *testing.T) {
	c, url := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	other, taps := connect(t, url), &jetstream.Taps{}
	c.Share(taps)
	other.Share(taps)
	c.HoldInTaps(64)
	const total = 10_000
	seen, done := make(chan int64, total), errors.New("done")
	ended := make(chan error, 1)
	go func() {
		ended <- other.Follow(ctx, streamflow.StreamTicks, 0, func(batch []streamflow.Message) error {
			for i := range batch {
				seen <- batch[i].Position.Offset
				if batch[i].Position.Offset == total-1 {
					return done
				}
			}
			if len(seen)%7 == 0 {
				time.Sleep(2 * time.Millisecond)
			}
			return nil
		})
	}()
	d := c.Durable(streamflow.StreamTicks, "", "one", 0)
	defer d.Close()
	shared, upTo := 0, streamflow.Start
	for n := int64(10); upTo.Next < total; n = n%150 + 10 {
		first := upTo.Next
		upTo = commit(t, c.Ticks(), upTo, first, min(first+n, total)-1)
		offsets(t, d, first, upTo.Next-1)
		if d.Ack() != nil {
			t.Fatal("not acknowledged")
		}
		if taps.Taps() == 1 && d.Shares() {
			shared++
		}
		if upTo.Next > total/2 { // the follower is alone
			d.Close()
			d = c.Durable(streamflow.StreamTicks, "", "one", 0)
		}
	}
	if err := <-ended; !errors.Is(err, done) {
		t.Fatal(err)
	}
	for want := range int64(total) {
		if got := <-seen; got != want {
			t.Fatalf("%d follows where %d was next", got, want)
		}
	}
	if shared == 0 {
		t.Error("they do not share")
	}
	eventually(t, "the tap is closed", func() bool { return taps.Taps() == 0 })
}
