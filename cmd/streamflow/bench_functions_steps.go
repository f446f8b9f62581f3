package main

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/infra/simulate"
)

// stepFigures are what a function costs without a server: a whole shard, from
// the message to the state, with a source and a ledger that cost nothing.
type stepFigures struct {
	Name    string  `json:"name"`
	Symbols int     `json:"symbols"`
	Others  int     `json:"rules_for_other_symbols"`
	Nanos   float64 `json:"ns_per_tick"`
	P50     float64 `json:"step_p50_us"`
	P99     float64 `json:"step_p99_us"`
	Allocs  float64 `json:"allocs_per_tick"`
	MB      float64 `json:"heap_mb"` // of the states
}

// benchPerSymbol is how many ticks each symbol has, a quarter of a second
// apart: the candles of a lateness are there before the measurement begins.
const benchPerSymbol = 400

// steps measures each function with all symbols and a tenth of them, and alerts
// with and without rules that concern none of them.
func (c *benchFunctionsCmd) steps(ctx context.Context, log *slog.Logger) (all []stepFigures, err error) {
	for _, symbols := range []int{c.Symbols / 10, c.Symbols} {
		for _, name := range hot {
			others := []int{0}
			if name == streamflow.FunctionAlerts && c.Rules > 10 {
				others = append(others, c.Rules-10)
			}
			for _, n := range others {
				f, err := benchSteps(ctx, name, symbols, n)
				if err != nil {
					return nil, fmt.Errorf("steps of %s: %w", name, err)
				}
				log.Info("measured", "function", name, "symbols", symbols, "ns_per_tick", int(f.Nanos))
				all = append(all, f)
			}
		}
	}
	return all, nil
}

func benchSteps(ctx context.Context, name string, symbols, others int) (stepFigures, error) {
	f := stepFigures{Name: name, Symbols: symbols, Others: others}
	e, err := lookUp(name)
	if err != nil {
		return f, err
	}
	fn, err := e.build(nil, benchRules(10, others, func(i int) string { return fmt.Sprintf("X%d", i) }))
	if err != nil {
		return f, err
	}
	perSymbol := benchPerSymbol
	if symbols > 1000 {
		perSymbol /= 4
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	belt := newBenchBelt(symbols, perSymbol*symbols, cancel)
	s := functions.NewStepper(functions.StepConfig{Function: fn, Source: belt, Ledger: &benchLedger{}})
	belt.status = s.Status
	err = s.Run(ctx)
	half := float64(belt.total - belt.half)
	f.Nanos, f.Allocs = float64(belt.took.Nanoseconds())/half, float64(belt.mallocs)/half
	f.MB, f.P50, f.P99 = max(0, float64(int64(belt.heap)-int64(belt.before)))/1e6, belt.end.StepP50, belt.end.StepP99
	return f, err
}

// benchBelt is a source that makes ticks as they are taken. Making them is left
// out of the measurement.
type benchBelt struct {
	market      *simulate.Market
	at          time.Time
	total, half int // ticks; the second half is measured
	given       int
	done        context.CancelFunc
	status      func() streamflow.ShardStatus

	batch        []streamflow.Message
	text         []byte
	handed       time.Time
	took         time.Duration
	mallocs      uint64
	counted      uint64
	before, heap uint64
	end          streamflow.ShardStatus
}

func newBenchBelt(symbols, total int, done context.CancelFunc) *benchBelt {
	b := &benchBelt{
		market: simulate.NewMarket(simulate.Config{Symbols: benchSymbols(symbols), Seed: 1}),
		at:     time.Now().Add(-time.Hour), total: total, half: total / 2, done: done, batch: make([]streamflow.Message, 0, 5000),
	}
	b.text = make([]byte, 0, 1<<20)
	b.before = heapNow()
	return b
}

func heapNow() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Next makes the next batch; the time since the last one was the shard's.
func (b *benchBelt) Next(ctx context.Context, limit int) ([]streamflow.Message, bool, error) {
	b.stop()
	if b.given >= b.total {
		if b.heap == 0 {
			b.heap, b.end = heapNow(), b.status()
			b.done()
		}
		<-ctx.Done()
		return nil, false, ctx.Err()
	}
	first := b.given == 0
	b.batch, b.text = b.batch[:0], b.text[:0]
	for len(b.batch) < min(limit, 1000) && b.given < b.total {
		b.make()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.counted, b.handed = m.Mallocs, time.Now()
	return b.batch, first, nil
}

// stop takes the time of the batch before, if it counts.
func (b *benchBelt) stop() {
	if b.handed.IsZero() || b.given-len(b.batch) < b.half {
		return
	}
	b.took += time.Since(b.handed)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.mallocs += m.Mallocs - b.counted
	b.handed = time.Time{}
}

func (b *benchBelt) make() {
	symbols := b.market.Symbols()
	i := b.given % symbols
	at := b.at.Add(time.Duration(b.given/symbols)*250*time.Millisecond + time.Duration(i)*250*time.Millisecond/time.Duration(symbols))
	tick := b.market.Step(i, at)
	from := len(b.text)
	b.text = tick.AppendJSON(b.text)
	b.batch = append(b.batch, streamflow.Message{
		Subject: streamflow.TickSubject(tick.Symbol), Data: b.text[from:len(b.text):len(b.text)], Previous: int64(b.given) - 1,
		Position: streamflow.Position{Topic: streamflow.TopicTicks, Offset: int64(b.given)}, Sequence: uint64(b.given) + 1,
		Hops: string(streamflow.AppendHop(nil, streamflow.HopKafka, at)),
	})
	b.given++
}

// Ack has nothing to acknowledge.
func (b *benchBelt) Ack() error { return nil }

// Rewind is never asked for: there are no gaps.
func (b *benchBelt) Rewind(context.Context) error { return nil }

// Seek begins where it is.
func (b *benchBelt) Seek(context.Context, uint64) error { return nil }

// Close has nothing to give up.
func (b *benchBelt) Close() {}

// Heads knows none.
func (b *benchBelt) Heads(context.Context) (map[streamflow.Partition]int64, error) { return nil, nil }

// Pending says that nothing waits.
func (b *benchBelt) Pending(context.Context) (uint64, int, error) { return 0, 0, nil }

// benchLedger takes everything and keeps nothing.
type benchLedger struct{ fence uint64 }

// Load finds nothing.
func (l *benchLedger) Load(context.Context) ([]byte, uint64, error) { return nil, 0, nil }

// Commit takes facts.
func (l *benchLedger) Commit(context.Context, []streamflow.Message, []byte, uint64) (uint64, error) {
	l.fence++
	return l.fence, nil
}

// WriteState takes states.
func (l *benchLedger) WriteState(context.Context, int, [][]byte, uint64) error { return nil }

// ReadState has none.
func (l *benchLedger) ReadState(context.Context, int, int) ([][]byte, error) { return nil, nil }

// Show takes views.
func (l *benchLedger) Show(context.Context, []streamflow.Message, uint64) error { return nil }

// Reject takes dead letters.
func (l *benchLedger) Reject(context.Context, streamflow.DeadLetter) error { return nil }

// MaxPiece is NATS's.
func (l *benchLedger) MaxPiece() int { return 8 << 20 }
