package indicators

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
)

// nowhere is an output that keeps nothing but its memory.
type nowhere struct {
	scratch []byte
	facts   int
}

func (n *nowhere) Scratch() []byte        { return n.scratch[:0] }
func (n *nowhere) Publish(string, []byte) { n.facts++ }

// market are symbols of which each has a tick in turn, spread over a second.
type market struct {
	states []state
	in     functions.Input
	m      streamflow.Message
	at     time.Time
	r      *rand.Rand
	prices []int
}

func newMarket(t testing.TB, symbols int, p Params) *market {
	t.Helper()
	plan, err := p.plan()
	if err != nil {
		t.Fatal(err)
	}
	k := &market{states: make([]state, symbols), at: began, r: rand.New(rand.NewPCG(1, 1)), prices: make([]int, symbols)}
	for i := range k.states {
		k.states[i], k.prices[i] = newState(plan, fmt.Sprintf("S%04d", i)), 10000
	}
	return k
}

// tick steps one symbol; each has perSecond ticks a second.
func (k *market) tick(i int, perSecond int, out output) {
	n := i % len(k.states)
	k.at = k.at.Add(time.Second / time.Duration(perSecond*len(k.states)))
	k.prices[n] = max(100, k.prices[n]+k.r.IntN(21)-10)
	k.m = streamflow.Message{Position: streamflow.Position{Topic: "stock_ticks", Offset: int64(i)}}
	k.in = functions.Input{Key: k.states[n].symbol, Message: &k.m, Tick: streamflow.Tick{Symbol: k.states[n].symbol, Price: float64(k.prices[n]) / 100, Volume: 100, Time: k.at}}
	k.states[n].step(&k.in, out)
}

// A tick with the default set, of 500 symbols: facts of candles that it closes
// are a part of it.
func BenchmarkStep(b *testing.B) {
	for _, perSecond := range []int{1, 100} {
		b.Run(fmt.Sprintf("ticks-a-second=%d", perSecond), func(b *testing.B) {
			k, out := newMarket(b, 500, Params{}), &nowhere{scratch: make([]byte, 0, 4096)}
			for i := range 500 * 200 {
				k.tick(i, 1, out)
			}
			b.ReportAllocs()
			b.ResetTimer()
			out.facts = 0
			for i := range b.N {
				k.tick(i, perSecond, out)
			}
			b.ReportMetric(float64(out.facts)/float64(b.N), "facts/op")
		})
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what is pooled goes with the second one
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// What a symbol costs, once all windows are full at the short intervals: it is
// printed, and bounded so that 10,000 symbols remain a matter of one machine.
func TestMemory(t *testing.T) {
	before := heap()
	const symbols = 40
	k, out := newMarket(t, symbols, Params{}), &nowhere{scratch: make([]byte, 0, 4096)}
	for i := range symbols * 3600 {
		k.tick(i, 1, out)
	}
	perSymbol := (heap() - before) / symbols
	saved := 0
	for i := range k.states {
		data, err := k.states[i].AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		saved += len(data)
	}
	saved /= symbols
	t.Logf("default set: %d bytes a symbol in memory, %d saved", perSymbol, saved)
	if perSymbol > 80<<10 || saved > 16<<10 {
		t.Errorf("a symbol takes %d bytes in memory and %d saved", perSymbol, saved)
	}
	runtime.KeepAlive(k)
}

// A tick that closes nothing allocates nothing.
func TestAllocs(t *testing.T) {
	k, out := newMarket(t, 1, Params{}), &nowhere{scratch: make([]byte, 0, 4096)}
	for i := range 1000 {
		k.tick(i, 1, out)
	}
	i := 0
	if n := testing.AllocsPerRun(500, func() { k.tick(i, 1_000_000, out); i++ }); n > 0 {
		t.Errorf("%v allocations a tick", n)
	}
}
