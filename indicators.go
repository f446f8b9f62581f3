package streamflow

import (
	"encoding/json"
	"fmt"
	"time"
)

// Value is one number of an indicator, by its full name: "sma_20",
// "macd_12_26_9.signal".
type Value struct {
	Name  string
	Value float64
}

// Trend is where a price goes: see the function indicators for the rule.
type Trend string

// The trends; "" while there is not enough to tell.
const (
	TrendUp   Trend = "up"
	TrendDown Trend = "down"
	TrendFlat Trend = "flat"
)

// Indicators are the indicators of a symbol after one tick ([IntervalTick]) or
// one closed candle. A value that has not warmed up is not among Values.
type Indicators struct {
	Symbol   string
	Interval Interval
	Time     time.Time // of the tick, or the start of the candle
	Price    float64   // of the tick, or the candle's close
	Values   []Value   // in a fixed order
	Trend    Trend
	Amended  bool     // a late tick has changed this or an earlier candle since they were published
	Last     Position // of the tick that they follow from
}

// AppendJSON appends x as one JSON object.
func (x Indicators) AppendJSON(b []byte) []byte {
	b = append(b, `{"symbol":`...)
	b = appendString(b, x.Symbol)
	b = append(b, `,"interval":"`...)
	b = append(b, x.Interval...)
	b = append(b, `","time":"`...)
	b = x.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = appendNumber(append(b, `","price":`...), x.Price)
	b = append(b, `,"values":{`...)
	for i, v := range x.Values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendNumber(append(appendString(b, v.Name), ':'), v.Value)
	}
	b = append(b, '}')
	if x.Trend != "" {
		b = append(append(append(b, `,"trend":"`...), x.Trend...), '"')
	}
	if x.Amended {
		b = append(b, `,"amended":true`...)
	}
	b = append(b, `,"last":"`...)
	b = x.Last.AppendTo(b)
	return append(b, '"', '}')
}

// MarshalJSON returns what [Indicators.AppendJSON] appends.
func (x Indicators) MarshalJSON() ([]byte, error) { return x.AppendJSON(nil), nil }

// UnmarshalJSON reads what [Indicators.AppendJSON] writes; the values stand in
// the order of their text.
func (x *Indicators) UnmarshalJSON(data []byte) error {
	var d struct {
		Symbol   string
		Interval Interval
		Time     time.Time
		Price    float64
		Values   values
		Trend    Trend
		Amended  bool
		Last     string
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return fmt.Errorf("indicators: %w", err)
	}
	if d.Interval != IntervalTick && d.Interval.Duration() == 0 {
		return fmt.Errorf("indicators: interval %.20q: want %s or one of %v", d.Interval, IntervalTick, Intervals)
	}
	last, err := ParsePosition(d.Last)
	if err != nil {
		return fmt.Errorf("indicators: last: %w", err)
	}
	*x = Indicators{
		Symbol: d.Symbol, Interval: d.Interval, Time: d.Time, Price: d.Price,
		Values: d.Values, Trend: d.Trend, Amended: d.Amended, Last: last,
	}
	return nil
}
