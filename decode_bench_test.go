package streamflow

import (
	"encoding/json"
	"testing"
	"time"
)

var benchTick = []byte(`{"symbol":"AAPL","price":187.23,"volume":100,"timestamp":"2025-01-02T11:59:59.123456Z","exchange":"XNAS"}`)

// BenchmarkTick is what every function pays for every tick.
func BenchmarkTick(b *testing.B) {
	m := Message{Subject: TickSubject("AAPL"), Data: benchTick}
	b.ReportAllocs()
	b.SetBytes(int64(len(benchTick)))
	for b.Loop() {
		if _, err := m.Tick(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeTick is what the bridge pays.
func BenchmarkDecodeTick(b *testing.B) {
	key := []byte("AAPL")
	b.ReportAllocs()
	b.SetBytes(int64(len(benchTick)))
	for b.Loop() {
		if _, err := DecodeTick(benchTick, key, noon); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEncodingJSON reads the same members with the standard library,
// without our checks.
func BenchmarkEncodingJSON(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(benchTick)))
	for b.Loop() {
		var tick struct {
			Symbol    string
			Price     float64
			Volume    int64
			Timestamp time.Time
			Exchange  string
		}
		if err := json.Unmarshal(benchTick, &tick); err != nil {
			b.Fatal(err)
		}
	}
}
