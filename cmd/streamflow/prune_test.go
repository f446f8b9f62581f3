package main

import (
	"log/slog"
	"testing"
	"time"

	"streamflow"
	"streamflow/api"
)

// Each table is pruned by its own setting, over as many statements as it takes;
// what has none keeps all.
func TestPruneOnce(t *testing.T) {
	g := newMarketRig(t)
	g.fill() // 600 minutes from 10:00 on
	now := marketDay.Add(20 * time.Hour)
	left := func() (ticks, candles, alerts int) {
		t.Helper()
		var page api.AlertPage
		for cursor := ""; ; cursor = "&cursor=" + *page.Next {
			g.do(200, "GET", "/api/alerts?limit=1000"+cursor, "", &page)
			if alerts += len(page.Alerts); page.Next == nil {
				break
			}
		}
		var ticksPage api.TickPage
		g.do(200, "GET", "/api/stocks/AAPL/ticks?limit=1000", "", &ticksPage)
		var candlePage api.CandlePage
		g.do(200, "GET", "/api/stocks/AAPL/candles?limit=1000", "", &candlePage)
		return len(ticksPage.Ticks), len(candlePage.Candles), alerts
	}
	for _, c := range []struct {
		keep                   rowFlags
		ticks, candles, alerts int
	}{
		{rowFlags{}, 600, 600, 600},
		{rowFlags{KeepCandles: 8 * time.Hour}, 600, 480, 600},
		{rowFlags{KeepAlerts: time.Hour}, 600, 480, 60},
		{rowFlags{KeepRows: 2 * time.Hour, KeepCandles: 4 * time.Hour, KeepAlerts: 24 * time.Hour}, 120, 240, 60},
	} {
		pruneOnce(t.Context(), g.db, c.keep, now, 50, slog.New(slog.DiscardHandler))
		if ticks, candles, alerts := left(); ticks != c.ticks || candles != c.candles || alerts != c.alerts {
			t.Errorf("%+v leaves %d %s, %d %s and %d %s, want %d, %d and %d", c.keep, ticks, streamflow.TableTicks,
				candles, streamflow.TableCandles, alerts, streamflow.TableAlerts, c.ticks, c.candles, c.alerts)
		}
	}
}
