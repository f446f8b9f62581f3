package streamflow

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

func TestCandleJSON(t *testing.T) {
	want := Candle{
		Symbol: "BRK.B", Interval: Minute5, Start: time.Date(2026, 1, 2, 15, 5, 0, 0, time.UTC), Open: 1.5, High: 2, Low: 1, Close: 1.25,
		Volume: 7, Trades: 3, VWAP: 1.3333333333333333, Closed: true, Amended: 2, Last: Position{"stock_ticks", 1, 42},
	}
	var got Candle
	if err := json.Unmarshal(want.AppendJSON(nil), &got); err != nil || got != want {
		t.Errorf("read %+v (%v), want %+v", got, err, want)
	}
	for _, bad := range []string{`{}`, `[]`, `{"symbol":"A","interval":"2m","last":"t/0/0"}`, `{"symbol":" ","interval":"1m","last":"t/0/0"}`, `{"symbol":"A","interval":"1m"}`} {
		if json.Unmarshal([]byte(bad), &got) == nil {
			t.Errorf("%s is taken for a candle", bad)
		}
	}
	if want.End() != want.Start.Add(5*time.Minute) {
		t.Errorf("it ends at %s", want.End())
	}
}

func TestIndicatorsJSON(t *testing.T) {
	want := Indicators{
		Symbol: "AAPL", Interval: IntervalTick, Time: time.Date(2026, 1, 2, 15, 5, 0, 7, time.UTC), Price: 12.5,
		Values: []Value{{"sma_20", 12.25}, {"ema_9", -1e-9}}, Trend: TrendUp, Amended: true, Last: Position{"stock_ticks", 1, 42},
	}
	var got Indicators
	if err := json.Unmarshal(want.AppendJSON(nil), &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v (%v), want %+v", got, err, want)
	}
	for _, bad := range []string{`{}`, `{"interval":"1m","values":[1],"last":"t/0/0"}`, `{"interval":"1m","values":{"a":"b"},"last":"t/0/0"}`} {
		if json.Unmarshal([]byte(bad), &got) == nil {
			t.Errorf("%s is taken for indicators", bad)
		}
	}
}
