package bridge

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/infra/schemas"
)

// BenchmarkPlain is what a batch of plain JSON costs: to be sorted alone, and to
// be looked through for framed values before.
func BenchmarkPlain(b *testing.B) {
	p := streamflow.Partition{Topic: streamflow.TopicTicks}
	w := &worker{s: &session{Bridge: New(Config{})}, p: p, sorter: newSorter(streamflow.TickRoute(p.Topic), p, nil, 1<<20)}
	var records []*kgo.Record
	for i := range maxBatch {
		records = append(records, &kgo.Record{Offset: int64(i), Timestamp: time.Now(), Key: []byte("AAPL"),
			Value: []byte(`{"symbol":"AAPL","price":187.23,"volume":100,"timestamp":"2025-01-02T15:04:05.123Z","exchange":"XNAS","bid":187.22,"ask":187.24}`)})
	}
	at := time.Now()
	sort := func(b *testing.B) {
		good, bad, _, _ := w.sorter.sort(records, at, streamflow.Start, streamflow.Start)
		if len(good) != len(records) || len(bad) > 0 {
			b.Fatalf("%d good, %d bad", len(good), len(bad))
		}
	}
	b.Run("sort", func(b *testing.B) {
		for b.Loop() {
			sort(b)
		}
	})
	b.Run("read+sort", func(b *testing.B) {
		for b.Loop() {
			if n, err := w.read(b.Context(), records); n != len(records) || err != nil {
				b.Fatal(n, err)
			}
			sort(b)
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			_, _ = w.read(b.Context(), records)
		}
	})
}

var _ Values = (*schemas.Registry)(nil)
