package jetstream_test

import (
	"fmt"
	"log/slog"
	"testing"

	"streamflow"
	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
)

// BenchmarkCommit is the cost of one atomic batch, by its size.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []int64{1, 10, 100, 999} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			server, err := embedded.StartNATS(embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: b.TempDir(), Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			defer server.Close()
			c, err := jetstream.Connect(server.URL(), "bench", slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Ensure(b.Context(), jetstream.DefaultLimits); err != nil {
				b.Fatal(err)
			}
			m, cur := c.Ticks(), streamflow.Start
			b.ReportAllocs()
			for b.Loop() {
				batch := ticks(cur.Next, cur.Next+size-1)
				cur.Next, cur.Last = cur.Next+size, cur.Next+size-1
				if cur.Fence, err = m.Commit(b.Context(), partition, batch, cur); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "ticks/s")
		})
	}
}
