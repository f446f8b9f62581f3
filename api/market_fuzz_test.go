package api

import (
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// marketHandler is a server without a socket, with something in its tables.
func marketHandler(t testing.TB) (http.Handler, *huma.OpenAPI) {
	t.Helper()
	f, store := newFakeMarket(), &fakeStore{}
	for n := range 30 {
		f.put(candle("AAPL", streamflow.Minute1, n, float64(n+1)), candle("A", streamflow.Minute1, 2*n, 1))
		f.alerts = append(f.alerts, StoredAlert{Alert: streamflow.Alert{ID: strconv.Itoa(n), Symbol: "AAPL", Severity: "info", Time: epoch}})
		store.put((&maker{}).tick("AAPL", 1, 1, epoch.Add(time.Duration(n)*time.Second)))
	}
	if _, err := (fakeRules{f}).Put(t.Context(), streamflow.Rule{ID: "a", Symbol: "*", When: "price above 1"}, 0); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s := &Server{config: Config{Market: f.market(), Store: store}, board: newBoard(), log: slog.New(slog.DiscardHandler)}
	s.board.seeded = true
	api := newAPI(mux, s)
	return mux, api.OpenAPI()
}

// ours are the paths of this room.
func ours(path string) bool {
	for _, prefix := range []string{"/api/stocks/{symbol}/", "/api/compare", "/api/rules", "/api/alerts", "/api/formulas"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// strange are values that parameters get beside those that they should.
var strange = []string{
	"", "AAPL", "A", "NONE", "*", "'; DROP TABLE alerts; --", "\x00", "..", "../../etc/passwd", "a,b,c", "1m", "1d", "0", "1", "-1", "10000", "10001",
	"99999999999999999999", "1e9", "NaN", "2025-11-21T12:00:00Z", "2025-11-21T12:10:00+02:00", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
	"yesterday", "asc", "desc", "previous", "true", "sma(3)", "sma(1000)", "sma(", "rsi", "info", opaque("0"), opaque("1763726400000000"), opaque("1763726400000000,1"),
	opaque("-62135596800000000"), opaque("9223372036854775807,x"), opaque("1,2,3"), "é😀", "\xff\xfe", strings.Repeat("x", 5000), `"1"`, `W/"1"`,
}

// TestMarketAnswersAsDocumented sends what nobody should, and wants answers that
// the document lists, none of them a fault of the server.
func TestMarketAnswersAsDocumented(t *testing.T) {
	handler, doc := marketHandler(t)
	ops := slices.DeleteFunc(operations(doc), func(op *huma.Operation) bool { return !ours(op.Path) })
	if len(ops) < 16 {
		t.Fatalf("%d operations", len(ops))
	}
	r := rand.New(rand.NewPCG(7, 7))
	seen := map[int]int{}
	for range 4000 {
		op := ops[r.IntN(len(ops))]
		seen[try(t, handler, op, func(known []string) string {
			if len(known) > 0 && r.IntN(3) > 0 {
				return known[r.IntN(len(known))]
			}
			return strange[r.IntN(len(strange))]
		}, r)]++
	}
	for _, status := range []int{200, 201, 204, 304, 404, 409, 412, 422} {
		if seen[status] == 0 {
			t.Errorf("no answer %d among %v: the test does not reach far enough", status, seen)
		}
	}
}

// known are fitting values by the name of a parameter.
var known = map[string][]string{
	"symbol": {"AAPL", "A"}, "id": {"a", "b"}, "interval": {"1m", "1h"}, "from": {"2025-11-21T12:00:00Z"}, "to": {"2025-11-21T12:20:00Z"}, "limit": {"1", "7"},
	"order": {"asc", "desc"}, "fill": {"none", "previous"}, "spec": {"sma(3)"}, "symbols": {"AAPL", "AAPL,A"}, "acknowledged": {"true", "false"}, "severity": {"info"},
	"If-Match": {`"1"`, "*"}, "If-None-Match": {"*", `"1"`}, "rule": {"a"},
}

// bodies are what is sent where a body is wanted.
var bodies = []string{
	"", "{", "null", "[]", "{}", `{"symbol":"A","when":"price above 1"}`, `{"id":"a","symbol":"A","when":"price above 1"}`, `{"symbol":"A","when":"price abov 1"}`,
	`{"symbol":1}`, `{"ids":["1"],"by":"ada"}`, `{"ids":["\u0000"],"by":"\u0000"}`, `{"rule":{"symbol":"AAPL","when":"price above 1"},"from":"2025-11-21T12:00:00Z"}`,
	`{"rule":{"symbol":"*","when":"price above 1"},"from":"0000-01-01T00:00:00Z","to":"9999-01-01T00:00:00Z"}`, `{"rule":null,"from":null}`, strings.Repeat("[", 5_000), "\xff",
}

// try sends one request and returns the status.
func try(t *testing.T, handler http.Handler, op *huma.Operation, value func(known []string) string, r *rand.Rand) int {
	t.Helper()
	path, query, header := op.Path, url.Values{}, http.Header{}
	for _, p := range op.Parameters {
		v := value(known[p.Name])
		switch {
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(v))
		case r.IntN(2) == 0:
		case p.In == "query":
			query.Add(p.Name, v)
		default:
			header.Set(p.Name, strings.ToValidUTF8(strings.ReplaceAll(v, "\x00", ""), ""))
		}
	}
	if strings.HasPrefix(op.OperationID, "export-candles") {
		query.Set("to", known["to"][0]) // to fill all gaps up to now would take long
	}
	var body string
	if op.RequestBody != nil {
		body = bodies[r.IntN(len(bodies))]
		header.Set("Content-Type", []string{"application/json", "application/json", "text/plain", ""}[r.IntN(4)])
	}
	req := httptest.NewRequest(op.Method, "http://x/", strings.NewReader(body)).WithContext(t.Context())
	u, err := url.Parse("http://x" + path + "?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	req.URL, req.Header = u, header
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, req)
	status := rec.Code
	if status == http.StatusMovedPermanently || status == http.StatusTemporaryRedirect || rec.Header().Get("Content-Type") == "text/plain; charset=utf-8" {
		return status // net/http's own: the path led elsewhere
	}
	if op.Responses[strconv.Itoa(status)] == nil || status >= 500 {
		t.Fatalf("%s %s %.200s\nanswers %d, which is not documented: %.500s", op.Method, u, body, status, rec.Body)
	}
	kind := rec.Header().Get("Content-Type")
	switch {
	case status >= 400 && kind != "application/problem+json":
		t.Fatalf("%s %s: %d with %q", op.Method, u, status, kind)
	case status != 304 && strings.HasSuffix(kind, "/json") && !json.Valid(rec.Body.Bytes()):
		t.Fatalf("%s %s: %d is no JSON: %.200s", op.Method, u, status, rec.Body)
	}
	return status
}

func FuzzMarketCursors(f *testing.F) {
	f.Add(opaque("1763726400000000"))
	f.Add(opaque("1763726400000000,0f8c"))
	f.Add(opaque("-62135596800000000"))
	f.Fuzz(func(t *testing.T, s string) {
		text, err := transparent(s)
		if err == nil && opaque(text) != s {
			t.Errorf("%q is read as %q, which is written %q", s, text, opaque(text))
		}
		start, err := candleCursor(s, streamflow.Minute1)
		if err == nil && (opaque(microText(start)) != s || start.Second() != 0) {
			t.Errorf("candles: %q is read as %s", s, start)
		}
		c, err := alertCursor(s)
		if err == nil && (opaque(microText(c.Time)+","+c.ID) != s || c.ID == "") {
			t.Errorf("alerts: %q is read as %+v", s, c)
		}
		if err != nil && !errors.Is(err, errCursor) {
			t.Errorf("%q: %v", s, err)
		}
	})
}
