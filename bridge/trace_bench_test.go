package bridge

import (
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/infra/trace"
)

// BenchmarkTraces is what traces cost the bridge for a batch of 999 ticks: off,
// for one in a thousand, and for each, to a collector that is away.
func BenchmarkTraces(b *testing.B) {
	p := streamflow.Partition{Topic: streamflow.TopicTicks}
	var records []*kgo.Record
	for i := range maxBatch {
		records = append(records, &kgo.Record{Topic: p.Topic, Offset: int64(i), Timestamp: time.Now(), Key: []byte("AAPL"),
			Value: []byte(`{"symbol":"AAPL","price":187.23,"volume":100,"timestamp":"2025-01-02T15:04:05.123Z","exchange":"XNAS","bid":187.22,"ask":187.24}`)})
	}
	for name, share := range map[string]float64{"off": -1, "0.001": 0.001, "1": 1} {
		b.Run(name, func(b *testing.B) {
			s := newSorter(streamflow.TickRoute(p.Topic), p, nil, 1<<20)
			if share >= 0 {
				t, err := trace.New(trace.Config{Endpoint: "http://127.0.0.1:9", Sample: share, Logger: slog.New(slog.DiscardHandler)})
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(t.Close)
				s.tracer = t
			}
			at, next := time.Now(), int64(0)
			b.ReportAllocs()
			for b.Loop() {
				for _, r := range records {
					r.Offset = next
					next++
				}
				good, _, _, _ := s.sort(records, at, streamflow.Start, streamflow.Start)
				s.record(false, len(good))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/maxBatch, "ns/tick")
		})
	}
}
