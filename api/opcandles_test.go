package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"streamflow"
)

// marketRig is a rig with a market.
type marketRig struct {
	*rig
	market *fakeMarket
}

func newMarketRig(t *testing.T) marketRig {
	t.Helper()
	f := newFakeMarket()
	return marketRig{newRig(t, func(c *Config) { c.Market = f.market() }), f}
}

// get reads an answer of 200 into to.
func (g marketRig) get(t *testing.T, path string, to any) *http.Response {
	t.Helper()
	resp, body := g.do(t, "GET", path)
	if resp.StatusCode != 200 {
		t.Fatalf("%s: %d %s", path, resp.StatusCode, body)
	}
	if err := json.Unmarshal([]byte(body), to); err != nil {
		t.Fatalf("%s: %v in %s", path, err, body)
	}
	return resp
}

// all follows the pages of candles.
func (g marketRig) all(t *testing.T, query string) []Candle {
	t.Helper()
	var all []Candle
	for cursor := ""; ; {
		var p CandlePage
		g.get(t, "/api/stocks/AAPL/candles?"+query+cursor, &p)
		all = append(all, p.Candles...)
		if p.Next == nil {
			return all
		}
		cursor = "&cursor=" + *p.Next
	}
}

func TestCandlePages(t *testing.T) {
	g := newMarketRig(t)
	for n := range 25 {
		if n%4 != 1 {
			g.market.put(candle("AAPL", streamflow.Minute1, n, float64(100+n)))
		}
	}
	for _, order := range []string{"asc", "desc"} {
		want := fmt.Sprint(g.all(t, "limit=10000&order="+order))
		for _, limit := range []int{1, 2, 5, 18, 19, 24} {
			if got := fmt.Sprint(g.all(t, fmt.Sprintf("limit=%d&order=%s", limit, order))); got != want {
				t.Errorf("%s by %d:\n got %s\nwant %s", order, limit, got, want)
			}
		}
	}
	var p CandlePage
	from, to := epoch.Add(3*time.Minute), epoch.Add(6*time.Minute)
	resp := g.get(t, "/api/stocks/AAPL/candles?from="+from.Format(time.RFC3339)+"&to="+to.Format(time.RFC3339), &p)
	if len(p.Candles) != 2 || !p.Candles[0].Start.Equal(epoch.Add(4*time.Minute)) || p.Interval != "1m" || p.Symbol != "AAPL" || p.Next != nil {
		t.Errorf("between two times: %+v", p)
	}
	if resp.Header.Get("Cache-Control") != cachePast {
		t.Errorf("the past: Cache-Control is %q", resp.Header.Get("Cache-Control"))
	}
	if resp = g.get(t, "/api/stocks/AAPL/candles", &p); resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the present: Cache-Control is %q", resp.Header.Get("Cache-Control"))
	}
}

// TestFilledCandles holds pages of either order and any size, with gaps filled,
// against a plain computation.
func TestFilledCandles(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 5))
		g := marketRig{market: newFakeMarket(), rig: &rig{}}
		g.Server = &Server{config: Config{Market: g.market.market()}, board: newBoard()}
		has := map[int]float64{}
		for n := range 40 {
			if r.IntN(3) == 0 {
				has[n] = float64(50 + r.IntN(100))
				g.market.put(candle("AAPL", streamflow.Minute1, n, has[n]))
			}
		}
		from, to := r.IntN(20), 20+r.IntN(30)
		var want []string
		price, known := 0.0, false
		for n := range to {
			p, traded := has[n]
			if traded {
				price, known = p, true
			}
			if n >= from && known {
				want = append(want, fmt.Sprint(n, price, !traded))
			}
		}
		for _, order := range []string{"asc", "desc"} {
			limit := 1 + r.IntN(12)
			got := g.filled(t, order, limit, epoch.Add(time.Duration(from)*time.Minute), epoch.Add(time.Duration(to)*time.Minute))
			if order == "desc" {
				slices.Reverse(got)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("seed %d, %s by %d, %d to %d:\n got %v\nwant %v", seed, order, limit, from, to, got, want)
			}
		}
	}
}

