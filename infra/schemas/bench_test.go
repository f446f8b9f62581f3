package schemas

import (
	"math/big"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
)

// BenchmarkJSON is what a framed tick costs before it is as dear as plain JSON.
func BenchmarkJSON(b *testing.B) {
	r := newRig(b)
	tick := map[string]any{"symbol": "AAPL", "price": big.NewRat(18723, 100), "volume": int64(100), "timestamp": at, "exchange": "XNAS", "bid": 187.22}
	proto := `{"symbol":"AAPL","price":187.23,"volume":100,"timestamp":"2025-01-02T15:04:05.123Z","exchange":"XNAS","bid":187.22}`
	for name, value := range map[string][]byte{
		"avro":        r.avro(r.register(sr.TypeAvro, avroTick), avroTick, tick, nil),
		"protobuf":    r.protobuf(r.register(sr.TypeProtobuf, protoTick), []int{0}, file(protoTick), "main.proto", "market.Tick", proto),
		"json-schema": frame(r.register(sr.TypeJSON, `{"type":"object"}`), nil, []byte(proto)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.JSON(b.Context(), value, ticks); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
