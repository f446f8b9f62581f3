package indicators

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
)

func TestParams(t *testing.T) {
	for _, good := range []string{
		``, `{}`, `{"intervals":["tick"]}`, `{"intervals":["1h","1m"],"indicators":["sma(200)","RSI"],"lateness":"10m"}`,
		`{"intervals":["1m"],"lateness":"2h","delay":"1s","grace":"5s"}`,
	} {
		if _, err := ParseParams(json.RawMessage(good)); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		`[]`:                             "params of indicators: json",
		`{"interval":["1m"]}`:            `unknown field "interval"`,
		`{"intervals":["2m"]}`:           `params of indicators: intervals: "2m": want some of tick and [1s 1m 5m 15m 1h 1d]`,
		`{"indicators":["sma(0)"]}`:      `params of indicators: indicators: indicator "sma(0)": n is "0"; want a whole number from 1 to 1000`,
		`{"indicators":["smma"]}`:        `there is no "smma"; there are sma`,
		`{"indicators":["sma","sma()"]}`: `indicator "sma()" is the same as "sma"`,
		`{"lateness":"x"}`:               `lateness "x": want a duration`,
		`{"lateness":"-1s"}`:             `lateness -1s: want 0s to`,
		`{"lateness":"30m"}`:             `lateness 30m0s: with candles of 1s one tick could correct`,
	} {
		if _, err := ParseParams(json.RawMessage(bad)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", bad, err, want)
		}
	}
}

func TestVersion(t *testing.T) {
	seen := make(map[string]Params)
	for _, p := range []Params{
		{}, {Intervals: []streamflow.Interval{"tick"}}, {Intervals: []streamflow.Interval{"1m"}}, {Intervals: []streamflow.Interval{"1m", "tick"}},
		{Indicators: []string{"sma(20)"}}, {Indicators: []string{"sma(21)"}}, {Indicators: []string{"sma(20)", "ema(20)"}}, {Indicators: []string{"ema(20)", "sma(20)"}},
	} {
		v := New(p).Version
		if other, ok := seen[v]; ok {
			t.Errorf("%+v and %+v have one version", p, other)
		}
		seen[v] = p
	}
	// What does not change the meaning of a state does not cost it.
	a, b := New(Params{}), New(Params{Lateness: "2m", Intervals: []streamflow.Interval{"1d", "1h", "15m", "5m", "1m", "1s", "tick", "1s"}})
	if a.Version != b.Version {
		t.Errorf("versions %s and %s", a.Version, b.Version)
	}
	if a.Name != streamflow.FunctionIndicators || a.Reads != streamflow.StreamTicks || a.Writes != streamflow.StreamIndicators {
		t.Errorf("it is %+v", a)
	}
}

// The most that a tick can correct fits into one step.
func TestMostFacts(t *testing.T) {
	r := start(t, Params{Lateness: "90s", Indicators: []string{"ema(50)"}})
	for second := range 1000 {
		r.offset(second, 10+float64(second%7))
	}
	r.all = nil
	r.offset(1000-90, 50)
	if n := len(r.all); n < 80 || n > functions.MaxFacts {
		t.Errorf("one late tick published %d facts", n)
	}
	for i := range r.lines {
		if n := len(r.lines[i].recent); n > 100 {
			t.Errorf("%s keeps %d candles", r.plan.intervals[i], n)
		}
	}
}

func TestComputeErrors(t *testing.T) {
	c := streamflow.Candle{Symbol: "A", Interval: "1m", Start: time.Unix(60, 0), Open: 1, High: 1, Low: 1, Close: 1, VWAP: 1, Volume: 1}
	later, other, hour := c, c, c
	later.Start = later.End()
	other.Symbol, other.Start = "B", later.Start
	hour.Interval, hour.Start = "1h", later.Start
	for want, candles := range map[string][]streamflow.Candle{
		"candle 1 is of B at 1m; want A at 1m": {c, other},
		"candle 1 is of A at 1h; want A at 1m": {c, hour},
		"candle 1 starts at":                   {later, c},
		"candle 2 starts at":                   {c, later, later},
	} {
		if _, err := Compute([]string{"vwap"}, candles); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := Compute([]string{"x"}, nil); err == nil {
		t.Error("x is an indicator")
	}
	got, err := Compute([]string{"vwap", "obv"}, []streamflow.Candle{c, later})
	if err != nil || len(got) != 2 || len(got[0].Values) != 1 || len(got[1].Values) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Compute([]string{"vwap"}, nil); err != nil || len(got) != 0 {
		t.Errorf("of no candles: %v, %v", got, err)
	}
}
