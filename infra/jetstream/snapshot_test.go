package jetstream_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"

	"streamflow"
	"streamflow/infra/jetstream"
)

// TestCopyOfAStreamThatIsWritten: what is restored has a checkpoint and exactly
// the facts that it covers, though both moved on while the copy was taken, and
// the server had removed checkpoints before it could read them.
func TestCopyOfAStreamThatIsWritten(t *testing.T) {
	c, _ := start(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	l := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, 0)
	moved, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		var fence uint64
		for n := int64(0); ; n += 5 {
			next, err := l.Commit(ctx, facts(n, n+5), strconv.AppendInt(nil, n+5, 10), fence)
			if ctx.Err() != nil {
				ended <- nil
				return
			}
			if err != nil {
				ended <- err
				return
			}
			fence = next
			select {
			case moved <- struct{}{}:
			default:
			}
		}
	}()
	for range 200 { // commits
		<-moved
	}
	var snapshot, tail bytes.Buffer
	about, err := c.CopyStream(t.Context(), streamflow.StreamCandles, &snapshot)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 { // what the copy lacks is in the tail
		<-moved
	}
	n, err := c.Tail(t.Context(), streamflow.StreamCandles, about.Last, &tail)
	if err != nil || n == 0 {
		t.Fatalf("a tail of %d: %v", n, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}

	other, _ := start(t)
	if err := other.DropEmpty(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := other.RestoreStream(t.Context(), about, &snapshot, &tail); err != nil {
		t.Fatal(err)
	}
	got := other.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, 0)
	checkpoint, fence, err := got.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	covered, err := strconv.ParseInt(string(checkpoint), 10, 64)
	if err != nil {
		t.Fatalf("the checkpoint is %q: %v", checkpoint, err)
	}
	have := read(t, other, streamflow.StreamCandles, streamflow.SubjectAllCandles)
	for i, m := range have {
		if want := fact(int64(i)); m.Position != want.Position || !bytes.Equal(m.Data, want.Data) || m.Cause != want.Cause {
			t.Fatalf("message %d is %+v", i, m)
		}
	}
	if int64(len(have)) != covered {
		t.Errorf("%d facts, and the checkpoint covers %d", len(have), covered)
	}
	if have[0].Sequence != about.First && about.First != 0 && have[0].Sequence < about.First {
		t.Errorf("the first has sequence %d, want one from %d on", have[0].Sequence, about.First)
	}
	if _, err := got.Commit(t.Context(), facts(covered, covered+1), []byte("on"), fence); err != nil {
		t.Errorf("it does not go on: %v", err)
	}
	if err := other.DropEmpty(t.Context()); err == nil {
		t.Error("a stream with messages was dropped")
	}
	full, err := other.Occupied(t.Context())
	if err != nil || len(full) != 1 {
		t.Errorf("occupied: %v, %v", full, err)
	}
}

// TestRestoreRefusesWhatIsNoSnapshot: and names the stream.
func TestRestoreRefusesWhatIsNoSnapshot(t *testing.T) {
	c, _ := start(t)
	cur := commit(t, c.Ticks(), streamflow.Start, 0, 99)
	var snapshot bytes.Buffer
	about, err := c.CopyStream(t.Context(), streamflow.StreamTicks, &snapshot)
	if err != nil || cur.Next != 100 {
		t.Fatal(err)
	}
	if err := c.RestoreStream(t.Context(), about, bytes.NewReader(snapshot.Bytes()), &bytes.Buffer{}); err == nil {
		t.Error("a stream that is there was restored")
	}
	other, _ := start(t)
	if err := other.DropEmpty(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := other.RestoreStream(t.Context(), about, bytes.NewReader(snapshot.Bytes()[:snapshot.Len()/2]), &bytes.Buffer{}); err == nil {
		t.Error("half a snapshot was restored")
	}
	if _, err := c.CopyStream(t.Context(), "NONE", &snapshot); err == nil {
		t.Error("a stream that is not there was copied")
	}
}

// TestDurablesAndCursorsGoOn: a restored durable is where it was, and a cursor
// is adopted by the topic's new id, unless it is ahead of it.
func TestDurablesAndCursorsGoOn(t *testing.T) {
	c, _ := start(t)
	cur := streamflow.Start
	cur.TopicID = "old"
	commit(t, c.Ticks(), cur, 0, 99)
	d := c.Durable(streamflow.StreamTicks, "", streamflow.FunctionArchive, 0)
	offsets(t, d, 0, 99)
	acknowledge(t, d)
	d.Close()
	durables, err := c.Durables(t.Context(), streamflow.StreamTicks)
	if err != nil || len(durables) != 1 || durables[0].Floor == 0 {
		t.Fatalf("%+v, %v", durables, err)
	}
	var snapshot bytes.Buffer
	about, err := c.CopyStream(t.Context(), streamflow.StreamTicks, &snapshot)
	if err != nil {
		t.Fatal(err)
	}

	other, _ := start(t)
	if err := other.DropEmpty(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := other.RestoreStream(t.Context(), about, &snapshot, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	if err := other.RestoreDurable(t.Context(), durables[0]); err != nil {
		t.Fatal(err)
	}
	if err := other.Ticks().Adopt(t.Context(), partition, "new", 99); err == nil {
		t.Error("a cursor beyond the end of the topic was adopted")
	}
	if err := other.Ticks().Adopt(t.Context(), partition, "new", 100); err != nil {
		t.Fatal(err)
	}
	none := streamflow.Partition{Topic: partition.Topic, Number: 1}
	if err := other.Ticks().Adopt(t.Context(), none, "new", 0); err != nil {
		t.Fatal(err)
	}
	if fence, err := other.Ticks().Fence(t.Context(), none); err != nil || fence != 0 {
		t.Errorf("a partition of which nothing was mirrored has a cursor: %d, %v", fence, err)
	}
	cur, err = other.Ticks().Cursor(t.Context(), partition)
	if err != nil || cur.Next != 100 || cur.TopicID != "new" {
		t.Fatalf("%+v, %v", cur, err)
	}
	commit(t, other.Ticks(), cur, 100, 109)
	d = other.Durable(streamflow.StreamTicks, "", streamflow.FunctionArchive, 0)
	offsets(t, d, 100, 109)
	d.Close()
}

// FuzzTail: whatever stands in a tail, it is published or refused.
func FuzzTail(f *testing.F) {
	f.Add([]byte(`{"subject":"ticks.A","seq":1,"header":{"Nats-Rollup":["sub"]},"data":"MQ=="}` + "\n"))
	f.Add([]byte(`{"subject":"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := jetstream.ReadTail(bytes.NewReader(data))
		if err == nil && n > bytes.Count(data, []byte("}")) {
			t.Error(errors.New(fmt.Sprint(n, " messages")))
		}
	})
}
