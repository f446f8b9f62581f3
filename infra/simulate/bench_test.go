package simulate

import (
	"testing"
	"time"
)

// BenchmarkTick is the cost of one tick at full rate: its price and its text.
func BenchmarkTick(b *testing.B) {
	m := NewMarket(Config{Symbols: DefaultSymbols, Seed: 1})
	beat := newBeat(epoch, len(DefaultSymbols), 0, MaxRate)
	var buf []byte
	b.ReportAllocs()
	for k := int64(0); b.Loop(); k++ {
		d := beat.at(k)
		buf = m.Step(d.Symbol, d.At).AppendJSON(buf[:0])
	}
	b.ReportMetric(float64(len(buf)), "bytes/tick")
}

// BenchmarkBackfill is the cost of a tick of history, whose steps are longer.
func BenchmarkBackfill(b *testing.B) {
	m := NewMarket(Config{Symbols: DefaultSymbols, Seed: 1})
	buf := make([]byte, 0, tickBytes)
	b.ReportAllocs()
	k := 0
	for b.Loop() {
		at := epoch.Add(time.Duration(k) * 12 * time.Second)
		buf = m.Step(k%len(DefaultSymbols), at).AppendJSON(buf[:0])
		k++
	}
}
