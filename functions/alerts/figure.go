package alerts

import (
	"cmp"
	"math"
	"strconv"
)

// unit is what a quantity is counted in.
type unit uint8

const (
	inPercent unit = iota // also what goes from 0 to 100
	inPrices
	inVolumes
	inSigns // 1, 0, -1
)

// formulaUnits are the units by the names that formulas give them.
var formulaUnits = map[string]unit{
	"price": inPrices, "volume": inVolumes, "percent": inPercent, "percent a year": inPercent, "0 to 100": inPercent, "1, 0, −1": inSigns,
}

// maxDigits is how many digits stand behind a point at most.
const maxDigits = 15

// figures writes both sides of a test as people read them: prices in cents, per
// cent and ratios to a hundredth, volumes whole. A number that a rule gives
// stands as it does there. Where that would hide which side is larger, digits
// are added until it shows: "200.00 is above 200" helps nobody.
func (t *plannedTest) figures(values []float64) (left, right string) {
	l, r := values[t.l], t.bound(values)
	order := cmp.Compare(t.distance(values), 0)
	for more := 0; ; more++ {
		left, right = t.left.figure(l, more), t.right.figure(r, more)
		if order == 0 || more == maxDigits || cmp.Compare(numberOf(left), numberOf(right)) == order {
			return left, right
		}
	}
}

// figure writes a value of the operand with so many digits more than usual.
func (o operand) figure(f float64, more int) string {
	if o.source == ofNumber {
		return numberText(f)
	}
	if f == 0 {
		f = 0 // and not -0
	}
	return strconv.FormatFloat(f, 'f', min(o.digits(math.Abs(f))+more, maxDigits), 64)
}

// digits is how many digits behind the point a value of this size deserves.
func (o operand) digits(size float64) int {
	u, whole := o.unit(), size == math.Trunc(size)
	switch {
	case u == inSigns && whole, u == inVolumes && (whole || size >= 100):
		return 0
	case size == 0 || size >= 1:
		return 2
	case u == inPrices && size >= 0.01:
		return 4
	case u == inPrices:
		return significant(4, size)
	}
	return max(2, significant(2, size))
}

func (o operand) unit() unit {
	switch o.source {
	case ofPrice:
		return inPrices
	case ofVolume, ofAverage:
		return inVolumes
	case ofCandle:
		if o.field == "volume" {
			return inVolumes
		}
		return inPrices
	case ofIndicator:
		return formulaUnits[o.formula.Kind().Unit]
	}
	return inPercent
}

// significant is how many digits behind the point show the first n of a number
// below 1 that are not zeros.
func significant(n int, size float64) int { return n - 1 - int(math.Floor(math.Log10(size))) }

func numberOf(text string) float64 {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return f
}
