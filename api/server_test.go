package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"streamflow"
)

// do sends a request and returns the answer.
func (g *rig) do(t *testing.T, method, path string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, g.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.(*http.Transport).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close(); http.DefaultTransport.(*http.Transport).CloseIdleConnections() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// problem wants a problem of RFC 9457 that says something.
func (g *rig) problem(t *testing.T, method, path string, status int, says ...string) *http.Response {
	t.Helper()
	resp, body := g.do(t, method, path)
	var p huma.ErrorModel
	if err := json.Unmarshal([]byte(body), &p); err != nil || resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s %s: %d, no problem but %s %.200s", method, path, resp.StatusCode, resp.Header.Get("Content-Type"), body)
	}
	if resp.StatusCode != status || p.Status != status {
		t.Errorf("%s %s: %d, want %d: %s", method, path, resp.StatusCode, status, body)
	}
	for _, want := range says {
		if !strings.Contains(body, want) {
			t.Errorf("%s %s: does not say %q: %s", method, path, want, body)
		}
	}
	return resp
}

func withPage(c *Config) {
	c.Page = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("oh no")
		}
		_, _ = io.WriteString(w, "page")
	})
}

func TestRoutes(t *testing.T) {
	g := newRig(t, withPage)
	for _, path := range []string{"/", "/index.html", "/assets/a.js", "/apis", "/health/deep"} {
		if resp, body := g.do(t, "GET", path); resp.StatusCode != 200 || body != "page" {
			t.Errorf("%s: %d %q", path, resp.StatusCode, body)
		}
	}
	g.problem(t, "GET", "/api/nothing", 404, "/api/nothing", "/docs")
	g.problem(t, "GET", "/api", 404)
	g.problem(t, "GET", "/api/", 404)
	for _, path := range []string{"/api/stocks", "/api/stocks/AAPL", "/health", "/metrics", "/ws", "/openapi.json"} {
		if resp := g.problem(t, "POST", path, 405, "POST"); resp.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: Allow is %q", path, resp.Header.Get("Allow"))
		}
	}
	g.problem(t, "GET", "/ws", 400, "websocat")
	g.problem(t, "GET", "/panic", 500, "request id")
	if resp, body := g.do(t, "HEAD", "/api/stocks"); resp.StatusCode != 200 || body != "" {
		t.Errorf("HEAD: %d %q", resp.StatusCode, body)
	}
}

// The documents are sent once, also compressed.
func TestDocumentsAreNotSentAgain(t *testing.T) {
	g := newRig(t, nil)
	for _, path := range []string{"/openapi.json", "/openapi.yaml", "/asyncapi.json"} {
		resp, _ := g.do(t, "GET", path)
		tag := resp.Header.Get("ETag")
		r, _ := http.NewRequest("GET", g.url+path, nil)
		r.Header.Set("If-None-Match", tag)
		r.Header.Set("Accept-Encoding", "zstd")
		again, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = again.Body.Close()
		if tag == "" || again.StatusCode != http.StatusNotModified {
			t.Errorf("%s: tag %q, then %d", path, tag, again.StatusCode)
		}
		r.Header.Set("If-None-Match", `W/"another"`)
		again, err = http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = again.Body.Close()
		if again.StatusCode != 200 || again.Header.Get("Content-Encoding") != "zstd" || again.Header.Get("ETag") != tag {
			t.Errorf("%s: %d %v", path, again.StatusCode, again.Header)
		}
	}
}

func TestHeadersAndRequestID(t *testing.T) {
	g := newRig(t, withPage)
	resp, _ := g.do(t, "GET", "/api/stocks")
	if resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Cache-Control") != "no-store" || len(resp.Header.Get(headerRequestID)) < 16 {
		t.Errorf("headers: %v", resp.Header)
	}
	for given, kept := range map[string]bool{"abc-1_2.3": true, "a b": false, "a\"b": false, strings.Repeat("a", 65): false, "": false} {
		if got := requestID(given); (got == given) != kept || got == "" {
			t.Errorf("%q became %q", given, got)
		}
	}
}

