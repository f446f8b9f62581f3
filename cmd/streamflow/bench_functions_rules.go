package main

import (
	"fmt"

	"streamflow"
)

// benchConditions are of every kind that there is. They are true now and then at most.
var benchConditions = []string{
	"price above 100000", "price crosses 100", "change over 5% in 10m", "price > 1.1x sma(20, 1m)", "rsi(14, 1m) > 80",
	"sma(20, 1m) crosses above ema(50, 5m)", "volume over 20x average(20, 1m)", "rsi(14) > 99", "macd(1m).histogram > 5", "price < 1 and volume > 5",
}

// benchRules makes own rules for every symbol and one each for the others.
func benchRules(own, others int, symbol func(i int) string) (rules []streamflow.Rule) {
	for i := range own {
		rules = append(rules, streamflow.Rule{ID: fmt.Sprintf("own-%d", i), Symbol: "*", When: benchConditions[i%len(benchConditions)], Cooldown: "1m"})
	}
	for i := range others {
		rules = append(rules, streamflow.Rule{ID: fmt.Sprintf("other-%d", i), Symbol: symbol(i), When: benchConditions[i%len(benchConditions)], Cooldown: "1m"})
	}
	return rules
}

// rules are those of the command: ten for all symbols, the others spread.
func (c *benchFunctionsCmd) rules() []streamflow.Rule {
	own := min(10, c.Rules)
	names := benchSymbols(c.Symbols)
	return benchRules(own, c.Rules-own, func(i int) string { return names[i%len(names)] })
}
