//go:build unix

package main

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/alerts"
	"streamflow/functions/candles"
	"streamflow/functions/indicators"
)

// resultKey tells results of candles apart.
type resultKey struct {
	symbol   string
	interval streamflow.Interval
	start    int64 // Unix seconds
}

// over says that the time of the result ended by then, and so the clock, or a
// tick, has closed its candle.
func (k resultKey) over(by time.Time) bool {
	return !time.Unix(k.start, 0).Add(k.interval.Duration()).After(by)
}

// wanted is what an undisturbed run makes of ticks: the last version of each
// candle, of the indicators on each, and every alert by its ID.
type wanted struct {
	candles map[resultKey]streamflow.Candle
	values  map[resultKey]streamflow.Indicators
	alerts  map[string]wantedAlert
	newest  time.Time // when the newest tick was produced
}

type wantedAlert struct {
	data     string
	produced time.Time // when the tick was that raised it
}

// undisturbed runs the functions over messages, which are in the order of
// their partitions, and lets the clock close in the end what can be closed.
func undisturbed(t *testing.T, messages []streamflow.Message) *wanted {
	t.Helper()
	w := &wanted{make(map[resultKey]streamflow.Candle), make(map[resultKey]streamflow.Indicators), make(map[string]wantedAlert), time.Time{}}
	for i := range messages {
		if at := producedAt(&messages[i]); at.After(w.newest) {
			w.newest = at
		}
	}
	rules, faults := alerts.New(quickRules, []byte(quickSettings))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	far := w.newest.AddDate(1, 0, 0)
	batch(t, candles.New(candles.Params{}), messages, far, func(m *streamflow.Message) {
		k, c := candleOf(t, m.Data)
		w.candles[k] = c
	})
	batch(t, indicators.New(indicators.Params{}), messages, far, func(m *streamflow.Message) {
		k, x := indicatorsOf(t, m.Data)
		w.values[k] = x
	})
	batch(t, rules, messages, w.newest.Add(10*time.Second), func(m *streamflow.Message) {
		id := alertOf(t, m.Data).ID
		if w.alerts[id].data != "" {
			t.Fatalf("the batch raises alert %s twice", id)
		}
		produced, _ := streamflow.FindHop(m.Hops, streamflow.HopKafka)
		w.alerts[id] = wantedAlert{string(m.Data), produced}
	})
	w.ordered(t, messages)
	return w
}

func producedAt(m *streamflow.Message) time.Time {
	at, _ := streamflow.FindHop(m.Hops, streamflow.HopKafka)
	return at
}

func batch(t *testing.T, fn *functions.Function, messages []streamflow.Message, end time.Time, fact func(*streamflow.Message)) {
	t.Helper()
	b := functions.NewBatch(fn)
	take := func(facts []streamflow.Message, err error) {
		if err != nil {
			t.Fatalf("batch of %s: %v", fn.Name, err)
		}
		for i := range facts {
			fact(&facts[i])
		}
	}
	for i := range messages {
		take(b.Step(&messages[i]))
	}
	take(b.Advance(end))
	if n := b.Counts(); fn.Name != streamflow.FunctionAlerts && n["late"]+n["ahead"] > 0 {
		t.Fatalf("batch of %s refuses ticks, which none of them should: %v", fn.Name, n)
	}
}

// ordered checks the candles once more, by code that knows no windows: late
// ticks end in the candles that they would be in had they come in order.
func (w *wanted) ordered(t *testing.T, messages []streamflow.Message) {
	t.Helper()
	bySymbol := make(map[string][]streamflow.Mirrored)
	for i := range messages {
		tick, err := streamflow.DecodeTick(messages[i].Data, nil, streamflow.AnyTime)
		if err != nil {
			t.Fatal(err)
		}
		symbol := string([]byte(tick.Symbol))
		tick.Symbol = symbol
		bySymbol[symbol] = append(bySymbol[symbol], streamflow.Mirrored{Tick: tick, Position: messages[i].Position})
	}
	n := 0
	for symbol, ticks := range bySymbol {
		for _, interval := range streamflow.Intervals {
			for _, c := range candles.FromTicks(ticks, interval) {
				n++
				c.Closed = true
				if have := w.candles[resultKey{symbol, interval, c.Start.Unix()}]; content(have) != content(c) {
					t.Fatalf("the batch ends in candle\n%+v\nticks in order in\n%+v", have, c)
				}
			}
		}
	}
	if n != len(w.candles) {
		t.Fatalf("the batch has %d candles, ticks in order make %d", len(w.candles), n)
	}
}

// content is what of a candle does not depend on when it was closed.
func content(c streamflow.Candle) streamflow.Candle {
	c.Amended, c.Last, c.Start = 0, streamflow.Position{}, c.Start.UTC()
	return c
}

// sameValues compares what does not depend on when candles were closed.
func sameValues(a, b streamflow.Indicators) bool {
	return a.Price == b.Price && a.Trend == b.Trend && slices.Equal(a.Values, b.Values)
}

func candleOf(t *testing.T, data []byte) (resultKey, streamflow.Candle) {
	t.Helper()
	var c streamflow.Candle
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	return resultKey{c.Symbol, c.Interval, c.Start.Unix()}, c
}

func indicatorsOf(t *testing.T, data []byte) (resultKey, streamflow.Indicators) {
	t.Helper()
	var x streamflow.Indicators
	if err := json.Unmarshal(data, &x); err != nil {
		t.Fatal(err)
	}
	return resultKey{x.Symbol, x.Interval, x.Time.Unix()}, x
}

func alertOf(t *testing.T, data []byte) (a streamflow.Alert) {
	t.Helper()
	if err := json.Unmarshal(data, &a); err != nil {
		t.Fatal(err)
	}
	return a
}
