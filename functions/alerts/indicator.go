package alerts

import (
	"strings"

	"streamflow"
	"streamflow/functions/formula"
)

// kindNames are the indicators that a rule may name.
var kindNames = func() []string {
	var names []string
	for _, k := range formula.Kinds() {
		names = append(names, k.Name)
	}
	return names
}()

// indicatorOperand reads an indicator with its numbers; its part is left open.
func indicatorOperand(name string, numbers []float64, i streamflow.Interval) (operand, error) {
	texts := make([]string, len(numbers))
	for n, v := range numbers {
		texts[n] = numberText(v)
	}
	spec, err := formula.ParseSpec(name + "(" + strings.Join(texts, ",") + ")")
	if err != nil {
		return operand{}, err
	}
	o := operand{source: ofIndicator, factor: 1, interval: i, spec: spec.String(), formula: spec}
	o.name = rulesText(o.spec, i)
	return o, nil
}

// rulesText writes macd(12,26,9) at 5m as rules do: macd(12, 26, 9, 5m). All
// parameters are there, so that a default has one name.
func rulesText(spec string, i streamflow.Interval) string {
	s := strings.ReplaceAll(spec, ",", ", ")
	if i == streamflow.IntervalTick {
		return s
	}
	if body, ok := strings.CutSuffix(s, ")"); ok {
		return body + ", " + string(i) + ")"
	}
	return s + "(" + string(i) + ")"
}
