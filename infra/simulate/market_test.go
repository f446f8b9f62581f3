package simulate

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"streamflow"
)

var epoch = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)

func TestTicksAreWhatTheBridgeTakes(t *testing.T) {
	symbols := append(slices.Clone(DefaultSymbols), "BRK.A", "BTC/USD", "penny")
	m := NewMarket(Config{Symbols: symbols, Seed: 1, Start: map[string]float64{"penny": 0.31}})
	for round := range 1_000 {
		at := epoch.Add(time.Duration(round) * DefaultInterval)
		for i, symbol := range symbols {
			tick := m.Step(i, at)
			value := tick.AppendJSON(nil)
			got, err := streamflow.DecodeTick(value, []byte(symbol), at)
			if err != nil {
				t.Fatalf("%s: %v", value, err)
			}
			if got.Price != got.Bid && got.Price != got.Ask || got.Bid >= got.Ask || got.Volume < 1 || len(got.Exchange) != 4 {
				t.Fatalf("%s: want a trade of 1 or more at the bid or above it at the ask", value)
			}
			unit := 100.0
			if got.Ask < 1 {
				unit = 10_000
			}
			for _, p := range []float64{got.Bid, got.Ask} {
				if math.Round(p*unit)/unit != p {
					t.Fatalf("%s: %v is not a whole number of price ticks", value, p)
				}
			}
		}
	}
}

func TestTheSameSeedGivesTheSameTicks(t *testing.T) {
	ticks := func(seed uint64, symbols ...string) []string {
		m := NewMarket(Config{Symbols: symbols, Seed: seed})
		var out []string
		for k := range 500 {
			at := epoch.Add(time.Duration(k) * 20 * time.Second)
			out = append(out, string(m.Step(0, at).AppendJSON(nil)))
			for i := 1; i < len(symbols); i++ {
				m.Step(i, at.Add(time.Duration(i)*time.Second))
			}
		}
		return out
	}
	alone := ticks(7, "AAPL")
	if !slices.Equal(alone, ticks(7, "AAPL")) {
		t.Error("two markets of the same seed differ")
	}
	if !slices.Equal(alone, ticks(7, "AAPL", "MSFT", "ZZZ")) {
		t.Error("further symbols change the ticks of the first one")
	}
	if slices.Equal(alone, ticks(8, "AAPL")) {
		t.Error("another seed gives the same ticks")
	}
}

func TestStartAndAnchor(t *testing.T) {
	m := NewMarket(Config{Symbols: []string{"AAPL", "WXYZ", "BAD"}, Start: map[string]float64{"AAPL": 1234.56, "BAD": math.NaN()}})
	if p := m.Step(0, epoch).Bid; math.Abs(p-1234.56) > 0.3 {
		t.Errorf("AAPL starts at %v, the last known price is 1234.56", p)
	}
	for i := 1; i < 3; i++ {
		if p := m.Step(i, epoch).Price; p < 9 || p > 501 {
			t.Errorf("an unknown symbol starts at %v", p)
		}
	}
	// A step back in time must not move the price, nor break the next step.
	m.Step(0, epoch.Add(time.Hour))
	was := m.stocks[0].log
	m.Step(0, epoch)
	if m.stocks[0].log != was {
		t.Error("the price moved by a step back in time")
	}
}

// TestFactorDependsOnTimeOnly asks in other orders and steps.
func TestFactorDependsOnTimeOnly(t *testing.T) {
	f, g := newFactor(3), newFactor(3)
	want := make(map[time.Duration]float64)
	for k := range 1000 {
		d := time.Duration(k)*137*time.Millisecond - 20*time.Second
		want[d] = f.at(d)
	}
	for d, v := range want { // a map: in any order
		if g.at(d) != v {
			t.Fatalf("at %s: %v, then %v", d, v, g.at(d))
		}
	}
	for _, d := range []time.Duration{math.MaxInt64, math.MinInt64} {
		if v := f.at(d); math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("at %s: %v", d, v)
		}
	}
}

func TestFactorGrowsByOneASecond(t *testing.T) {
	for _, step := range []time.Duration{time.Second / 16, time.Second, time.Hour} {
		f := newFactor(11)
		var squares float64
		const n = 20_000
		for k := range n {
			d := f.at(time.Duration(k+1)*step) - f.at(time.Duration(k)*step)
			squares += d * d
		}
		if v := squares / n / step.Seconds(); v < 0.95 || v > 1.05 {
			t.Errorf("steps of %s: variance %v a second, want 1", step, v)
		}
	}
}

// TestPricesStayPositiveAndFinite takes 10 million steps of all sizes (fewer under -race), wilder
// than anybody would ask for.
func TestPricesStayPositiveAndFinite(t *testing.T) {
	t.Parallel()
	symbols := []string{"AAPL", "TSLA", "PENNY", "DUST"}
	m := NewMarket(Config{Symbols: symbols, Volatility: MaxVolatility, Seed: 5,
		Start: map[string]float64{"PENNY": 0.02, "DUST": 0.0001}})
	steps := []time.Duration{5 * time.Microsecond, time.Second, time.Minute, 17 * time.Minute}
	at := epoch
	for k := range arithmeticSteps / len(symbols) {
		at = at.Add(steps[k%len(steps)])
		for i := range symbols {
			tick := m.Step(i, at)
			if !(tick.Price >= 0.0001) || !(tick.Bid >= 0.0001) || tick.Price > 16_000 || tick.Volume < 1 {
				t.Fatalf("step %d: %+v", k, tick)
			}
		}
	}
}

func ExampleMarket_Step() {
	m := NewMarket(Config{Symbols: []string{"AAPL"}, Seed: 42})
	for k := range 3 {
		at := time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC).Add(time.Duration(k) * time.Minute)
		fmt.Printf("%s\n", m.Step(0, at).AppendJSON(nil))
	}
	// Output:
	// {"symbol":"AAPL","price":230.01,"volume":100,"timestamp":"2026-03-02T15:00:00Z","exchange":"XNAS","bid":230,"ask":230.01}
	// {"symbol":"AAPL","price":230.05,"volume":129,"timestamp":"2026-03-02T15:01:00Z","exchange":"XNAS","bid":230.05,"ask":230.06}
	// {"symbol":"AAPL","price":230.07,"volume":200,"timestamp":"2026-03-02T15:02:00Z","exchange":"XNAS","bid":230.07,"ask":230.08}
}
