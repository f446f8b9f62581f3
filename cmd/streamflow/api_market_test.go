package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"streamflow"
	"streamflow/api"
	"streamflow/api/guard"
	"streamflow/functions/formula"
	"streamflow/functions/indicators"
	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
	"streamflow/infra/postgres"
)

// marketRig is the API on a real database and a real bucket.
type marketRig struct {
	t       *testing.T
	handler http.Handler
	db      *postgres.DB
	rules   *jetstream.Bucket
}

func newMarketRig(t *testing.T) *marketRig {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	dir, err := os.MkdirTemp("", "streamflow-market-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // the server's user must be able to go in
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server, err := embedded.StartPostgres(ctx, embedded.PostgresConfig{Addr: "127.0.0.1:0", Dir: dir, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	stream, err := embedded.StartNATS(embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: t.TempDir(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stream.Close() })
	js, err := natsFlags{NATS: stream.URL()}.connect("test", quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(js.Close)
	if _, err := js.Ensure(ctx, jetstream.DefaultLimits); err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Connect(ctx, server.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if _, err := db.Migrate(ctx, postgres.Retention{}); err != nil {
		t.Fatal(err)
	}
	g := &marketRig{t: t, db: db, rules: js.Bucket(streamflow.BucketRules)}
	s, err := api.New(api.Config{Feed: feed{js}, Store: store{db}, Market: market(db, g.rules), Logger: quiet,
		Guard: guard.Config{OpenWrites: true, Listener: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}})
	if err != nil {
		t.Fatal(err)
	}
	g.handler = s.Handler()
	return g
}

// do sends a request and reads the answer into to, if that is not nil.
func (g *marketRig) do(status int, method, path, body string, to any, headers ...string) *httptest.ResponseRecorder {
	g.t.Helper()
	req := httptest.NewRequestWithContext(g.t.Context(), method, path, strings.NewReader(body))
	req.RemoteAddr, req.Host = "127.0.0.1:1", "localhost"
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	g.handler.ServeHTTP(rec, req)
	if rec.Code != status {
		g.t.Fatalf("%s %s %s: %d, want %d: %.500s", method, path, body, rec.Code, status, rec.Body)
	}
	if to != nil {
		if err := json.Unmarshal(rec.Body.Bytes(), to); err != nil {
			g.t.Fatalf("%s %s: %v in %.300s", method, path, err, rec.Body)
		}
	}
	return rec
}

var marketDay = time.Date(2025, 11, 21, 0, 0, 0, 0, time.UTC)

// fill stores 600 minutes of AAPL from 10:00 on: ticks, candles and alerts.
func (g *marketRig) fill() (candles []streamflow.Candle) {
	g.t.Helper()
	var ticks []streamflow.Mirrored
	var raised []streamflow.Alert
	in := streamflow.Partition{Topic: streamflow.TopicTicks}
	for n := range 600 {
		at := marketDay.Add(10*time.Hour + time.Duration(n)*time.Minute)
		price := math.Round((100+10*math.Sin(float64(n)/20))*100) / 100
		last := streamflow.Position{Topic: in.Topic, Offset: int64(n)}
		ticks = append(ticks, streamflow.Mirrored{Position: last, Tick: streamflow.Tick{Symbol: "AAPL", Price: price, Volume: 10, Time: at, Exchange: "=XNAS"}})
		candles = append(candles, streamflow.Candle{
			Symbol: "AAPL", Interval: streamflow.Minute1, Start: at, Open: price, High: price, Low: price, Close: price, VWAP: price,
			Volume: 10, Trades: 1, Closed: true, Last: last,
		})
		raised = append(raised, streamflow.Alert{
			ID: fmt.Sprintf("%032x", n), Rule: "r", Symbol: "AAPL", When: "price above 1", Severity: streamflow.SeverityInfo, Time: at, Text: "x", Position: last.String(),
		})
	}
	ctx := g.t.Context()
	if err := g.db.Archive(ctx, streamflow.FunctionArchive, ticks, nil, map[streamflow.Partition]int64{in: 599}); err != nil {
		g.t.Fatal(err)
	}
	if _, refused, err := g.db.UpsertCandles(ctx, candles); err != nil || len(refused) > 0 {
		g.t.Fatal(refused, err)
	}
	if _, refused, err := g.db.InsertAlerts(ctx, raised); err != nil || len(refused) > 0 {
		g.t.Fatal(refused, err)
	}
	return candles
}

func TestMarketOnRealServers(t *testing.T) {
	g := newMarketRig(t)
	candles := g.fill()
	t.Run("candles", func(t *testing.T) { g.t = t; g.readsCandles(candles) })
	t.Run("indicators", func(t *testing.T) { g.t = t; g.readsIndicators(candles) })
	t.Run("exports", func(t *testing.T) { g.t = t; g.exports() })
	t.Run("rules", func(t *testing.T) { g.t = t; g.keepsRules() })
	t.Run("alerts", func(t *testing.T) { g.t = t; g.readsAlerts() })
	t.Run("strange values", func(t *testing.T) { g.t = t; g.takesAnything() })
}

func (g *marketRig) readsCandles(candles []streamflow.Candle) {
	for _, order := range []string{"asc", "desc"} {
		seen := map[time.Time]bool{}
		for cursor := ""; ; {
			var p api.CandlePage
			g.do(200, "GET", "/api/stocks/AAPL/candles?limit=70&order="+order+cursor, "", &p)
			for _, c := range p.Candles {
				seen[c.Start] = true
			}
			if p.Next == nil {
				break
			}
			cursor = "&cursor=" + *p.Next
		}
		if len(seen) != len(candles) {
			g.t.Errorf("%s: %d candles, want %d", order, len(seen), len(candles))
		}
	}
	var p api.CandlePage
	g.do(200, "GET", "/api/stocks/AAPL/candles?fill=previous&limit=10&to=2025-11-21T20:05:00Z", "", &p)
	if len(p.Candles) != 10 || !p.Candles[4].Filled || p.Candles[5].Filled || p.Candles[0].Close != p.Candles[5].Close {
		g.t.Errorf("filled: %+v", p.Candles)
	}
}

// readsIndicators wants the values that the function would have come to from
// the first candle of all on, though it is asked for a few.
func (g *marketRig) readsIndicators(candles []streamflow.Candle) {
	query := url.Values{"from": {"2025-11-21T18:20:00Z"}, "to": {"2025-11-21T18:30:00Z"}}
	specs := []string{"sma(20)", "rsi(14)", "macd(12,26,9)", "vwap", "atr(14)", "trend"}
	query["spec"] = specs
	var series api.IndicatorSeries
	g.do(200, "GET", "/api/stocks/AAPL/indicators?"+query.Encode(), "", &series)
	all, err := indicators.Compute(specs, candles)
	if err != nil || len(series.Points) != 10 {
		g.t.Fatal(len(series.Points), err)
	}
	live := map[time.Time]streamflow.Indicators{}
	for _, x := range all {
		live[x.Time] = x
	}
	for _, p := range series.Points {
		want := live[p.Time]
		if len(want.Values) != len(series.Names) || len(p.Values) != len(series.Names) || p.Trend != string(want.Trend) {
			g.t.Fatalf("%+v\nwant %+v", p, want)
		}
		for _, v := range want.Values {
			if math.Abs(p.Values[v.Name]-v.Value) > 1e-6 {
				g.t.Errorf("%s at %s: %v, want %v", v.Name, p.Time, p.Values[v.Name], v.Value)
			}
		}
	}
	var list []api.Formula
	g.do(200, "GET", "/api/formulas", "", &list)
	if len(list) != len(formula.Kinds()) {
		g.t.Errorf("%d formulas", len(list))
	}
	for _, f := range list {
		if _, err := (formulas{}).Plan([]string{f.Spec}); err != nil || len(f.Names) == 0 || f.Text == "" || f.WarmUp < 1 {
			g.t.Errorf("%+v: %v", f, err)
		}
	}
	g.do(422, "GET", "/api/stocks/AAPL/indicators?spec=smaa(3)", "", nil)
}

func (g *marketRig) exports() {
	body := g.do(200, "GET", "/api/stocks/AAPL/ticks.csv", "", nil).Body.Bytes()
	if lines := bytes.Count(body, []byte("\r\n")); lines != 601 || !bytes.Contains(body, []byte(",'=XNAS,0,599,")) {
		g.t.Errorf("%d lines, the end is %s", lines, body[len(body)-100:])
	}
	body = g.do(200, "GET", "/api/stocks/AAPL/candles.ndjson?fill=previous&to=2025-11-21T21:00:00Z", "", nil).Body.Bytes()
	if lines := bytes.Count(body, []byte("\n")); lines != 660 {
		g.t.Errorf("%d candles", lines)
	}
}

func (g *marketRig) keepsRules() {
	const one = "/api/rules/high"
	rec := g.do(201, "POST", "/api/rules", `{"id":"high","symbol":"AAPL","when":"price crosses above 105"}`, nil)
	tag := rec.Header().Get("ETag")
	g.do(409, "POST", "/api/rules", `{"id":"high","symbol":"AAPL","when":"price crosses above 105"}`, nil)
	g.do(304, "GET", one, "", nil, "If-None-Match", tag)
	rec = g.do(200, "PUT", one, rec.Body.String(), nil, "If-Match", tag)
	g.do(412, "PUT", one, rec.Body.String(), nil, "If-Match", tag)
	g.do(412, "DELETE", one, "", nil, "If-Match", tag)
	var p api.RuleProblem
	g.do(422, "PUT", one, `{"symbol":"AAPL","when":"price abov 105"}`, &p)
	if p.Column != 7 || p.Errors[0].Location != "body.when" || !strings.Contains(p.Errors[0].Message, `did you mean "above"`) {
		g.t.Errorf("%+v", p)
	}
	// What somebody put there another way is shown, and can be replaced.
	if err := g.rules.Put(g.t.Context(), "odd", []byte("not json")); err != nil {
		g.t.Fatal(err)
	}
	var rules api.RulePage
	g.do(200, "GET", "/api/rules", "", &rules)
	if len(rules.Rules) != 2 || rules.Rules[1].ID != "odd" || rules.Rules[1].Fault == "" || rules.Rules[0].Judged != "on each tick" {
		g.t.Errorf("%+v", rules)
	}
	g.do(200, "PUT", "/api/rules/odd", `{"symbol":"AAPL","when":"price above 1"}`, nil)
	g.do(204, "DELETE", "/api/rules/odd", "", nil)
	g.do(204, "DELETE", one, "", nil, "If-Match", rec.Header().Get("ETag"))
	g.do(404, "GET", one, "", nil)
	g.do(200, "PUT", one, `{"symbol":"AAPL","when":"price above 1"}`, nil, "If-None-Match", "*")

	var test api.RuleTest
	g.do(200, "POST", "/api/rules/test", `{"rule":{"symbol":"AAPL","when":"price crosses above 105"},"from":"2025-11-21T10:00:00Z","to":"2025-11-21T20:00:00Z"}`, &test)
	if test.Count != 5 || len(test.Alerts) != 5 || test.Ticks != 600 || !test.Complete { // ten hours are 4.8 periods of the price
		g.t.Errorf("%+v", test)
	}
}

func (g *marketRig) readsAlerts() {
	var p api.AlertPage
	g.do(200, "GET", "/api/alerts?symbol=AAPL&limit=3&to=2025-11-21T12:00:00Z", "", &p)
	if len(p.Alerts) != 3 || p.Next == nil {
		g.t.Fatalf("%+v", p)
	}
	first := p.Alerts[0].ID
	g.do(200, "GET", "/api/alerts?symbol=AAPL&limit=3&to=2025-11-21T12:00:00Z&cursor="+*p.Next, "", &p)
	if p.Alerts[0].ID != fmt.Sprintf("%032x", 116) {
		g.t.Errorf("the second page begins with %s", p.Alerts[0].ID)
	}
	var done api.Acknowledged
	g.do(200, "POST", "/api/alerts/acknowledge", `{"ids":["`+first+`","none"],"by":"ada"}`, &done)
	if len(done.Alerts) != 1 || done.Alerts[0].AcknowledgedAt == nil || fmt.Sprint(done.Missing) != "[none]" {
		g.t.Errorf("%+v", done)
	}
	g.do(200, "GET", "/api/alerts?acknowledged=true", "", &p)
	if len(p.Alerts) != 1 || *p.Alerts[0].AcknowledgedBy != "ada" {
		g.t.Errorf("%+v", p)
	}
}

// takesAnything sends what nobody should: the database must not be blamed.
func (g *marketRig) takesAnything() {
	opaque := []string{"MA", "LTYyMTM1NTk2ODAwMDAwMDAw", "LTYyMTM1NTk2ODAwMDAwMDAwLGE", "MTc2MzcyNjQwMDAwMDAwMCwA", "LTkyMjMzNzIwMzY4NTQ3NzU4MDgsMCww"}
	values := append(opaque, "'; DROP TABLE alerts; --", "\x00", "\xff", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999+14:00", "AAPL", "..", "10000")
	for _, path := range []string{"/ticks", "/candles", "/candles?fill=previous", "/indicators?spec=sma(3)", "/ticks.csv", "/candles.ndjson"} {
		name, query, _ := strings.Cut(path, "?")
		for _, v := range values {
			for _, parameter := range []string{"symbol", "cursor", "from", "to", "limit"} {
				symbol, q := "AAPL", url.Values{}
				if parameter == "symbol" {
					symbol = v
				} else {
					q.Set(parameter, v)
				}
				g.strange("/api/stocks/" + url.PathEscape(symbol) + name + "?" + query + "&" + q.Encode())
			}
		}
	}
	for _, v := range values {
		for _, parameter := range []string{"symbol", "rule", "cursor", "from", "to", "limit"} {
			g.strange("/api/alerts?" + url.Values{parameter: {v}}.Encode())
		}
		g.strange("/api/compare?" + url.Values{"symbols": {v}}.Encode())
		g.strange("/api/rules/" + url.PathEscape(v))
		body, _ := json.Marshal(map[string]any{"ids": []string{v}, "by": v})
		g.do(200, "POST", "/api/alerts/acknowledge", string(body), nil)
	}
}

func (g *marketRig) strange(path string) {
	g.t.Helper()
	rec := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(g.t.Context(), "GET", path, nil)
	req.RemoteAddr, req.Host = "127.0.0.1:1", "localhost"
	g.handler.ServeHTTP(rec, req)
	if rec.Code >= 500 {
		g.t.Errorf("GET %s: %d %.300s", path, rec.Code, rec.Body)
	}
}
