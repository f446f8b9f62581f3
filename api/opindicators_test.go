package api

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

func TestIndicators(t *testing.T) {
	g := newMarketRig(t)
	for n := range 100 {
		g.market.put(candle("AAPL", streamflow.Minute1, n, float64(n)))
	}
	var series IndicatorSeries
	const path = "/api/stocks/AAPL/indicators"
	g.get(t, path+"?spec=sma(3)&spec=sma(20)&from=2025-11-21T12:30:00Z&to=2025-11-21T12:33:00Z", &series)
	if fmt.Sprint(series.Names) != "[sma_3 sma_20]" || len(series.Points) != 3 {
		t.Fatalf("%+v", series)
	}
	for n, p := range series.Points { // warm from the first one on
		close := float64(30 + n)
		if p.Price != close || p.Values["sma_3"] != close-1 || p.Values["sma_20"] != close-9.5 || !p.Closed || !p.Time.Equal(epoch.Add(time.Duration(30+n)*time.Minute)) {
			t.Errorf("point %d: %+v", n, p)
		}
	}
	open := candle("AAPL", streamflow.Minute1, 100, 200)
	open.Closed = false
	g.market.show(open)
	series = IndicatorSeries{}
	g.get(t, path+"?spec=sma(2)", &series)
	if last := series.Points[len(series.Points)-1]; len(series.Points) != 101 || last.Closed || last.Values["sma_2"] != 149.5 || len(series.Points[0].Values) != 0 {
		t.Errorf("%d points, the last %+v", len(series.Points), last)
	}
	g.problem(t, "GET", path, 422, "query.spec")
	g.problem(t, "GET", path+"?spec=smaa(3)", 422, "query.spec", "GET /api/formulas", "no such")
	g.problem(t, "GET", "/api/stocks/NONE/indicators?spec=sma(3)", 404, "NONE")
	for n := range maxPoints {
		g.market.put(candle("AAPL", streamflow.Second1, n, 1))
	}
	const seconds = path + "?spec=sma(3)&interval=1s&from=2025-11-21T12:00:00Z"
	g.get(t, seconds, &series)
	if len(series.Points) != maxPoints {
		t.Errorf("%d points", len(series.Points))
	}
	g.market.put(candle("AAPL", streamflow.Second1, maxPoints, 1))
	g.problem(t, "GET", seconds, 422, "query.from", "10000 candles", "2025-11-21T12:00:01Z", "longer interval")
	var formulas []Formula
	if resp := g.get(t, "/api/formulas", &formulas); len(formulas) != 1 || resp.Header.Get("Cache-Control") == "no-store" {
		t.Errorf("formulas: %+v %v", formulas, resp.Header)
	}
}

// TestLead reads the whole day that a daily indicator needs, and not more.
func TestLead(t *testing.T) {
	g := marketRig{market: newFakeMarket(), rig: &rig{}}
	g.Server = &Server{config: Config{Market: g.market.market()}, board: newBoard()}
	for n := -200; n < 100; n++ { // the day begins at -144
		g.market.put(candle("AAPL", streamflow.Minute5, n, 1))
	}
	for _, c := range []struct {
		n     int
		daily bool
		want  int
	}{{0, false, 0}, {10, false, 10}, {0, true, 154}, {160, true, 160}, {1000, false, 210}} {
		got, err := g.lead(t.Context(), "AAPL", streamflow.Minute5, epoch.Add(50*time.Minute), c.n, c.daily)
		if err != nil || len(got) != c.want {
			t.Errorf("%+v: %d candles, %v", c, len(got), err)
		}
		for i := 1; i < len(got); i++ {
			if !got[i].Start.After(got[i-1].Start) {
				t.Fatalf("%+v: not in order", c)
			}
		}
	}
}

