package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/infra/jetstream"
)

var (
	_ functions.Ledger     = (*jetstream.Ledger)(nil)
	_ functions.StepSource = (*jetstream.Durable)(nil)
)

func fact(n int64) streamflow.Message {
	return streamflow.Message{
		Subject: streamflow.CandleSubject(streamflow.Minute1, "AAPL"), Data: fmt.Append(nil, n), Hops: "kafka=1;",
		Position: streamflow.Position{Topic: "candles.e", Partition: 0, Offset: n}, Previous: n - 1,
		Cause: streamflow.Position{Topic: "stock_ticks", Partition: 2, Offset: 100 + n},
	}
}

func facts(from, to int64) (list []streamflow.Message) {
	for n := from; n < to; n++ {
		list = append(list, fact(n))
	}
	return list
}

// read returns what stands in a stream of results.
func read(t *testing.T, c *jetstream.Client, stream, filter string) (list []streamflow.Message) {
	t.Helper()
	if err := c.Scan(t.Context(), stream, filter, false, func(m *streamflow.Message) error {
		list = append(list, *m)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestLedgerCommitsAllOrNothing(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	l := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, 0)
	if data, fence, err := l.Load(ctx); data != nil || fence != 0 || err != nil {
		t.Fatalf("an empty ledger: %q, %d, %v", data, fence, err)
	}
	fence, err := l.Commit(ctx, nil, []byte("one"), 0)
	if err != nil {
		t.Fatal(err)
	}
	next, err := l.Commit(ctx, facts(0, functions.MaxFacts), []byte("two"), fence)
	if err != nil {
		t.Fatal(err)
	}
	for _, stale := range []uint64{0, fence} {
		if _, err := l.Commit(ctx, facts(900, 905), []byte("three"), stale); !errors.Is(err, streamflow.ErrFenced) {
			t.Errorf("with fence %d: %v, want it fenced", stale, err)
		}
	}
	data, now, err := l.Load(ctx)
	if string(data) != "two" || now != next || err != nil {
		t.Errorf("loaded %q at %d (%v), want two at %d", data, now, err, next)
	}
	got := read(t, c, streamflow.StreamCandles, streamflow.SubjectAllCandles)
	if len(got) != functions.MaxFacts {
		t.Fatalf("%d facts are stored, want %d", len(got), functions.MaxFacts)
	}
	for i, m := range got {
		if want := fact(int64(i)); m.Position != want.Position || m.Cause != want.Cause || m.Previous != want.Previous || m.Hops != want.Hops || string(m.Data) != string(want.Data) {
			t.Fatalf("fact %d is %+v, want %+v", i, m, want)
		}
	}
}

func TestLedgerKeepsStateUnderTheFence(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	l := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, 3)
	fence, err := l.Commit(ctx, nil, []byte("one"), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, pieces := range [][][]byte{{[]byte("a"), []byte("b"), []byte("c")}, {[]byte("d"), make([]byte, l.MaxPiece())}} {
		if err := l.WriteState(ctx, 1, pieces, fence); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.WriteState(ctx, 1, [][]byte{[]byte("zombie")}, fence+1); !errors.Is(err, streamflow.ErrFenced) {
		t.Errorf("under another fence: %v", err)
	}
	got, err := l.ReadState(ctx, 1, 4)
	if err != nil || len(got) != 4 || string(got[0]) != "d" || len(got[1]) != l.MaxPiece() || string(got[2]) != "c" || got[3] != nil {
		t.Errorf("read %d pieces (%v): %.10q", len(got), err, got)
	}
	if got := read(t, c, streamflow.StreamCandles, streamflow.SubjectAllCandles); len(got) > 0 {
		t.Errorf("state stands among the candles: %v", got)
	}
	if err := c.PurgeStates(ctx, streamflow.StreamCandles, streamflow.FunctionCandles, 2); err != nil {
		t.Fatal(err)
	}
	if got, err := l.ReadState(ctx, 1, 1); err != nil || got[0] != nil {
		t.Errorf("after the purge: %q, %v", got, err)
	}
	if data, _, err := l.Load(ctx); string(data) != "one" || err != nil {
		t.Errorf("the checkpoint after the purge: %q, %v", data, err)
	}
}

// A generation without states hides none before it, and the present one stays.
func TestStatesOfAllEarlierGenerationsArePurged(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	ledgers := make(map[int]*jetstream.Ledger)
	for _, generation := range []int{1, 2, 5, 6} { // 3 and 4 have none
		l := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, generation, 0)
		fence, err := l.Commit(ctx, nil, []byte("one"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.WriteState(ctx, 0, [][]byte{[]byte("state")}, fence); err != nil {
			t.Fatal(err)
		}
		ledgers[generation] = l
	}
	if err := c.PurgeStates(ctx, streamflow.StreamCandles, streamflow.FunctionCandles, 5); err != nil {
		t.Fatal(err)
	}
	for generation, l := range ledgers {
		got, err := l.ReadState(ctx, 0, 1)
		if kept := got[0] != nil; err != nil || kept != (generation >= 5) {
			t.Errorf("generation %d is kept: %v, %v", generation, kept, err)
		}
	}
}

func TestLedgerShowsViewsUnderTheFence(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	l := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, 0)
	fence, err := l.Commit(ctx, nil, []byte("one"), 0)
	if err != nil {
		t.Fatal(err)
	}
	view := fact(0)
	view.Position = streamflow.Position{}
	if err := l.Show(ctx, []streamflow.Message{view, view}, fence); err != nil {
		t.Fatal(err)
	}
	if err := l.Show(ctx, []streamflow.Message{view}, fence-1); !errors.Is(err, streamflow.ErrFenced) {
		t.Errorf("under another fence: %v", err)
	}
	got := read(t, c, streamflow.StreamCandles, streamflow.SubjectAllCandles)
	if len(got) != 2 || got[0].Position.Topic != "" || got[0].Cause != view.Cause {
		t.Errorf("views are %+v", got)
	}
}

func TestLedgerRejectsOnce(t *testing.T) {
	c, _ := start(t)
	l := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, 0)
	letter := streamflow.DeadLetter{
		Position: streamflow.Position{Topic: "stock_ticks", Partition: 1, Offset: 7}, Reason: "step_failed", Detail: "boom", Key: []byte("A B"), Value: []byte("{}"),
		Headers: []streamflow.Header{{Key: "Stack", Value: []byte("goroutine 1\n")}},
	}
	for range 3 {
		if err := l.Reject(t.Context(), letter); err != nil {
			t.Fatal(err)
		}
	}
	got := read(t, c, streamflow.StreamDeadLetters, streamflow.SubjectAllLetters)
	if len(got) != 1 || got[0].Position != letter.Position || string(got[0].Data) != "{}" || len(got[0].Headers) != 4 {
		t.Errorf("dead letters are %+v", got)
	}
	if got := read(t, c, streamflow.StreamDeadLetters, streamflow.SubjectAllDeadLetters); len(got) != 0 {
		t.Errorf("it stands among those of the bridge: %+v", got)
	}
}

// What a function, or a partition, had nothing to do to for longer than the
// stream keeps its messages, is still there; its messages are not.
func TestPositionsOutliveTheirMessages(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	limits := jetstream.DefaultLimits
	limits.Age = time.Second
	if _, err := c.Ensure(ctx, limits); err != nil {
		t.Fatal(err)
	}
	l := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, 0)
	fence, err := l.Commit(ctx, facts(0, 3), []byte("one"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.WriteState(ctx, 0, [][]byte{[]byte("state")}, fence); err != nil {
		t.Fatal(err)
	}
	m := c.Ticks()
	cur := streamflow.Cursor{Next: 100, Last: 99}
	if cur.Fence, err = m.Commit(ctx, partition, ticks(80, 99), cur); err != nil {
		t.Fatal(err)
	}
	deadline, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for len(read(t, c, streamflow.StreamCandles, streamflow.SubjectAllCandles)) > 0 || len(read(t, c, streamflow.StreamTicks, streamflow.SubjectAllTicks)) > 0 {
		if err := c.Trim(ctx); err != nil {
			t.Fatal(err)
		}
		select {
		case <-deadline.Done():
			t.Fatal("the messages do not expire")
		case <-time.After(100 * time.Millisecond):
		}
	}
	if data, _, err := l.Load(ctx); string(data) != "one" || err != nil {
		t.Errorf("the checkpoint is %q, %v", data, err)
	}
	if got, err := l.ReadState(ctx, 0, 1); err != nil || string(got[0]) != "state" {
		t.Errorf("the state is %q, %v", got, err)
	}
	if got, err := m.Claim(ctx, partition); err != nil || got.Next != 100 || got.Last != 99 {
		t.Errorf("the cursor is %+v, %v", got, err)
	}
}

// A stream that is made anew does not repeat the sequences of the one before.
func TestRebuiltStreamIsKnown(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	commit(t, c.Ticks(), streamflow.Start, 0, 49)
	_, last, err := c.Feed().Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	d := c.Durable(streamflow.StreamTicks, streamflow.SubjectAllTicks, "f", 0)
	if err := d.Seek(ctx, last-10); err != nil {
		t.Fatal(err)
	}
	if m, _, err := d.Next(ctx, 1); err != nil || m[0].Sequence != last-9 {
		t.Fatalf("behind %d comes %+v, %v", last-10, m, err)
	}
	d.Close()
	if err := c.DeleteStreams(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ensure(ctx, jetstream.DefaultLimits); err != nil {
		t.Fatal(err)
	}
	commit(t, c.Ticks(), streamflow.Start, 0, 199)
	err = c.Follow(ctx, streamflow.StreamTicks, last, func(m []streamflow.Message) error { return fmt.Errorf("%d messages come", len(m)) })
	if !errors.Is(err, streamflow.ErrRebuilt) {
		t.Errorf("who follows from %d on: %v", last, err)
	}
	if err := d.Seek(ctx, last-10); err != nil {
		t.Fatal(err)
	}
	if m, _, err := d.Next(ctx, 1); err != nil || m[0].Position.Offset != 0 {
		t.Errorf("the function goes on with %+v, %v, want the first tick", m, err)
	}
}
