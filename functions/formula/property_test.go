package formula

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"streamflow"
)

// all are the defaults and some odd ones.
func all(t testing.TB) Specs {
	t.Helper()
	specs, err := ParseSpecs(append(Defaults(), "sma(1)", "ema(1)", "rsi(1)", "atr(1)", "adx(1)", "stochastic(1,1,1)", "roc(1)", "volatility(2,365,1440)", "bollinger(2,0.1)", "macd(1,2,1)", "trend(1,2,1,0)", "wma(200)"))
	if err != nil {
		t.Fatal(err)
	}
	return specs
}

func values(s Set) []streamflow.Value {
	v, _ := s.Values(nil)
	return v
}

// What goes on from a state that was written and read at any point is the same
// to the last bit, and is written as the same bytes.
func TestRestored(t *testing.T) {
	for _, span := range []time.Duration{0, time.Minute} {
		specs, bars := all(t), randomBars(rand.New(rand.NewPCG(7, uint64(span))), 300)
		straight, restored := specs.New(), specs.New()
		for i, b := range bars {
			b.Span = span
			straight.Push(b)
			restored.Push(b)
			if got, want := values(restored), values(straight); !slices.Equal(got, want) {
				t.Fatalf("bar %d: %v, want %v", i, got, want)
			}
			data := restored.Append(nil)
			if restored = specs.New(); i%2 == 0 { // what a set holds makes no difference to what it reads
				for _, b := range bars[i/2:] {
					restored.Push(b)
				}
			}
			if rest, err := restored.Decode(append(slices.Clone(data), 1, 2)); err != nil || !bytes.Equal(rest, []byte{1, 2}) {
				t.Fatalf("bar %d: %v, rest %v", i, err, rest)
			}
			if !bytes.Equal(restored.Append(nil), data) {
				t.Fatalf("bar %d: it is written in another way after it was read", i)
			}
		}
	}
}

// Everything shows with the bar that the documentation says, and not before.
func TestWarmUp(t *testing.T) {
	bars := randomBars(rand.New(rand.NewPCG(3, 3)), 300)
	for _, spec := range all(t) {
		want, i := spec.kind.warm(spec.params), spec.New()
		if len(want) != len(spec.names) {
			t.Fatalf("%s has %d values and %d warm-ups", spec, len(spec.names), len(want))
		}
		for n := range 201 {
			b := bars[n]
			b.Volume++ // VWAP waits for a volume
			i.Push(b)
			for part := range want {
				if _, ok := i.Value(part); ok != (n+1 >= want[part]) {
					t.Fatalf("%s after %d bars: there is a %s: %v", spec, n+1, spec.names[part], ok)
				}
			}
		}
		if spec.WarmUp() != slices.Max(want) {
			t.Errorf("%s: warm-up %d, want %d", spec, spec.WarmUp(), slices.Max(want))
		}
	}
}

// After ten million bars, some of them huge, a window holds what it would hold
// had it begun with them, and sums without end are exact.
func TestNoDrift(t *testing.T) {
	const n = 10_000_000
	r := rand.New(rand.NewPCG(1, 2))
	specs, err := ParseSpecs([]string{"vwap", "obv", "sma(20)", "bollinger(20,2)", "wma(20)"})
	if err != nil {
		t.Fatal(err)
	}
	// All windows are one and the same ring: a tenth of the way will do for two.
	endless, others, fresh := specs[:3].New(), specs[3:].New(), specs[2:].New()
	money, volume, obv, last := new(big.Int), new(big.Int), new(big.Int), int64(0)
	var m, v, o int64 // gathered in small sums that cannot overflow
	flush := func() {
		money.Add(money, big.NewInt(m))
		volume.Add(volume, big.NewInt(v))
		obv.Add(obv, big.NewInt(o))
		m, v, o = 0, 0, 0
	}
	for i := range n {
		cents, units := 10000+int64(r.Uint64()&1023), int64(r.Uint64()&0xffff)
		if i&1023 == 0 {
			cents, units = cents<<20, units<<10
		}
		price := float64(cents) / 64
		b := Bar{High: price, Low: price, Close: price, VWAP: price, Volume: units}
		endless.Push(b)
		if i >= n-n/10 {
			others.Push(b)
		}
		if i >= n-20 {
			fresh.Push(b)
		}
		m, v = m+cents*units, v+units
		switch {
		case i > 0 && cents > last:
			o += units
		case i > 0 && cents < last:
			o -= units
		}
		if last = cents; i&1023 == 1023 {
			flush()
		}
	}
	flush()
	if got, want := append(values(endless[2:]), values(others)...), values(fresh); !slices.Equal(got, want) {
		t.Errorf("after %d bars %v, want %v", n, got, want)
	}
	vwap, _ := new(big.Rat).SetFrac(money, volume).Float64()
	if got, _ := endless[0].Value(0); math.Abs(got-vwap/64) > 1e-15*got {
		t.Errorf("VWAP is %v, want %v", got, vwap/64)
	}
	if got, _ := endless[1].Value(0); got != float64(obv.Int64()) {
		t.Errorf("OBV is %v, want %v", got, obv)
	}
}

