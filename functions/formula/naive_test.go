package formula

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The same formulas, written down as the books have them, over a whole series:
// slow, without state, without anything in common with the code but the text.

type table func(bars []Bar) [][]float64 // by part and bar

var naives = map[string]table{
	"sma(7)":            func(b []Bar) [][]float64 { return [][]float64{naiveSMA(closesOf(b), 7)} },
	"ema(9)":            func(b []Bar) [][]float64 { return [][]float64{naiveEMA(closesOf(b), 9)} },
	"wma(6)":            naiveWMA,
	"rsi(14)":           naiveRSI,
	"macd(5,11,4)":      naiveMACD,
	"bollinger(8,2)":    naiveBollinger,
	"vwap":              naiveVWAP,
	"atr(14)":           func(b []Bar) [][]float64 { return [][]float64{naiveATR(b, 14)} },
	"stochastic(9,3,4)": naiveStochastic,
	"obv":               naiveOBV,
	"adx(5)":            naiveADX,
	"roc(12)":           naiveROC,
	"volatility(10)":    naiveVolatility,
	"trend(4,9,5,0.5)":  naiveTrend,
}

func TestNaive(t *testing.T) {
	for _, k := range kinds {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(naives)), func(s string) bool { return parse(t, s).spec.kind == k }) {
			t.Errorf("%s is not checked", k.Name)
		}
	}
	for seed := range uint64(5) {
		bars := randomBars(rand.New(rand.NewPCG(seed, 1)), 400)
		for spec, naive := range naives {
			indicator := parse(t, spec)
			want := naive(bars)
			for i, b := range bars {
				indicator.Push(b)
				for part := range want {
					got, ok := indicator.Value(part)
					if w := want[part][i]; ok == math.IsNaN(w) || ok && math.Abs(got-w) > 1e-9*max(1, math.Abs(w)) {
						t.Fatalf("seed %d, %s, bar %d: %s is %v (%v), want %v", seed, spec, i, indicator.spec.names[part], got, ok, w)
					}
				}
			}
		}
	}
}

// randomBars walk in cents, stand still at times, and trade nothing at times.
func randomBars(r *rand.Rand, n int) []Bar {
	bars, price := make([]Bar, n), 10000.0
	for i := range bars {
		b := &bars[i]
		b.At, b.Span = int64(i)*30*60e6, 30*time.Minute
		low, high, last := price, price, price
		if r.IntN(5) > 0 {
			last = max(100, price+float64(r.IntN(201)-100))
			low, high = min(price, last)-float64(r.IntN(50)), max(price, last)+float64(r.IntN(50))
		}
		price = last
		b.Low, b.High, b.Close = low/100, high/100, last/100
		b.VWAP = (b.Low + b.High + b.Close) / 3
		if r.IntN(10) > 0 {
			b.Volume = r.Int64N(100000)
		}
	}
	return bars
}

func closesOf(bars []Bar) []float64 {
	out := make([]float64, len(bars))
	for i, b := range bars {
		out[i] = b.Close
	}
	return out
}

func nans(n int) []float64 { return slices.Repeat([]float64{math.NaN()}, n) }

// naiveSMA begins where its input does.
func naiveSMA(x []float64, n int) []float64 {
	out, begin := nans(len(x)), 0
	for begin < len(x) && math.IsNaN(x[begin]) {
		begin++
	}
	for i := begin + n - 1; i < len(x); i++ {
		sum := 0.0
		for _, v := range x[i-n+1 : i+1] {
			sum += v
		}
		out[i] = sum / float64(n)
	}
	return out
}

// naiveSmooth weighs the new number with k and the average before with 1-k.
func naiveSmooth(x []float64, n int, k float64) []float64 {
	out := naiveSMA(x, n)
	for i := range out {
		if i > 0 && !math.IsNaN(out[i-1]) {
			out[i] = k*x[i] + (1-k)*out[i-1]
		}
	}
	return out
}

func naiveEMA(x []float64, n int) []float64    { return naiveSmooth(x, n, 2/float64(n+1)) }
func naiveWilder(x []float64, n int) []float64 { return naiveSmooth(x, n, 1/float64(n)) }

func naiveWMA(bars []Bar) [][]float64 {
	out := nans(len(bars))
	for i := 5; i < len(bars); i++ {
		out[i] = (6*bars[i].Close + 5*bars[i-1].Close + 4*bars[i-2].Close + 3*bars[i-3].Close + 2*bars[i-4].Close + bars[i-5].Close) / 21
	}
	return [][]float64{out}
}

func naiveRSI(bars []Bar) [][]float64 {
	up, down := nans(len(bars)), nans(len(bars))
	for i := 1; i < len(bars); i++ {
		change := bars[i].Close - bars[i-1].Close
		up[i], down[i] = max(change, 0), max(-change, 0)
	}
	out := nans(len(bars))
	gain, loss := naiveWilder(up, 14), naiveWilder(down, 14)
	for i := range out {
		switch {
		case loss[i] == 0 && gain[i] == 0:
			out[i] = 50
		case loss[i] == 0:
			out[i] = 100
		default:
			out[i] = 100 - 100/(1+gain[i]/loss[i])
		}
	}
	return [][]float64{out}
}

func minus(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] - b[i]
	}
	return out
}