func TestCompare(t *testing.T) {
	g := newMarketRig(t)
	for n := range 10 {
		if n != 2 {
			g.market.put(candle("A", streamflow.Minute1, n, float64(100+n)))
		}
		if n >= 2 {
			g.market.put(candle("B", streamflow.Minute1, n, float64(50-n)))
		}
	}
	g.market.put(candle("C", streamflow.Minute1, 50, 1))
	var c Comparison
	g.get(t, "/api/compare?symbols=B,A", &c)
	if c.From == nil || !c.From.Equal(epoch.Add(3*time.Minute)) || c.Series[0].Symbol != "B" || len(c.Series[0].Points) != 7 {
		t.Fatalf("%+v", c)
	}
	if first, last := c.Series[1].Points[0], c.Series[1].Points[6]; first.Percent != 0 || last.Percent != 5.825243 {
		t.Errorf("A: %+v to %+v", first, last)
	}
	g.get(t, "/api/compare?symbols=A,C", &c)
	if c.From != nil || len(c.Series) != 2 || len(c.Series[0].Points) != 0 {
		t.Errorf("nothing in common: %+v", c)
	}
	g.problem(t, "GET", "/api/compare", 422, "query.symbols")
	g.problem(t, "GET", "/api/compare?symbols=A,A", 422, "query.symbols", "twice")
	g.problem(t, "GET", "/api/compare?symbols=A,NONE", 404, "NONE")
}

func TestQueriesTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeMarket()
		f.wait = true
		s := &Server{config: Config{Market: f.market()}, board: newBoard()}
		candles, indicators := &CandlesInput{Limit: 1}, &IndicatorsInput{Spec: []string{"sma(3)"}}
		candles.Symbol, candles.Interval, indicators.Symbol, indicators.Interval = "A", "1m", "A", "1m"
		for name, call := range map[string]func() error{
			"candles":    func() error { _, err := s.candlePage(context.Background(), candles); return err },
			"indicators": func() error { _, err := s.indicators(context.Background(), indicators); return err },
			"alerts":     func() error { _, err := s.alertPage(context.Background(), &AlertsInput{Limit: 1}); return err },
			"rules":      func() error { _, err := s.rulePage(context.Background(), &RulesInput{Limit: 1}); return err },
		} {
			began := time.Now()
			var p *huma.ErrorModel
			if err := call(); !errors.As(err, &p) || p.Status != 504 || time.Since(began) != queryTimeout {
				t.Errorf("%s: %v after %s", name, err, time.Since(began))
			}
		}
	})
}

func TestTrends(t *testing.T) {
	now := newTrends()
	say := func(i streamflow.Interval, minute int, to streamflow.Trend) {
		x := streamflow.Indicators{Symbol: "A", Interval: i, Time: epoch.Add(time.Duration(minute) * time.Minute), Trend: to, Last: streamflow.Position{Topic: streamflow.TopicTicks}}
		now.Apply(streamflow.StreamIndicators, []streamflow.Message{{Data: x.AppendJSON(nil)}})
	}
	for _, step := range []struct {
		interval streamflow.Interval
		minute   int
		to, want streamflow.Trend
	}{
		{streamflow.IntervalTick, 1, "down", ""}, {streamflow.Minute1, 1, "up", "up"}, {streamflow.Minute5, 5, "down", "up"},
		{streamflow.Minute1, 0, "flat", "up"}, {streamflow.Minute1, 1, "flat", "flat"}, {streamflow.Minute1, 2, "", ""},
	} {
		if say(step.interval, step.minute, step.to); now.of("A") != step.want {
			t.Errorf("%+v: %q", step, now.of("A"))
		}
	}
	now.Apply(streamflow.StreamIndicators, []streamflow.Message{{Data: []byte(`{"x":1,"interval":"1m",`)}, {}})
	g := newRig(t, nil)
	g.trends.bySymbol["AAPL"] = trend{to: "up"}
	g.feed.put(g.tick("AAPL", 1, 1, time.Now().Add(-time.Minute)))
	eventually(t, "AAPL is known", func() bool { _, ok, _ := g.board.stock("AAPL", epoch); return ok })
	var s Stock
	marketRig{rig: g}.get(t, "/api/stocks/AAPL", &s)
	if s.Trend != "up" || s.Age < 60 || s.Age > 120 {
		t.Errorf("trend %q, age %v", s.Trend, s.Age)
	}
}
