package alerts

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"streamflow"
)

// maxAverage is the longest average of volumes; each costs eight bytes a candle.
const maxAverage = 500

// candleFields are the numbers of a candle that a rule may name.
var candleFields = []string{"open", "high", "low", "close", "volume"}

// quantity reads price, volume, open(1m), average(20, 1m), rsi(14, 1m), ...
func (p *parser) quantity() (operand, error) {
	t := p.peek()
	if t.kind != tokenWord {
		return operand{}, p.expected("a quantity: price, volume, close(1m) or an indicator such as rsi(14, 1m)")
	}
	p.at++
	switch {
	case t.text == "price":
		return operand{name: "price", source: ofPrice, factor: 1}, nil
	case t.text == "volume" && !p.peek().is("("):
		return operand{name: "volume", source: ofVolume, factor: 1}, nil
	case slices.Contains(candleFields, t.text):
		args, err := p.arguments(t.text)
		if err == nil && (len(args.numbers) != 0 || args.interval == streamflow.IntervalTick) {
			err = args.wrong(t.text + "(1m): the interval of the candle and nothing else")
		}
		return candleOperand(t.text, args.interval), err
	case t.text == "average":
		return p.average()
	case slices.Contains(kindNames, t.text):
		return p.indicator(t)
	}
	p.at--
	names := append([]string{"price", "volume", "average", "change", "stale"}, candleFields...)
	names = append(names, kindNames...)
	return operand{}, p.expectedWord("a quantity: "+list(slices.Compact(slices.Sorted(slices.Values(names)))), names)
}

// candleOperand is a number of the newest closed candle.
func candleOperand(field string, i streamflow.Interval) operand {
	return operand{name: field + "(" + string(i) + ")", source: ofCandle, factor: 1, interval: i, field: field}
}

// average reads what follows the word "average".
func (p *parser) average() (operand, error) {
	args, err := p.arguments("average")
	if err != nil {
		return operand{}, err
	}
	if len(args.numbers) != 1 || args.interval == streamflow.IntervalTick {
		return operand{}, args.wrong("average(20, 1m): how many candles, and their interval")
	}
	n := args.numbers[0]
	if n < 1 || n > maxAverage || n != math.Trunc(n) {
		return operand{}, args.wrong(fmt.Sprintf("a whole number of candles from 1 to %d", maxAverage))
	}
	return operand{
		name:   fmt.Sprintf("average(%d, %s)", int(n), args.interval),
		source: ofAverage, factor: 1, interval: args.interval, count: int(n),
	}, nil
}

// indicator reads what follows an indicator's name.
func (p *parser) indicator(name token) (operand, error) {
	args, err := p.arguments(name.text)
	if err != nil {
		return operand{}, err
	}
	o, err := indicatorOperand(name.text, args.numbers, args.interval)
	if err != nil {
		return operand{}, args.wrong("numbers that " + name.text + " takes: " + err.Error())
	}
	if !p.take(".") {
		return o, nil
	}
	parts := o.formula.Kind().Parts
	if o.part = slices.Index(parts, p.peek().text) + 1; o.part == 0 {
		if len(parts) == 0 {
			p.at--
			return operand{}, p.expected("a relation: " + name.text + " has no parts")
		}
		return operand{}, p.expectedWord("a part of "+name.text+": "+list(parts), parts)
	}
	p.at++
	o.name += "." + parts[o.part-1]
	return o, nil
}

// arguments are what stands between brackets: numbers, then an interval.
type arguments struct {
	numbers  []float64
	interval streamflow.Interval // [streamflow.IntervalTick] if there is none
	column   int
	text     string
}

// wrong says that the arguments do not fit.
func (a arguments) wrong(expected string) error {
	return &SyntaxError{Column: a.column, Found: fmt.Sprintf("%q", a.text), Expected: expected}
}

// arguments reads (20, 1m), (1m), (20) or nothing at all.
func (p *parser) arguments(name string) (arguments, error) {
	a := arguments{interval: streamflow.IntervalTick, column: p.tokens[p.at-1].column, text: name}
	if !p.take("(") {
		return a, nil
	}
	words := []string{name, "("}
	for {
		t := p.peek()
		words = append(words, t.text)
		switch {
		case t.kind == tokenNumber && t.unit == "" && t.number >= 0:
			a.numbers = append(a.numbers, t.number)
		case t.kind == tokenNumber && streamflow.Interval(t.text).Duration() > 0:
			a.interval = streamflow.Interval(t.text)
		default:
			return a, p.expected(fmt.Sprintf("a number, or an interval: one of %v", streamflow.Intervals))
		}
		p.at++
		if p.take(")") {
			a.text = strings.Join(append(words, ")"), "")
			return a, nil
		}
		if a.interval != streamflow.IntervalTick {
			return a, p.expected(`")": the interval comes last`)
		}
		if !p.take(",") {
			return a, p.expected(`"," or ")"`)
		}
		words = append(words, ", ")
	}
}
