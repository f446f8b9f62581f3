package simulate

import (
	"math"
	"testing"
	"time"
)

// logs returns the logarithm of the price (without the bounce between bid and
// ask) after each of n steps.
func logs(m *Market, symbol, n int, step time.Duration) []float64 {
	out := make([]float64, n)
	for k := range out {
		m.Step(symbol, epoch.Add(time.Duration(k)*step))
		out[k] = m.stocks[symbol].log
	}
	return out
}

func returns(logs []float64) []float64 {
	out := make([]float64, len(logs)-1)
	for i := range out {
		out[i] = logs[i+1] - logs[i]
	}
	return out
}

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

func correlation(x, y []float64) float64 {
	mx, my := mean(x), mean(y)
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	return xy / math.Sqrt(xx*yy)
}

func TestVolatilityClusters(t *testing.T) {
	m := NewMarket(Config{Symbols: []string{"AAPL"}, Seed: 2})
	r := returns(logs(m, 0, 60_000, time.Minute))
	squares := make([]float64, len(r))
	var second, fourth float64
	for i, v := range r {
		squares[i] = v * v
		second += v * v
		fourth += v * v * v * v
	}
	for _, lag := range []int{1, 5, 15} {
		if c := correlation(squares[lag:], squares[:len(squares)-lag]); c < 0.05 {
			t.Errorf("autocorrelation of squared returns at lag %d: %.3f, want it above 0", lag, c)
		}
		if c := correlation(r[lag:], r[:len(r)-lag]); math.Abs(c) > 0.03 {
			t.Errorf("autocorrelation of returns at lag %d: %.3f, want none", lag, c)
		}
	}
	if k := fourth / float64(len(r)) / math.Pow(second/float64(len(r)), 2); k < 4 {
		t.Errorf("kurtosis %.1f, want fat tails (a normal distribution has 3)", k)
	}
}

// TestVolatilityIsWhatWasAskedFor, in coarse and in fine steps.
func TestVolatilityIsWhatWasAskedFor(t *testing.T) {
	for _, step := range []time.Duration{DefaultInterval, time.Minute} {
		m := NewMarket(Config{Symbols: []string{"TEST"}, Volatility: 0.5, Seed: 3})
		m.stocks[0].beta, m.stocks[0].own = 1, 1
		var sum float64
		r := returns(logs(m, 0, 80_000, step))
		for _, v := range r {
			sum += v * v
		}
		if v := math.Sqrt(sum / float64(len(r)) / step.Seconds() * secondsPerYear); v < 0.42 || v > 0.58 {
			t.Errorf("steps of %s: volatility %.3f a year, want 0.5", step, v)
		}
	}
}

func TestSymbolsMoveTogether(t *testing.T) {
	m := NewMarket(Config{Symbols: []string{"AAPL", "MSFT", "SPY"}, Seed: 4})
	var r [3][]float64
	for i := range r {
		r[i] = returns(logs(m, i, 20_000, time.Minute))
	}
	if c := correlation(r[0], r[1]); c < 0.15 || c > 0.7 {
		t.Errorf("correlation of two stocks %.2f, want some", c)
	}
	if c, other := correlation(r[0], r[2]), correlation(r[0], r[1]); c < other {
		t.Errorf("correlation with the index fund %.2f, with another stock %.2f: want it the other way round", c, other)
	}
}

func TestSizesAreLogNormal(t *testing.T) {
	m := NewMarket(Config{Symbols: []string{"F"}, Seed: 6}) // cheap: large sizes, little rounding
	var x []float64
	round := 0
	for k := range 20_000 {
		tick := m.Step(0, epoch.Truncate(24*time.Hour).Add(time.Duration(k)*time.Millisecond))
		x = append(x, math.Log(float64(tick.Volume)))
		if tick.Volume%roundLot == 0 {
			round++
		}
	}
	mu := mean(x)
	var s2, s3 float64
	for _, v := range x {
		s2 += (v - mu) * (v - mu)
		s3 += (v - mu) * (v - mu) * (v - mu)
	}
	sd := math.Sqrt(s2 / float64(len(x)))
	skew := s3 / float64(len(x)) / (sd * sd * sd)
	if math.Abs(sd-sizeSpread) > 0.05 || math.Abs(skew) > 0.1 {
		t.Errorf("logarithms of sizes: deviation %.2f, skewness %.2f; want %.2f and 0", sd, skew, sizeSpread)
	}
	if share := float64(round) / float64(len(x)); share < 0.6 || share > 0.75 {
		t.Errorf("%.0f %% round lots, want about two in three", 100*share)
	}
}

func TestActivityIsAU(t *testing.T) {
	day := epoch.Truncate(24 * time.Hour)
	bell, noon := activity(day.Add(opening)), activity(day.Add((opening+closing)/2))
	bellAgain, night := activity(day.Add(closing-time.Minute)), activity(day.Add(2*time.Hour))
	if !(bell > 1.9 && noon < 0.9 && bellAgain > 1.9 && night < noon) {
		t.Errorf("activity at the bell %v, at noon %v, at the last bell %v, at night %v", bell, noon, bellAgain, night)
	}
}

// TestAnEndlessRunStaysInSight: over 200 years the price neither runs away nor
// dies.
func TestAnEndlessRunStaysInSight(t *testing.T) {
	m := NewMarket(Config{Symbols: []string{"AAPL"}, Seed: 9})
	x := logs(m, 0, 60*365*24/6, 6*time.Hour)
	for _, v := range x {
		if p := math.Exp(v); p < 230/4 || p > 230*4 {
			t.Fatalf("the price came to %.2f from 230", p)
		}
	}
}
