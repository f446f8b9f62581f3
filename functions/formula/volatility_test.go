package formula

import (
	"math"
	"testing"
	"time"
)

// J. C. Hull, Options, Futures, and Other Derivatives, table "Computation of
// volatility" (9th ed., table 15.1): daily closes, 0.01216 a day, 19.3% a year.
func TestHullVolatility(t *testing.T) {
	closes := []float64{
		20.00, 20.10, 19.90, 20.00, 20.50, 20.25, 20.90, 20.90, 20.90, 20.75, 20.75,
		21.00, 21.10, 20.90, 20.90, 21.25, 21.40, 21.40, 21.25, 21.75, 22.00,
	}
	series(t, "volatility(20)", closes, 20, 0.05, 19.3)
	series(t, "volatility(20,252,1)", closes, 20, 5e-4*math.Sqrt(252), 1.216*math.Sqrt(252))
}

// A solved problem on futures, https://ja.scribd.com/doc/151856665: 0.013684 a day.
func TestFuturesVolatility(t *testing.T) {
	closes := []float64{15, 14.75, 14.5, 14.875, 15, 15.125, 15.1875, 15.3125, 15.5, 15.75, 16}
	series(t, "volatility(10)", closes, 10, 5e-5*math.Sqrt(252), 1.3684*math.Sqrt(252))
}

func pushAll(i *Indicator, closes []float64, step, span time.Duration) {
	for n, price := range closes {
		i.Push(Bar{At: int64(n) * step.Microseconds(), Span: span, High: price, Low: price, Close: price, VWAP: price})
	}
}

// The same returns in bars of another length are scaled by the root of the
// lengths; ticks are taken for bars as long as they are apart.
func TestVolatilityByLength(t *testing.T) {
	closes := []float64{15, 14.75, 14.5, 14.875, 15}
	at := func(spec string, step, span time.Duration) float64 {
		i := parse(t, spec)
		pushAll(i, closes, step, span)
		v, ok := i.Value(0)
		if !ok {
			t.Fatalf("%s of %s: no value", spec, span)
		}
		return v
	}
	minute := at("volatility(4)", time.Minute, time.Minute)
	for _, c := range []struct {
		what string
		got  float64
		want float64
	}{
		{"days", at("volatility(4)", 24*time.Hour, 24*time.Hour), minute / math.Sqrt(390)},
		{"hours", at("volatility(4)", time.Hour, time.Hour), minute / math.Sqrt(60)},
		{"ticks", at("volatility(4)", time.Minute, 0), minute},
		{"faster ticks", at("volatility(4)", 15*time.Second, 0), 2 * minute},
		{"crypto", at("volatility(4,365,1440)", time.Minute, time.Minute), minute * math.Sqrt(365*1440/252./390)},
	} {
		if math.Abs(c.got-c.want) > 1e-9*c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	i := parse(t, "volatility(4)")
	pushAll(i, closes, 0, 0)
	if v, ok := i.Value(0); ok {
		t.Errorf("ticks of one and the same time: %v", v)
	}
}

// NIST Statistical Reference Datasets, univariate: NumAcc1 to NumAcc4, with
// their certified means and standard deviations (those of a sample).
func TestNIST(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, a, b   float64
		n             int
		mean, sd, eps float64
	}{
		{"NumAcc1", 10000001, 10000003, 10000002, 3, 10000002, 1, 1e-9},
		{"NumAcc2", 1.2, 1.1, 1.3, 1001, 1.2, 0.1, 1e-12},
		{"NumAcc3", 1000000.2, 1000000.1, 1000000.3, 1001, 1000000.2, 0.1, 1e-9},
		// The nearest float64 to 10000000.1 is 1.5e-9 off.
		{"NumAcc4", 10000000.2, 10000000.1, 10000000.3, 1001, 10000000.2, 0.1, 2e-9},
	} {
		n := min(c.n, maxLength)
		i := parse(t, "bollinger("+number(float64(n))+",1)")
		for k := range c.n {
			x := c.first
			if k > 0 {
				x = []float64{c.b, c.a}[k%2]
			}
			i.Push(Bar{High: x, Low: x, Close: x, VWAP: x})
		}
		v := i.Values(nil)
		// The certified deviation is that of a sample. A window of 1000 has lost the
		// first number, which lies at the mean, and with it nothing but its weight.
		want := c.sd * math.Sqrt(float64(c.n-1)/float64(n))
		if math.Abs(v[0].Value-c.mean) > c.eps || math.Abs(v[1].Value-v[0].Value-want) > c.eps {
			t.Errorf("%s: mean %v, deviation %v; want %v and %v", c.name, v[0].Value, v[1].Value-v[0].Value, c.mean, want)
		}
	}
}
