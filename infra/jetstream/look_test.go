package jetstream_test

import (
	"log/slog"
	"runtime"
	"testing"

	"streamflow"
	"streamflow/infra/embedded"
)

func TestLook(t *testing.T) {
	c, _ := start(t)
	commit(t, c.Ticks(), streamflow.Start, 0, 99)
	d := c.Durable(streamflow.StreamTicks, streamflow.SubjectAllTicks, "candles", 0)
	t.Cleanup(d.Close)
	if _, _, err := d.Next(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	looks, err := c.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range looks {
		if l.Name != streamflow.StreamTicks {
			continue
		}
		if l.Messages != 101 || l.Last != l.First+100 || l.Bytes == 0 || l.LastAt.IsZero() || len(l.Consumers) != 1 {
			t.Fatalf("%+v", l)
		}
		if w := l.Consumers[0]; w.Name != "candles-0" || w.Pending+uint64(w.AckPending) != 100 || w.AckFloor >= l.First {
			t.Errorf("%+v", w)
		}
		return
	}
	t.Fatalf("no TICKS in %+v", looks)
}

func TestBack(t *testing.T) {
	c, _ := start(t)
	m := c.Ticks()
	cur := streamflow.Start
	for i := range int64(40) { // cursors that are gone leave holes among the sequences
		cur = commit(t, m, cur, i*20, i*20+19)
	}
	all := func(*streamflow.Message) bool { return true }
	even := func(m *streamflow.Message) bool { return m.Position.Offset%2 == 0 }
	for name, pick := range map[string]func(*streamflow.Message) bool{"all": all, "even": even} {
		var offsets []int64
		for upTo, pages := uint64(0), 0; ; pages++ {
			found, next, err := c.Back(t.Context(), streamflow.StreamTicks, "ticks.*", upTo, 70, pick)
			if err != nil || len(found) > 70 || pages > 20 {
				t.Fatal(len(found), pages, err)
			}
			for _, m := range found {
				offsets = append(offsets, m.Position.Offset)
			}
			if upTo = next; next == 0 {
				break
			}
		}
		step := int64(1)
		if name == "even" {
			step = 2
		}
		for i, offset := range offsets {
			if want := 800 - step*int64(i+1); offset != want {
				t.Fatalf("%s: message %d has offset %d, want %d", name, i, offset, want)
			}
		}
		if int64(len(offsets)) != 800/step {
			t.Errorf("%s: %d messages", name, len(offsets))
		}
	}
	if found, next, err := c.Back(t.Context(), streamflow.StreamDeadLetters, "dlq.>", 0, 5, all); err != nil || len(found) != 0 || next != 0 {
		t.Errorf("an empty stream: %v %d %v", found, next, err)
	}
}

// Where much stands together and little of it is wanted, it stops within bounds
// and says where to go on.
func TestBackIsBounded(t *testing.T) {
	c, _ := start(t)
	m := c.Ticks()
	cur := streamflow.Start
	for i := range int64(52) {
		cur = commit(t, m, cur, i*500, i*500+499)
	}
	none := func(m *streamflow.Message) bool { return m.Position.Offset == 3 }
	found, next, err := c.Back(t.Context(), streamflow.StreamTicks, "ticks.*", 0, 5, none)
	if err != nil || len(found) != 0 || next == 0 {
		t.Fatal(found, next, err)
	}
	found, next, err = c.Back(t.Context(), streamflow.StreamTicks, "ticks.*", next, 5, none)
	if err != nil || len(found) != 1 || next != 0 {
		t.Fatal(found, next, err)
	}
}

func TestCaused(t *testing.T) {
	c, _ := start(t)
	m := c.Ticks()
	place := func(partition int32, offset int64) streamflow.Position {
		return streamflow.Position{Topic: streamflow.TopicTicks, Partition: partition, Offset: offset}
	}
	// Two partitions that take turns; of each only the offsets that 3 divides.
	for round := range int64(30) {
		for partition := range int32(2) {
			p := streamflow.Partition{Topic: streamflow.TopicTicks, Number: partition}
			cur, err := m.Cursor(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			var batch []streamflow.Message
			for i := range int64(10) {
				at := place(partition, 3*(10*round+i))
				batch = append(batch, streamflow.Message{Subject: "ticks.AAPL", Data: []byte("{}"), Position: at, Previous: cur.Last})
				cur.Next, cur.Last = at.Offset+1, at.Offset
			}
			if _, err := m.Commit(t.Context(), p, batch, cur); err != nil {
				t.Fatal(err)
			}
		}
	}
	for partition := range int32(2) {
		for offset := int64(0); offset < 900; offset += 37 {
			found, err := c.Caused(t.Context(), streamflow.StreamTicks, "ticks.AAPL", place(partition, offset))
			want := (offset + 2) / 3 * 3
			if want > 897 {
				if err != nil || len(found) != 0 {
					t.Fatalf("behind the end: %v, %v", found, err)
				}
				continue
			}
			if err != nil || len(found) != 1 || found[0].Position != place(partition, want) {
				t.Fatalf("%d/%d: %v, %v, want %d", partition, offset, found, err, want)
			}
		}
	}
	if found, err := c.Caused(t.Context(), streamflow.StreamTicks, "ticks.MSFT", place(0, 3)); err != nil || len(found) != 0 {
		t.Errorf("another subject: %v, %v", found, err)
	}
	if _, ok, err := c.At(t.Context(), streamflow.StreamTicks, 1<<40); err != nil || ok {
		t.Errorf("at nothing: %v %v", ok, err)
	}
	newest, err := c.Newest(t.Context(), streamflow.StreamTicks, "ticks.>")
	if err != nil || len(newest) != 1 || newest[0].Position != place(1, 897) {
		t.Fatalf("newest %v %v", newest, err)
	}
	e, ok, err := c.At(t.Context(), streamflow.StreamTicks, newest[0].Sequence)
	if err != nil || !ok || e.Subject != "ticks.AAPL" || e.Position != newest[0].Position || !e.Stored.Equal(newest[0].Stored) {
		t.Errorf("%+v %v %v", e, ok, err)
	}
}

func TestBucketRead(t *testing.T) {
	c, _ := start(t)
	b := c.Bucket("letters-of-a-test")
	keys := []string{"bridge/stock_ticks/0/7", "missing"}
	if kept, err := b.Read(t.Context(), keys); err != nil || len(kept) != 2 || kept[0].Revision != 0 {
		t.Fatalf("no bucket: %v, %v", kept, err)
	}
	for range 2 {
		if err := b.Make(t.Context(), "a test"); err != nil {
			t.Fatal(err)
		}
	}
	revision, err := b.Update(t.Context(), keys[0], []byte("x"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := b.Read(t.Context(), keys); err != nil || string(kept[0].Value) != "x" || kept[0].Revision != revision || kept[1].Revision != 0 {
		t.Errorf("%v, %v", kept, err)
	}
}

// Without a connection the answer comes at once.
func TestLookWithoutServer(t *testing.T) {
	server, err := embedded.StartNATS(embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, server.URL())
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	for c.Connected() {
		runtime.Gosched() // the client learns of it by itself
	}
	if _, err := c.Look(t.Context()); err == nil {
		t.Error("it looked at nothing")
	}
}
