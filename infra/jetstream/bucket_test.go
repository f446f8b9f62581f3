package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions/notify"
	"streamflow/infra/jetstream"
)

var _ notify.Queue = (*jetstream.Queue)(nil)

func TestBucketUpdatesByRevision(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	b := c.Bucket(streamflow.BucketFunctions)
	first, err := b.Update(ctx, "candles", []byte("1"), 0)
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.Update(ctx, "candles", []byte("2"), first)
	if err != nil {
		t.Fatal(err)
	}
	for _, stale := range []uint64{0, first, second + 5} {
		if _, err := b.Update(ctx, "candles", []byte("x"), stale); !errors.Is(err, streamflow.ErrFenced) {
			t.Errorf("update at revision %d: %v, want it fenced", stale, err)
		}
	}
	if err := b.Remove(ctx, "candles", first); !errors.Is(err, streamflow.ErrFenced) {
		t.Errorf("removed at revision %d: %v, want it fenced", first, err)
	}
	if err := b.Remove(ctx, "candles", second); err != nil {
		t.Error(err)
	}
	if err := b.Delete(ctx, "nobody"); err != nil {
		t.Error(err)
	}
}

func TestBucketWatchTellsWhatIsThereAndWhatChanges(t *testing.T) {
	c, _ := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	b := c.Bucket(streamflow.BucketRules)
	if err := b.Put(ctx, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	seen := make(chan string, 10)
	go func() {
		_ = b.Watch(ctx, func(key string, value []byte, _ uint64) { seen <- fmt.Sprintf("%s=%s,%v", key, value, value == nil) })
	}()
	want := func(s string) {
		t.Helper()
		select {
		case got := <-seen:
			if got != s {
				t.Errorf("the watch tells %q, want %q", got, s)
			}
		case <-ctx.Done():
			t.Fatalf("the watch never tells %q", s)
		}
	}
	want("a=1,false")
	want("=,true")
	if err := b.Put(ctx, "b", []byte("2")); err != nil {
		t.Fatal(err)
	}
	want("b=2,false")
	if err := b.Delete(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	want("a=,true")
	if err := c.Bucket("nowhere").Put(ctx, "a", nil); err == nil {
		t.Error("a bucket that is not there takes a value")
	}
}

func TestQueueDeliversEachUntilItIsDone(t *testing.T) {
	c, _ := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	l := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, 0)
	fence, err := l.Commit(ctx, facts(0, 3), []byte("one"), 0) // before the queue is made: not delivered
	if err != nil {
		t.Fatal(err)
	}
	q := c.Queue(streamflow.StreamCandles, streamflow.SubjectAllCandles, "notify-test")
	defer q.Close()
	for made := false; !made; {
		soon, stop := context.WithTimeout(ctx, 200*time.Millisecond)
		if m, _, err := q.Next(soon); err == nil {
			t.Fatalf("an old message is delivered: %+v", m)
		}
		stop()
		_, _, err := q.Pending(ctx)
		made = err == nil
	}
	if _, err := l.Commit(ctx, facts(3, 5), []byte("two"), fence); err != nil {
		t.Fatal(err)
	}
	next := func(offset int64, delivered int) uint64 {
		t.Helper()
		m, n, err := q.Next(ctx)
		if err != nil || m.Position.Offset != offset || n != delivered {
			t.Fatalf("delivered %v for the %d. time (%v), want %d for the %d.", m.Position, n, err, offset, delivered)
		}
		return m.Sequence
	}
	again, other := next(3, 1), next(4, 1)
	if err := q.NakWithDelay(again, 200*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := q.Ack(other); err != nil {
		t.Fatal(err)
	}
	if err := q.Term(next(3, 2), "no use"); err != nil {
		t.Fatal(err)
	}
	if err := q.Ack(again); err == nil {
		t.Error("what is done with can be acknowledged")
	}
	for {
		undelivered, unacked, err := q.Pending(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if undelivered == 0 && unacked == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
