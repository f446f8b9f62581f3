package indicators

import (
	"fmt"

	"streamflow"
	"streamflow/functions/formula"
)

// Compute returns the indicators of stored candles of one symbol and interval,
// by time: what the function says of them, if it has seen the same candles from
// the first one on. Indicators of as many candles as [formula.Specs.WarmUp] says
// are not complete; averages that reach back without end (ema, rsi, macd, atr,
// adx, trend) need some more until they forget where they began. A candle of
// which there is no value yet has no result.
func Compute(specs []string, candles []streamflow.Candle) ([]streamflow.Indicators, error) {
	read, err := formula.ParseSpecs(specs)
	if err != nil {
		return nil, err
	}
	set := read.New()
	results := make([]streamflow.Indicators, 0, len(candles))
	for n := range candles {
		c := &candles[n]
		if first := &candles[0]; c.Symbol != first.Symbol || c.Interval != first.Interval {
			return nil, fmt.Errorf("candle %d is of %s at %s; want %s at %s as the first", n, c.Symbol, c.Interval, first.Symbol, first.Interval)
		}
		if n > 0 && !c.Start.After(candles[n-1].Start) {
			return nil, fmt.Errorf("candle %d starts at %s, not behind the one before", n, c.Start)
		}
		set.Push(formula.OfCandle(c))
		values, trend := set.Values(nil)
		if len(values) > 0 {
			results = append(results, streamflow.Indicators{
				Symbol: c.Symbol, Interval: c.Interval, Time: c.Start, Price: c.Close, Values: values, Trend: trend, Last: c.Last,
			})
		}
	}
	return results, nil
}
