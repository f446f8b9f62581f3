package kafka

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow/infra/kafka/kafkatest"
)

// TestExportImportKeepsOffsets: a log with all kinds of holes has the same
// records at the same offsets after it was exported and imported.
func TestExportImportKeepsOffsets(t *testing.T) {
	client, c := connect(t)
	from := kafkatest.Topic(t, "from")
	kafkatest.Create(t, client, from, 1)
	produce := func(n int) {
		t.Helper()
		for i := range n {
			r := &kgo.Record{Topic: from, Value: fmt.Appendf(nil, "value %d", i), Timestamp: time.UnixMilli(1_760_000_000_000 + int64(i)), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte{byte(i)}}, {Key: "null"}}}
			if i%2 == 0 {
				r.Key = []byte("key")
			}
			if i%5 == 4 {
				r.Value = nil
			}
			if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	produce(10)                                   // 0-9
	transact(t, c, from, kgo.TryCommit, "a", "b") // 10 11, mark 12
	transact(t, c, from, kgo.TryAbort, "x", "y")  // 13 14, mark 15
	transact(t, c, from, kgo.TryCommit, "c")      // 16, mark 17
	produce(importBatch + 3)                      // more than a batch
	transact(t, c, from, kgo.TryAbort, "z")       // at the end: a record and its mark
	to := make(kadm.Offsets)
	to.AddOffset(from, 0, 7, -1)
	if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	start, end, err := Settled(t.Context(), client, from)
	if err != nil || start[0] != 7 || end[0] != 18+importBatch+3+2 {
		t.Fatalf("from %v to %v, %v", start, end, err)
	}
	var file bytes.Buffer
	count, err := Export(t.Context(), client, from, 0, end[0], &file)
	if err != nil || count != 3+3+importBatch+3 {
		t.Fatalf("exported %d: %v", count, err)
	}
	want := records(t, client, from, end)

	same := kafkatest.Topic(t, "same")
	kafkatest.Create(t, client, same, 1)
	restore(t, c, same, start[0], end[0], true, file.Bytes(), count)
	gotStart, gotEnd, err := Marks(t.Context(), client, same)
	if err != nil || gotStart[0] != start[0] || gotEnd[0] != end[0] {
		t.Errorf("it is from %v to %v, was from %v to %v; %v", gotStart, gotEnd, start, end, err)
	}
	compareRecords(t, want, records(t, client, same, end), true)

	packed := kafkatest.Topic(t, "packed")
	kafkatest.Create(t, client, packed, 1)
	restore(t, c, packed, start[0], end[0], false, file.Bytes(), count)
	compareRecords(t, want, records(t, client, packed, map[int32]int64{0: count}), false)

	// Into a topic that is not empty, the records would get other offsets.
	i, err := NewImporter(t.Context(), c, packed)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if _, err := i.Import(t.Context(), 0, start[0], end[0], true, bytes.NewReader(file.Bytes())); err == nil {
		t.Error("records were imported behind others")
	}
}

// TestImportOfWhatStartsFarBehind: offsets that no record is left of.
func TestImportOfWhatStartsFarBehind(t *testing.T) {
	client, c := connect(t)
	for name, at := range map[string]struct{ start, end int64 }{
		"one before": {1, 3}, "two before": {2, 3}, "nothing left": {12, 12}, "more than one fill": {fillAtMost + 1, fillAtMost + 2},
	} {
		t.Run(name, func(t *testing.T) {
			topic := kafkatest.Topic(t, "far")
			kafkatest.Create(t, client, topic, 1)
			var file bytes.Buffer
			w := newRecordWriter(&file)
			var count int64
			for offset := at.start; offset < at.end; offset++ {
				if err := w.write(&kgo.Record{Offset: offset, Value: fmt.Append(nil, offset), Timestamp: time.UnixMilli(1)}); err != nil {
					t.Fatal(err)
				}
				count++
			}
			if err := w.close(); err != nil {
				t.Fatal(err)
			}
			restore(t, c, topic, at.start, at.end, true, file.Bytes(), count)
			_, end, err := Marks(t.Context(), client, topic)
			if err != nil || end[0] != at.end {
				t.Fatalf("ends at %v, want %d; %v", end, at.end, err)
			}
			for _, r := range records(t, client, topic, end) {
				if string(r.Value) != fmt.Sprint(r.Offset) || r.Offset < at.start {
					t.Errorf("%d: %s", r.Offset, r.Value)
				}
				count--
			}
			if count != 0 {
				t.Errorf("%d records are missing", count)
			}
		})
	}
}

func restore(t *testing.T, c Config, topic string, start, end int64, exact bool, file []byte, want int64) {
	t.Helper()
	i, err := NewImporter(t.Context(), c, topic)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if got, err := i.Import(t.Context(), 0, start, end, exact, bytes.NewReader(file)); err != nil || got != want {
		t.Fatalf("imported %d of %d: %v", got, want, err)
	}
}

func records(t *testing.T, client *kgo.Client, topic string, upTo map[int32]int64) (list []*kgo.Record) {
	t.Helper()
	if err := Scan(t.Context(), client, topic, upTo, func(r *kgo.Record) error { list = append(list, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return list
}

func compareRecords(t *testing.T, want, got []*kgo.Record, offsets bool) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if offsets && g.Offset != w.Offset || !bytes.Equal(g.Key, w.Key) || !bytes.Equal(g.Value, w.Value) || (g.Value == nil) != (w.Value == nil) ||
			g.Timestamp.UnixMilli() != w.Timestamp.UnixMilli() || fmt.Sprint(g.Headers) != fmt.Sprint(w.Headers) {
			t.Fatalf("%+v, want %+v", g, w)
		}
	}
}

func FuzzRecordLog(f *testing.F) {
	var file bytes.Buffer
	w := newRecordWriter(&file)
	_ = w.write(&kgo.Record{Offset: 7, Key: []byte("k"), Timestamp: time.UnixMilli(1), Headers: []kgo.RecordHeader{{Key: "h"}}})
	_ = w.write(&kgo.Record{Offset: 9, Value: []byte{}, Timestamp: time.UnixMilli(-1)})
	_ = w.close()
	f.Add(file.Bytes())
	f.Add(file.Bytes()[:4])
	f.Fuzz(func(t *testing.T, data []byte) {
		r, last := newRecordReader(bytes.NewReader(data)), int64(-1)
		var again bytes.Buffer
		w := newRecordWriter(&again)
		for {
			rec, err := r.read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return
			}
			if rec.Offset <= last {
				t.Fatalf("offset %d after %d", rec.Offset, last)
			}
			last = rec.Offset
			if err := w.write(rec); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.close(); err != nil {
			t.Fatal(err)
		}
		if got := again.Bytes(); len(got) > len(data) {
			t.Fatalf("%d bytes became %d", len(data), len(got))
		}
	})
}