func (g marketRig) filled(t *testing.T, order string, limit int, from, to time.Time) (got []string) {
	t.Helper()
	in := &CandlesInput{Limit: limit, Order: order, Fill: "previous"}
	in.Symbol, in.Interval, in.From, in.To = "AAPL", streamflow.Minute1, from, to
	for {
		p, err := g.candlePage(t.Context(), in)
		if err != nil {
			var status interface{ GetStatus() int }
			if errors.As(err, &status) && status.GetStatus() == 404 {
				return nil
			}
			t.Fatal(err)
		}
		if len(p.Candles) > limit {
			t.Fatalf("%d candles, limit %d", len(p.Candles), limit)
		}
		for _, c := range p.Candles {
			if c.Filled != (c.Volume == 0 && c.Trades == 0 && c.Open == c.Close && c.High == c.Close && c.VWAP == c.Close) {
				t.Fatalf("filled or not: %+v", c)
			}
			got = append(got, fmt.Sprint(int(c.Start.Sub(epoch)/time.Minute), c.Close, c.Filled))
		}
		if p.Next == nil {
			return got
		}
		in.Cursor = *p.Next
	}
}

// TestGrowingCandle shows the candle of the live stream in its place.
func TestGrowingCandle(t *testing.T) {
	g := newMarketRig(t)
	now := time.Now().UTC().Truncate(time.Minute)
	n := int(now.Sub(epoch) / time.Minute)
	g.market.put(candle("AAPL", streamflow.Minute1, n-5, 10), candle("AAPL", streamflow.Minute1, n-3, 11))
	open := candle("AAPL", streamflow.Minute1, n, 12)
	open.Closed = false
	g.market.show(open)
	for query, want := range map[string]string{
		"":                         "[12/false 11/true 10/true]",
		"order=asc":                "[10/true 11/true 12/false]",
		"limit=1":                  "[12/false 11/true 10/true]",
		"limit=1&order=asc":        "[10/true 11/true 12/false]",
		"order=asc&fill=previous":  "[10/true 10/true 11/true 11/true 11/true 12/false]",
		"fill=previous&limit=2":    "[12/false 11/true 11/true 11/true 10/true 10/true]",
		"interval=5m":              "[]",
		"to=" + text(now):          "[11/true 10/true]",
		"from=" + text(now):        "[12/false]",
		"from=" + text(now.Add(1)): "[]",
	} {
		if strings.Contains(query, "fill") && time.Since(now) < settle+time.Second {
			query, want = "", "[12/false 11/true 10/true]" // the minute before is not believed to be empty yet
		}
		if query == "interval=5m" || strings.HasPrefix(query, "from="+text(now.Add(1))) {
			g.feed.put(g.tick("AAPL", 1, 1, now))
			eventually(t, "AAPL is known", func() bool { _, ok, _ := g.board.stock("AAPL", now); return ok })
		}
		var got []string
		for _, c := range g.all(t, query) {
			got = append(got, fmt.Sprintf("%g/%v", c.Close, c.Closed))
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%q: got %v, want %s", query, got, want)
		}
	}
	// The table may hold a newer version than the stream, which lags, or an older one.
	stored := open
	stored.Trades, stored.Close = open.Trades+1, 13
	g.market.put(stored)
	if all := g.all(t, "limit=1"); all[0].Close != 13 {
		t.Errorf("an older version from the stream hides the stored one: %+v", all[0])
	}
	open.Trades, open.Close = stored.Trades+1, 14
	g.market.show(open)
	if all := g.all(t, "limit=1"); all[0].Close != 14 || len(all) != 3 {
		t.Errorf("the newest version is not shown: %+v", all)
	}
}

func text(t time.Time) string { return url.QueryEscape(t.Format(time.RFC3339Nano)) }

func TestCandleProblems(t *testing.T) {
	g := newMarketRig(t)
	const path = "/api/stocks/AAPL/candles"
	g.problem(t, "GET", path, 404, "AAPL", "GET /api/stocks")
	g.problem(t, "GET", "/api/stocks/%00/candles", 404)
	g.problem(t, "GET", path+"?interval=2m", 422, "query.interval", "5m")
	g.problem(t, "GET", path+"?limit=10001", 422, "query.limit")
	g.problem(t, "GET", path+"?fill=zero", 422, "query.fill")
	g.problem(t, "GET", path+"?order=up", 422, "query.order")
	g.problem(t, "GET", path+"?from=2025-11-21T12:00:00Z&to=2025-11-21T11:00:00Z", 422, "query.to", "later than from")
	for _, cursor := range []string{"x", "MQ", opaque("1"), opaque("9223372036854775807"), opaque("00"), "!"} {
		g.problem(t, "GET", path+"?cursor="+url.QueryEscape(cursor), 422, "query.cursor")
	}
	g.market.err = errors.New("connection refused")
	if resp := g.problem(t, "GET", path, 503, "connection refused"); resp.Header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	bare := newRig(t, nil)
	for _, p := range []string{path, "/api/rules", "/api/alerts", "/api/stocks/AAPL/indicators?spec=sma(20)", "/api/stocks/AAPL/candles.csv"} {
		bare.problem(t, "GET", p, 503, "not joined")
	}
}