func TestStocks(t *testing.T) {
	g := newRig(t, nil)
	if _, body := g.do(t, "GET", "/api/stocks"); strings.TrimSpace(body) != `{"stocks":[],"asOf":null}` {
		t.Errorf("no stocks: %s", body)
	}
	at := time.Now()
	g.feed.put(g.tick("BTC/USD", 64000.5, 2, at), g.tick("BRK.B", 1, 2, at), g.tick("^GSPC", 3, 4, at))
	eventually(t, "the ticks are taken", func() bool {
		s, _, _ := g.board.stock("^GSPC", at)
		return s.DayTicks != nil
	})
	var list StockList
	_, body := g.do(t, "GET", "/api/stocks")
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Stocks) != 3 || list.Stocks[0].Symbol != "BRK.B" || list.AsOf == nil {
		t.Fatalf("%v: %s", err, body)
	}
	for path, symbol := range map[string]string{"BTC%2FUSD": "BTC/USD", "BTC%2fUSD": "BTC/USD", "BRK.B": "BRK.B", "%5EGSPC": "^GSPC"} {
		var s Stock
		resp, body := g.do(t, "GET", "/api/stocks/"+path)
		if err := json.Unmarshal([]byte(body), &s); err != nil || resp.StatusCode != 200 || s.Symbol != symbol || *s.Seq == 0 || *s.DayTicks != 1 || s.Reference != nil {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
	g.problem(t, "GET", "/api/stocks/NONE", 404, "NONE", "/api/stocks")
	g.problem(t, "GET", "/api/stocks?symbol=AAPL", 422, "query.symbol")
	if n := g.metric(t, "streamflow_http_requests_total", "get-stock"); n != 5 {
		t.Errorf("counted %v requests of get-stock", n)
	}
	if age := g.metric(t, "streamflow_feed_newest_tick_age_seconds", ""); age < 0 || age > 60 {
		t.Errorf("age of the newest tick: %v", age)
	}
}

func TestStreamAway(t *testing.T) {
	feed := newFakeFeed()
	feed.fail(errors.New("nats: no servers available"))
	s, err := New(Config{Feed: feed, Store: &fakeStore{}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	defer func() { cancel(); <-done }()
	eventually(t, "the trouble is known", func() bool { return s.live.Trouble(streamflow.StreamTicks) != "" })
	if err := s.notRead(); !strings.Contains(err.Error(), "no servers available") {
		t.Error(err)
	}
}

func TestMetricsHaveNoUnboundedLabels(t *testing.T) {
	g := newRig(t, withPage)
	g.do(t, "GET", "/some/page/1")
	g.do(t, "BREW", "/some/page/2")
	g.do(t, "GET", "/api/stocks/ABC")
	_, body := g.do(t, "GET", "/metrics")
	for _, bad := range []string{"/some", "BREW", "ABC"} {
		if strings.Contains(body, bad) {
			t.Errorf("a metric is labelled with %q", bad)
		}
	}
	for _, want := range []string{
		`streamflow_http_requests_total{method="other",operation="page",status="2xx"} 1`,
		`streamflow_http_request_seconds_bucket`, `streamflow_ws_sessions 0`, `streamflow_feed_last_sequence 0`, `streamflow_feed_newest_tick_age_seconds -1`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics does not show %s", want)
		}
	}
}

func TestDocsPage(t *testing.T) {
	g := newRig(t, nil)
	resp, body := g.do(t, "GET", "/docs")
	for _, want := range []string{"/openapi.json", "/api/stocks/{symbol}/ticks", "curl", "/ws", docsCSS} {
		if !strings.Contains(body, want) {
			t.Errorf("/docs does not show %.60q", want)
		}
	}
	if bad := regexp.MustCompile(`(src|href)="(https?:)?//|<script`).FindString(body); bad != "" {
		t.Errorf("/docs loads from elsewhere: %s", bad)
	}
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy: %s", csp)
	}
	if resp, body := g.do(t, "GET", "/openapi.yaml"); resp.StatusCode != 200 || !strings.Contains(body, "list-stocks") {
		t.Errorf("openapi.yaml: %d", resp.StatusCode)
	}
}

func TestConfigIsChecked(t *testing.T) {
	ok := Config{Feed: newFakeFeed(), Store: &fakeStore{}}
	for says, spoil := range map[string]func(*Config){
		"Feed and Store": func(c *Config) { c.Feed = nil },
		`check "x"`:      func(c *Config) { c.Checks = []Check{{Name: "x"}} },
		"example.com":    func(c *Config) { c.AllowedOrigins = []string{"example.com"} },
		"MaxSessions":    func(c *Config) { c.MaxSessions = -1 },
		"register metrics": func(c *Config) {
			c.Registry = prometheus.NewRegistry()
			c.Registry.MustRegister(newHTTPMetrics().seconds)
		},
	} {
		c := ok
		spoil(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want an error about %s, got %v", says, err)
		}
	}
}
