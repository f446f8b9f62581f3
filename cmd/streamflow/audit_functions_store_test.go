//go:build unix

package main

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

// storedCandles checks table candles: what is closed there is the last version.
func (w *world) storedCandles(f *faults, want *wanted) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn := w.sql(ctx)
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT symbol, interval, start, open, high, low, close, volume, trades, vwap FROM candles WHERE closed`)
	if err != nil {
		w.t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c streamflow.Candle, err error) {
		return c, row.Scan(&c.Symbol, &c.Interval, &c.Start, &c.Open, &c.High, &c.Low, &c.Close, &c.Volume, &c.Trades, &c.VWAP)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	there := make(map[resultKey]bool)
	for _, c := range all {
		k := resultKey{c.Symbol, c.Interval, c.Start.Unix()}
		c.Closed, there[k] = true, true
		if content(c) != content(want.candles[k]) {
			f.add("table candles has %+v, want %+v", c, want.candles[k])
		}
	}
	for k := range want.candles {
		if !there[k] && k.over(want.newest) {
			f.add("table candles lacks %v", k)
		}
	}
}

// storedAlerts checks table alerts.
func (w *world) storedAlerts(f *faults, want *wanted) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn := w.sql(ctx)
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT id, rule, symbol, severity, when_text, text, price, values, time FROM alerts`)
	if err != nil {
		w.t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a streamflow.Alert, err error) {
		return a, row.Scan(&a.ID, &a.Rule, &a.Symbol, &a.Severity, &a.When, &a.Text, &a.Price, &a.Values, &a.Time)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, a := range all {
		var b streamflow.Alert
		if err := json.Unmarshal([]byte(want.alerts[a.ID].data), &b); err != nil {
			f.add("table alerts has %+v, which was never raised", a)
			continue
		}
		if !sameAlert(a, b) {
			f.add("table alerts has %+v, want %+v", a, b)
		}
	}
	if len(all) != len(want.alerts) {
		f.add("table alerts has %d rows, want %d", len(all), len(want.alerts))
	}
}

func sameAlert(a, b streamflow.Alert) bool {
	for name, v := range a.Values {
		if math.Float64bits(v) != math.Float64bits(b.Values[name]) {
			return false
		}
	}
	return len(a.Values) == len(b.Values) && a.Rule == b.Rule && a.Symbol == b.Symbol && a.Severity == b.Severity && a.When == b.When &&
		a.Text == b.Text && a.Price == b.Price && a.Time.Equal(b.Time.Truncate(time.Microsecond))
}

// returnedFacts checks that a topic holds each fact of a stream once.
func (w *world) returnedFacts(f *faults, topic string, list []fact) {
	w.t.Helper()
	want := make(map[string]string, len(list))
	for _, x := range list {
		want[x.output.String()] = string(x.data)
	}
	seen := make(map[string]bool)
	for partition, records := range w.kafkaLog(topic) {
		for _, r := range records {
			var at string
			for _, h := range r.Headers {
				if h.Key == streamflow.HeaderOutput {
					at = string(h.Value)
				}
			}
			if seen[at] {
				f.add("topic %s has %s again at %d/%d", topic, at, partition, r.Offset)
			}
			seen[at] = true
			if want[at] != string(r.Value) {
				f.add("topic %s %d/%d: %s is %s, want %s", topic, partition, r.Offset, at, r.Value, want[at])
			}
		}
	}
	for at := range want {
		if !seen[at] {
			f.add("topic %s lacks %s", topic, at)
		}
	}
}