// NaN and infinity neither come in nor go out.
func TestOnlyFinite(t *testing.T) {
	specs := all(t)
	edges := []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1), 5e-324, MinPrice, 1, 1.0000000000000002, MaxPrice, 1e308}
	r := rand.New(rand.NewPCG(5, 6))
	pick := func() float64 { return edges[r.IntN(len(edges))] }
	set, usable := specs.New(), 0
	for range 200_000 {
		p := pick()
		b := Bar{At: r.Int64() - r.Int64(), High: p, Low: p, Close: p, VWAP: p, Volume: r.Int64()}
		if r.IntN(4) == 0 {
			b.High, b.Low, b.VWAP, b.Volume = pick(), pick(), pick(), -b.Volume
		}
		if r.IntN(3) == 0 {
			b.Span = time.Minute
		}
		if b.usable() {
			usable++
		}
		set.Push(b)
		for _, v := range values(set) {
			if v.Value-v.Value != 0 {
				t.Fatalf("%s is %v", v.Name, v.Value)
			}
		}
	}
	if usable < 10_000 {
		t.Errorf("only %d bars were usable", usable)
	}
	if _, err := specs.New().Decode(set.Append(nil)); err != nil {
		t.Errorf("the state holds what it should not: %v", err)
	}
}

// A price that stands still has a value for everything but VWAP, which waits for
// a volume.
func TestStill(t *testing.T) {
	set := all(t).New()
	for i := range 300 {
		set.Push(Bar{At: int64(i) * 60e6, Span: time.Minute, High: 7, Low: 7, Close: 7, VWAP: 7})
	}
	want := map[string]float64{"sma_20": 7, "ema_12": 7, "wma_20": 7, "rsi_14": 50, "macd_12_26_9": 0, "bollinger_20_2.upper": 7, "bollinger_20_2.lower": 7, "atr_14": 0, "stochastic_14_3_3": 50, "obv": 0, "adx_14": 0, "adx_14.plus": 0, "roc_12": 0, "volatility_20_252_390": 0, "trend_12_26_14_0.5": 0}
	for _, v := range values(set) {
		if w, ok := want[v.Name]; ok && v.Value != w {
			t.Errorf("%s is %v, want %v", v.Name, v.Value, w)
		}
		delete(want, v.Name)
	}
	if len(want) > 0 {
		t.Errorf("there is no %v", want)
	}
	if _, trend := set.Values(nil); trend != streamflow.TrendFlat {
		t.Errorf("the trend is %q", trend)
	}
}

func TestTrend(t *testing.T) {
	for _, c := range []struct {
		step float64
		want streamflow.Trend
	}{{1, streamflow.TrendUp}, {-1, streamflow.TrendDown}, {0, streamflow.TrendFlat}} {
		i := parse(t, "trend")
		for n := range 40 {
			if got := i.Trend(); (got != "") != (n >= 26) {
				t.Fatalf("after %d bars the trend is %q", n, got)
			}
			price := 1000 + float64(n)*c.step
			i.Push(Bar{High: price + 1, Low: price - 1, Close: price, VWAP: price})
		}
		if i.Trend() != c.want {
			t.Errorf("steps of %v: the trend is %q, want %q", c.step, i.Trend(), c.want)
		}
	}
	if parse(t, "sma").Trend() != "" {
		t.Error("an average has a trend")
	}
}

// A late tick of yesterday does not end the session.
func TestVWAPSession(t *testing.T) {
	i := parse(t, "vwap")
	push := func(at time.Time, price float64) {
		i.Push(Bar{At: at.UnixMicro(), High: price, Low: price, Close: price, VWAP: price, Volume: 1})
	}
	midnight := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		after time.Duration
		price float64
		want  float64
	}{{-2 * time.Hour, 10, 10}, {-1, 20, 15}, {0, 30, 30}, {-1, 99, 30}, {time.Hour, 40, 35}, {24*time.Hour - 1, 50, 40}, {24 * time.Hour, 1, 1}} {
		push(midnight.Add(c.after), c.price)
		if got, ok := i.Value(0); !ok || math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", c.after, got, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	specs := all(f)
	set := specs.New()
	for _, b := range randomBars(rand.New(rand.NewPCG(3, 3)), 60) {
		f.Add(set.Append(nil))
		set.Push(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := specs.New()
		if _, err := s.Decode(data); err != nil {
			return
		}
		again := specs.New()
		if _, err := again.Decode(s.Append(nil)); err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		s.Push(Bar{At: 1, High: 3, Low: 1, Close: 2, VWAP: 2, Volume: 1})
		for _, v := range values(s) {
			if v.Value-v.Value != 0 {
				t.Fatalf("%s is %v", v.Name, v.Value)
			}
		}
	})
}
