package api

import (
	"fmt"
	"testing"
	"time"

	"streamflow"
)

// benchBatch makes one tick for each of n symbols.
func benchBatch(n int) []streamflow.Mirrored {
	var k maker
	batch := make([]streamflow.Mirrored, n)
	for i := range batch {
		batch[i] = k.tick(fmt.Sprintf("SYM%d", i), 100+float64(i)/100, 10, time.Unix(1_763_690_000, int64(i)*1e6))
		batch[i].Sequence = uint64(i + 1)
	}
	return batch
}

// BenchmarkBoard measures one tick on the board, 500 symbols.
func BenchmarkBoard(b *testing.B) {
	board, batch := newBoard(), benchBatch(500)
	board.seed(batch)
	board.days = true
	b.ReportAllocs()
	for n := 0; n < b.N; n += len(batch) {
		for i := range batch {
			batch[i].Position.Offset += 1000
		}
		board.apply(batch)
	}
}
