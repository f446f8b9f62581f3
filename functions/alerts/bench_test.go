package alerts

import (
	"fmt"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
)

// What a tick costs by the number of rules: those for its symbol, and those for
// others. 10,000 symbols take turns, so that nothing stays in the caches.
func BenchmarkStep(b *testing.B) {
	const symbols = 10_000
	kinds := []string{
		"price above 1000", "price crosses 1000", "change over 50% in 10m", "price > 2x sma(20, 1m)", "rsi(14, 1m) > 99.9",
		"sma(20, 1m) crosses above ema(50, 5m)", "volume over 1000x average(20, 1m)", "rsi(14) > 99.9", "macd(1m).histogram > 50", "price < 1 and volume > 5",
	}
	for _, c := range []struct{ own, others int }{{0, 0}, {0, 10}, {0, 1000}, {1, 0}, {1, 1000}, {10, 0}, {10, 1000}} {
		b.Run(fmt.Sprintf("own=%d/others=%d", c.own, c.others), func(b *testing.B) {
			var all []streamflow.Rule
			for i := range c.own {
				all = append(all, streamflow.Rule{ID: fmt.Sprintf("own-%d", i), Symbol: "*", When: kinds[i]})
			}
			for i := range c.others {
				all = append(all, streamflow.Rule{ID: fmt.Sprintf("other-%d", i), Symbol: fmt.Sprintf("X%d", i), When: kinds[i%len(kinds)]})
			}
			policy, _ := parseSettings(nil)
			set, errs := newSet(all, policy)
			if len(errs) > 0 {
				b.Fatal(errs)
			}
			names, states := make([]string, symbols), make(map[string]*state)
			for i := range names {
				names[i] = fmt.Sprintf("S%d", i)
				if set.concerns(names[i]) {
					st := newState(set, names[i])
					states[names[i]] = &st
				}
			}
			in := &functions.Input{Message: &streamflow.Message{Position: streamflow.Position{Topic: "stock_ticks"}}}
			out, n := &functions.Output{}, 0
			b.ReportAllocs()
			for b.Loop() {
				name := names[n%symbols]
				n++
				in.Tick = streamflow.Tick{Symbol: name, Price: 100 + float64(n/symbols%10)/10, Volume: 100, Time: midday.Add(time.Duration(n/symbols) * time.Second)}
				in.Message.Position.Offset = int64(n)
				if !set.concerns(name) {
					continue
				}
				st := states[name]
				if err := st.step(in, out); err != nil {
					b.Fatal(err)
				}
				st.wake()
			}
		})
	}
}