func naiveMACD(bars []Bar) [][]float64 {
	line := minus(naiveEMA(closesOf(bars), 5), naiveEMA(closesOf(bars), 11))
	signal := naiveEMA(line, 4)
	return [][]float64{line, signal, minus(line, signal)}
}

func naiveBollinger(bars []Bar) [][]float64 {
	middle := naiveSMA(closesOf(bars), 8)
	upper, lower := nans(len(bars)), nans(len(bars))
	for i := 7; i < len(bars); i++ {
		sum := 0.0
		for _, b := range bars[i-7 : i+1] {
			sum += math.Pow(b.Close-middle[i], 2)
		}
		upper[i], lower[i] = middle[i]+2*math.Sqrt(sum/8), middle[i]-2*math.Sqrt(sum/8)
	}
	return [][]float64{middle, upper, lower}
}

func naiveVWAP(bars []Bar) [][]float64 {
	out := nans(len(bars))
	for i := range bars {
		money, volume := 0.0, 0.0
		for _, b := range bars[:i+1] {
			if time.UnixMicro(b.At).UTC().YearDay() == time.UnixMicro(bars[i].At).UTC().YearDay() {
				money, volume = money+b.VWAP*float64(b.Volume), volume+float64(b.Volume)
			}
		}
		if volume > 0 {
			out[i] = money / volume
		}
	}
	return [][]float64{out}
}

func naiveRanges(bars []Bar) []float64 {
	out := nans(len(bars))
	for i := 1; i < len(bars); i++ {
		h, l, c := bars[i].High, bars[i].Low, bars[i-1].Close
		out[i] = max(h-l, math.Abs(h-c), math.Abs(l-c))
	}
	return out
}

func naiveATR(bars []Bar, n int) []float64 { return naiveWilder(naiveRanges(bars), n) }

func naiveStochastic(bars []Bar) [][]float64 {
	raw := nans(len(bars))
	for i := 8; i < len(bars); i++ {
		high, low := bars[i].High, bars[i].Low
		for _, b := range bars[i-8 : i] {
			high, low = max(high, b.High), min(low, b.Low)
		}
		if raw[i] = 50; high != low {
			raw[i] = (bars[i].Close - low) / (high - low) * 100
		}
	}
	k := naiveSMA(raw, 3)
	return [][]float64{k, naiveSMA(k, 4)}
}

func naiveOBV(bars []Bar) [][]float64 {
	out, total := nans(len(bars)), 0.0
	for i := 1; i < len(bars); i++ {
		if bars[i].Close > bars[i-1].Close {
			total += float64(bars[i].Volume)
		} else if bars[i].Close < bars[i-1].Close {
			total -= float64(bars[i].Volume)
		}
		out[i] = total
	}
	return [][]float64{out}
}

// naiveADX goes by Wilder's sums, as his worksheet does.
func naiveADX(bars []Bar) [][]float64 {
	up, down, ranges := nans(len(bars)), nans(len(bars)), naiveRanges(bars)
	for i := 1; i < len(bars); i++ {
		u, d := bars[i].High-bars[i-1].High, bars[i-1].Low-bars[i].Low
		up[i], down[i] = 0, 0
		if u > d && u > 0 {
			up[i] = u
		}
		if d > u && d > 0 {
			down[i] = d
		}
	}
	sums := func(x []float64) []float64 {
		out := naiveSMA(x, 5)
		for i := range out {
			if i > 0 && !math.IsNaN(out[i-1]) {
				out[i] = out[i-1] - out[i-1]/5 + x[i]
			} else {
				out[i] *= 5
			}
		}
		return out
	}
	span, plus, less, dx := sums(ranges), sums(up), sums(down), nans(len(bars))
	for i := range bars {
		if plus[i], less[i] = 100*plus[i]/span[i], 100*less[i]/span[i]; span[i] == 0 {
			plus[i], less[i] = 0, 0
		}
		if dx[i] = 100 * math.Abs(plus[i]-less[i]) / (plus[i] + less[i]); plus[i]+less[i] == 0 {
			dx[i] = 0
		}
	}
	return [][]float64{naiveWilder(dx, 5), plus, less}
}

func naiveROC(bars []Bar) [][]float64 {
	out := nans(len(bars))
	for i := 12; i < len(bars); i++ {
		out[i] = 100 * (bars[i].Close/bars[i-12].Close - 1)
	}
	return [][]float64{out}
}

func naiveVolatility(bars []Bar) [][]float64 {
	out := nans(len(bars))
	for i := 10; i < len(bars); i++ {
		sum, squares := 0.0, 0.0
		for j := i - 9; j <= i; j++ {
			u := math.Log(bars[j].Close) - math.Log(bars[j-1].Close)
			sum, squares = sum+u, squares+u*u
		}
		out[i] = 100 * math.Sqrt((squares-sum*sum/10)/9) * math.Sqrt(252*13) // half hours
	}
	return [][]float64{out}
}

func naiveTrend(bars []Bar) [][]float64 {
	fast, slow, reach := naiveEMA(closesOf(bars), 4), naiveEMA(closesOf(bars), 9), naiveATR(bars, 5)
	out := nans(len(bars))
	for i := range out {
		if math.IsNaN(slow[i]) || math.IsNaN(reach[i]) {
			continue
		}
		out[i] = 0
		if d := fast[i] - slow[i]; math.Abs(d) > reach[i]/2 {
			out[i] = math.Copysign(1, d)
		}
	}
	return [][]float64{out}
}
