package alerts

import (
	"cmp"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"streamflow/functions/formula"
)

// Each kind of quantity is written as people read it, in text only: the values
// of the alert stay what was compared.
func TestTextsAreRoundedValuesAreNot(t *testing.T) {
	for _, c := range []struct {
		when   string
		prices []float64
		want   string
	}{
		{"change over 0.05% in 10m", []float64{170.7097, 170.8097}, "price rose by 0.059% within 10m to 170.81, more than 0.05%"},
		{"change over 1% in 10m", []float64{170, 163.123456}, "price fell by 4.05% within 10m to 163.12, more than 1%"},
		{"price > 200", []float64{1, 200.123456}, "price 200.12 is above 200"},
		{"price > 200", []float64{1, 201}, "price 201.00 is above 200"},
		{"price > 200", []float64{1, 200.0004}, "price 200.0004 is above 200"},
		{"price >= 200", []float64{1, 200}, "price 200.00 is at or above 200"},
		{"price < 0.5", []float64{1, 0.123456}, "price 0.1235 is below 0.5"},
		{"price < 0.5", []float64{1, 0.0000123456}, "price 0.00001235 is below 0.5"},
		{"price < 200.0065", []float64{300, 200.006}, "price 200.006 is below 200.0065"},
		{"price > sma(3)", []float64{100, 100, 100.01}, "price 100.01 is above sma(3) (100.00)"},
		{"rsi(2) > 70", []float64{100, 103, 102}, "rsi(2) 75.00 is above 70"},
		{"roc(1) < -0.01", []float64{100, 99.957}, "roc(1) -0.043 is below -0.01"},
		{"volume > 6", []float64{1, 1}, "volume 7 is above 6"},
	} {
		r := newRig(t, rules(c.when)...)
		var text string
		for i, p := range c.prices {
			for _, a := range r.tick(time.Duration(i)*time.Second, p, 7) {
				text = a.Text
				if p := a.Values["price"]; strings.HasPrefix(c.when, "price") && p != a.Price {
					t.Errorf("%s: value %v of price %v", c.when, p, a.Price)
				}
			}
		}
		if want := "AAPL: " + c.want + "."; text != want {
			t.Errorf("%s on %v: %q, want %q", c.when, c.prices, text, want)
		}
	}
}

// What is written compares as what was compared, whatever the numbers are.
func TestTextsTellWhichSideIsLarger(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	left := []operand{{source: ofPrice}, {source: ofVolume}, {source: ofChange}}
	for n := range 20_000 {
		bound := math.Pow(10, 10*random.Float64()-5)
		if random.IntN(2) == 0 {
			bound = math.Round(bound*100) / 100
		}
		value := bound * (1 + math.Pow(10, -9*random.Float64())*float64(random.IntN(3)-1))
		for _, right := range []operand{{source: ofNumber, number: bound}, {source: ofPrice, factor: 1}} {
			pt := plannedTest{test: test{left: left[n%3], right: right}, l: 0, r: -1}
			if right.source != ofNumber {
				pt.r = 1
			}
			values := []float64{value, bound}
			l, r := pt.figures(values)
			a, errA := strconv.ParseFloat(l, 64)
			b, errB := strconv.ParseFloat(r, 64)
			if errA != nil || errB != nil || pt.distance(values) != 0 && cmp.Compare(a, b) != cmp.Compare(value, bound) {
				t.Fatalf("%v and %v are written %s and %s", value, bound, l, r)
			}
		}
	}
}

// A formula of a unit that is not known would be written as per cent.
func TestUnitsOfFormulas(t *testing.T) {
	for _, k := range formula.Kinds() {
		if _, ok := formulaUnits[k.Unit]; !ok {
			t.Errorf("%s is counted in %q: say in formulaUnits how that is written", k.Name, k.Unit)
		}
	}
}
