package streamflow

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Interval is the length of a candle. Its text is its name on the wire: "1m".
type Interval string

// The intervals at which candles are made.
const (
	Second1  Interval = "1s"
	Minute1  Interval = "1m"
	Minute5  Interval = "5m"
	Minute15 Interval = "15m"
	Hour1    Interval = "1h"
	Day1     Interval = "1d"
)

// Intervals are all of them, the shortest first.
var Intervals = []Interval{Second1, Minute1, Minute5, Minute15, Hour1, Day1}

// IntervalTick is the interval of what is computed on single ticks: no time.
const IntervalTick Interval = "tick"

// Duration returns the length of i, 0 if it is none of [Intervals].
func (i Interval) Duration() time.Duration {
	switch i {
	case Second1:
		return time.Second
	case Minute1:
		return time.Minute
	case Minute5:
		return 5 * time.Minute
	case Minute15:
		return 15 * time.Minute
	case Hour1:
		return time.Hour
	case Day1:
		return 24 * time.Hour
	}
	return 0
}

// ParseInterval reads the name of an interval; the error lists them.
func ParseInterval(s string) (Interval, error) {
	if Interval(s).Duration() == 0 {
		return "", fmt.Errorf("interval %.20q: want one of %v", s, Intervals)
	}
	return Interval(s), nil
}

// Candle sums up the ticks of a symbol whose event time lies in [Start,
// Start+Interval), UTC. Open and Close are the prices of its first and last
// tick by event time, then by offset, in whatever order they came.
type Candle struct {
	Symbol                 string
	Interval               Interval
	Start                  time.Time
	Open, High, Low, Close float64 // prices
	Volume                 int64   // units
	Trades                 int64   // ticks
	VWAP                   float64 // sum of price*volume / Volume; the mean price where Volume is 0
	// Closed says that time has passed End. A closed candle changes only when a
	// late tick amends it.
	Closed bool
	// Amended counts the late ticks that changed it after it was closed.
	Amended int64
	Last    Position // of its last tick to arrive
}

// End is the first instant behind the candle.
func (c Candle) End() time.Time { return c.Start.Add(c.Interval.Duration()) }

// AppendJSON appends c as one JSON object.
func (c Candle) AppendJSON(b []byte) []byte {
	b = append(b, `{"symbol":`...)
	b = appendString(b, c.Symbol)
	b = append(b, `,"interval":"`...)
	b = append(b, c.Interval...)
	b = append(b, `","start":"`...)
	b = c.Start.UTC().AppendFormat(b, time.RFC3339)
	b = appendNumber(append(b, `","open":`...), c.Open)
	b = appendNumber(append(b, `,"high":`...), c.High)
	b = appendNumber(append(b, `,"low":`...), c.Low)
	b = appendNumber(append(b, `,"close":`...), c.Close)
	b = strconv.AppendInt(append(b, `,"volume":`...), c.Volume, 10)
	b = strconv.AppendInt(append(b, `,"trades":`...), c.Trades, 10)
	b = appendNumber(append(b, `,"vwap":`...), c.VWAP)
	b = strconv.AppendBool(append(b, `,"closed":`...), c.Closed)
	if c.Amended > 0 {
		b = strconv.AppendInt(append(b, `,"amended":`...), c.Amended, 10)
	}
	b = append(b, `,"last":"`...)
	b = c.Last.AppendTo(b)
	return append(b, '"', '}')
}

// MarshalJSON returns what [Candle.AppendJSON] appends.
func (c Candle) MarshalJSON() ([]byte, error) { return c.AppendJSON(nil), nil }

// UnmarshalJSON reads what [Candle.AppendJSON] writes. The error names the field.
func (c *Candle) UnmarshalJSON(data []byte) error {
	var d struct {
		Symbol                       string
		Interval                     string
		Start                        time.Time
		Open, High, Low, Close, VWAP float64
		Volume, Trades, Amended      int64
		Closed                       bool
		Last                         string
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return fmt.Errorf("candle: %w", err)
	}
	interval, err := ParseInterval(d.Interval)
	if err != nil {
		return fmt.Errorf("candle: %w", err)
	}
	if !ValidSymbol(d.Symbol) {
		return fmt.Errorf("candle: symbol %.40q is not one", d.Symbol)
	}
	last, err := ParsePosition(d.Last)
	if err != nil {
		return fmt.Errorf("candle: last: %w", err)
	}
	*c = Candle{
		Symbol: d.Symbol, Interval: interval, Start: d.Start, Open: d.Open, High: d.High, Low: d.Low, Close: d.Close,
		Volume: d.Volume, Trades: d.Trades, VWAP: d.VWAP, Closed: d.Closed, Amended: d.Amended, Last: last,
	}
	return nil
}
