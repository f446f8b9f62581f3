package candles

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/window"
)

// BenchmarkAdd is what a tick costs in all six candles, closing the seconds
// included: 100 ticks a second of each of 500 symbols.
func BenchmarkAdd(b *testing.B) {
	const symbols = 500
	plan := newPlan(b, window.Default)
	var builders []Builder
	for i := range symbols {
		builders = append(builders, NewBuilder(plan, fmt.Sprintf("S%d", i)))
	}
	done := func(streamflow.Candle) {}
	at, i := noon, 0
	add := func() {
		x := &builders[i%symbols]
		x.Add(streamflow.Tick{Symbol: x.symbol, Price: 100 + float64(i%997)/100, Volume: 5, Time: at}, streamflow.Position{Topic: "t", Offset: int64(i)}, at, done)
		x.Wake()
		at = at.Add(20 * time.Microsecond)
		i++
	}
	for range 100 * 100 * symbols / 4 { // until the memory for the seconds is there
		add()
		at = at.Add(60 * time.Microsecond)
	}
	b.ReportAllocs()
	for b.Loop() {
		add()
	}
}

// BenchmarkState is the worst that a symbol can keep: a tick in each second.
func BenchmarkState(b *testing.B) {
	plan := newPlan(b, window.Default)
	x := NewBuilder(plan, "A")
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 5000 {
		at := noon.Add(time.Duration(i) * 200 * time.Millisecond)
		x.Add(streamflow.Tick{Symbol: "A", Price: float64(18000+r.IntN(500)) / 100, Volume: r.Int64N(1000), Time: at}, streamflow.Position{Topic: "t", Offset: int64(i) * 50}, at, func(streamflow.Candle) {})
	}
	var data []byte
	b.ReportAllocs()
	for b.Loop() {
		data, _ = x.AppendBinary(data[:0])
	}
	b.ReportMetric(float64(len(data)), "bytes")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept := make([]Builder, 1000)
	for i := range kept {
		kept[i] = NewBuilder(plan, "A")
		if err := kept[i].UnmarshalBinary(data); err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(kept)), "heap-bytes")
	runtime.KeepAlive(kept)
}

// BenchmarkStep is a tick through the function alone, without decoding it.
func BenchmarkStep(b *testing.B) {
	const symbols = 500
	plan := newPlan(b, window.Default)
	var states []state
	for i := range symbols {
		states = append(states, newState(plan, fmt.Sprintf("S%d", i)))
	}
	var out functions.Output
	i := 0
	hops := string(streamflow.AppendHop(nil, streamflow.HopKafka, noon))
	in := functions.Input{Message: &streamflow.Message{Position: streamflow.Position{Topic: "t"}, Hops: hops}}
	in.Tick = streamflow.Tick{Price: 100, Volume: 5, Time: noon}
	b.ReportAllocs()
	for b.Loop() {
		s := &states[i%symbols]
		in.Tick.Symbol = s.symbol
		in.Message.Position.Offset = int64(i)
		if err := step(s, &in, &out); err != nil {
			b.Fatal(err)
		}
		s.Wake()
		i++
	}
}

// BenchmarkBatch is a tick through the machinery: decoded, stepped, and, as in
// every batch, with a copy of the state from before.
func BenchmarkBatch(b *testing.B) {
	const symbols = 500
	run := functions.NewBatch(New(Params{}))
	var messages []*streamflow.Message
	for i := range symbols {
		tick := streamflow.Tick{Symbol: fmt.Sprintf("S%d", i), Price: 100.25, Volume: 5, Time: noon}
		messages = append(messages, message(arrival{streamflow.Mirrored{Tick: tick, Position: streamflow.Position{Topic: "t"}}, noon}))
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		m := messages[i%symbols]
		m.Position.Offset = int64(i)
		if _, err := run.Step(m); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
