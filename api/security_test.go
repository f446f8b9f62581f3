package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"streamflow/api/guard"
)

// keyStore is a bucket of keys in memory.
type keyStore struct {
	mu     sync.Mutex
	values map[string][]byte
	told   func(string, []byte, uint64)
}

func (k *keyStore) Watch(ctx context.Context, change func(string, []byte, uint64)) error {
	k.mu.Lock()
	for id, v := range k.values {
		change(id, v, 1)
	}
	change("", nil, 0)
	k.told = change
	k.mu.Unlock()
	<-ctx.Done()
	return ctx.Err()
}

func (k *keyStore) Put(_ context.Context, id string, value []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.values[id] = value
	if k.told != nil {
		k.told(id, value, 2)
	}
	return nil
}

// issue stores a key of a scope.
func (k *keyStore) issue(t *testing.T, scope guard.Scope) (guard.Key, string) {
	t.Helper()
	key, text, err := guard.NewKey(string(scope), scope, time.Now(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	k.store(t, key)
	return key, text
}

func (k *keyStore) store(t *testing.T, key guard.Key) {
	t.Helper()
	data, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	_ = k.Put(t.Context(), key.ID, data)
}

// newClosedRig is a server that others can reach, with a key of each scope.
func newClosedRig(t *testing.T) (*rig, *keyStore, map[guard.Scope]string) {
	t.Helper()
	store, texts := &keyStore{values: map[string][]byte{}}, map[guard.Scope]string{}
	for _, s := range guard.Scopes {
		_, texts[s] = store.issue(t, s)
	}
	g := newRig(t, func(c *Config) {
		newFakeWorld().join(c)
		withPage(c)
		c.Market = newFakeMarket().market()
		c.Guard = guard.Config{Keys: guard.NewRing(store, slog.New(slog.DiscardHandler)), Listener: &net.TCPAddr{IP: net.IPv4zero}}
	})
	eventually(t, "the keys are read", func() bool {
		status, _ := g.call(t, "GET", "/api/formulas", "", nil, "Authorization", "Bearer "+texts[guard.ScopeRead])
		return status == 200
	})
	return g, store, texts
}

// Every operation is closed to who has no key, and to who has a lesser scope
// than the document says.
func TestEveryOperationNeedsItsScope(t *testing.T) {
	g, _, texts := newClosedRig(t)
	doc := newDocument(http.NewServeMux(), &Server{}).OpenAPI()
	path := strings.NewReplacer("{symbol}", "AAPL", "{name}", "candles", "{id}", "1", "{topic}", "stock_ticks", "{partition}", "0", "{offset}", "0", "{function}", "logins")
	for _, op := range operations(doc) {
		needs := scopeOf(op)
		if needs == guard.ScopeNone {
			continue
		}
		if got := op.Security[0][scheme]; len(got) != 1 || got[0] != string(needs) {
			t.Errorf("%s: the document says %v, the guard %s", op.OperationID, got, needs)
		}
		at := path.Replace(op.Path)
		if status, text := g.call(t, op.Method, at, "", nil); status != 401 && op.Path != "/ready" {
			t.Errorf("%s without a key: %d %s", op.OperationID, status, text)
		}
		for _, has := range guard.Scopes {
			status, text := g.call(t, op.Method, at, "", nil, "Authorization", "Bearer "+texts[has])
			if refused := status == 401 || status == 403; refused == has.Covers(needs) {
				t.Errorf("%s with scope %s, it needs %s: %d %s", op.OperationID, has, needs, status, text)
			}
		}
	}
	for _, at := range []string{"/", "/docs", "/docs/plain", "/openapi.json", "/openapi.yaml", "/asyncapi.json", "/metrics", "/nothing", "/api/nothing", "//api/stocks", "/api/../metrics"} {
		if status, _ := g.call(t, "GET", at, "", nil); status != 401 {
			t.Errorf("%s without a key: %d", at, status)
		}
	}
	if status, text := g.call(t, "GET", "/health", "", nil); status != 200 {
		t.Errorf("health: %d %s", status, text)
	}
	if status, text := g.call(t, "GET", "/ready", "", nil); text != "" || status != 200 {
		t.Errorf("ready: %d %s", status, text)
	}
}

// A websocket ends with the key that opened it.
func TestRevokedKeyEndsWebsocket(t *testing.T) {
	g, store, _ := newClosedRig(t)
	key, text := store.issue(t, guard.ScopeRead)
	address := "ws" + strings.TrimPrefix(g.url, "http") + "/ws"
	if _, resp, err := websocket.DefaultDialer.Dial(address, nil); err == nil || resp.StatusCode != 401 {
		t.Fatalf("without a key: %v", err)
	}
	conn, _, err := websocket.DefaultDialer.Dial(address, http.Header{"Authorization": {"Bearer " + text}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"ping":1}`)); err != nil {
		t.Fatal(err)
	}
	if _, pong, err := conn.ReadMessage(); err != nil || !strings.Contains(string(pong), "pong") {
		t.Fatalf("%s %v", pong, err)
	}
	key.Revoked = time.Now()
	store.store(t, key)
	_ = conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
	for range 2 { // a busy machine may have a heartbeat under way
		if _, _, err = conn.ReadMessage(); err != nil {
			break
		}
	}
	if err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("the websocket goes on: %v", err)
	}
}

// A page of another site may not open a websocket, with or without the loopback
// of its visitor.
func TestWebsocketOrigin(t *testing.T) {
	g := newRig(t, nil)
	address := "ws" + strings.TrimPrefix(g.url, "http") + "/ws"
	for header, want := range map[string]int{"Origin: https://evil.example": 403, "Host: evil.example": 401} {
		name, value, _ := strings.Cut(header, ": ")
		if _, resp, err := websocket.DefaultDialer.Dial(address, http.Header{name: {value}}); err == nil || resp.StatusCode != want {
			t.Errorf("%s: %v, want %d", header, err, want)
		}
	}
}

// raw sends bytes as they are and returns all that comes back until the
// connection ends.
func raw(t *testing.T, address, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	_ = conn.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

// What two servers might read differently is refused, or ends the connection.
func TestHeaderSmuggling(t *testing.T) {
	g := newRig(t, nil)
	address := strings.TrimPrefix(g.url, "http://")
	const second = "GET /api/formulas HTTP/1.1\r\nHost: localhost\r\n\r\n"
	post := func(headers, body string) string {
		return "POST /api/rules/test HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + body
	}
	for what, request := range map[string]string{
		"two lengths":                post("Content-Length: 4\r\nContent-Length: 60\r\n", "{}  "+second),
		"a length that is none":      post("Content-Length: +4\r\n", "{}  "+second),
		"an unknown coding":          post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"+second),
		"two codings":                post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"+second),
		"a space before the colon":   post("Content-Length : 4\r\n", "{}  "+second),
		"a folded line":              post("X-A: b\r\n Content-Length: 4\r\n", "{}  "+second),
		"NUL in a value":             post("X-A: a\x00b\r\nContent-Length: 4\r\n", "{}  "+second),
		"a line end in a name":       post("X\rA: b\r\nContent-Length: 4\r\n", "{}  "+second),
		"two hosts":                  "GET /api/formulas HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n" + second,
		"no host":                    "GET /api/formulas HTTP/1.1\r\n\r\n" + second,
		"a chunk length that is odd": post("Transfer-Encoding: chunked\r\n", "0x2\r\n{}\r\n0\r\n\r\n"+second),
	} {
		answer := raw(t, address, request)
		first, _, _ := strings.Cut(answer, "\r\n")
		if !strings.HasPrefix(first, "HTTP/1.1 4") && !strings.HasPrefix(first, "HTTP/1.1 501") {
			t.Errorf("%s: %q", what, first)
		}
		if n := strings.Count(answer, "HTTP/1.1 200"); n > 0 {
			t.Errorf("%s: what was smuggled behind it is answered", what)
		}
	}
	// Where both stand, the chunks count (RFC 9112), as net/http has it.
	both := raw(t, address, post("Content-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"+second))
	if strings.Count(both, "HTTP/1.1 ") > 2 || strings.HasPrefix(both, "HTTP/1.1 5") {
		t.Errorf("both a length and chunks: %s", both)
	}
}

// Paths lead nowhere but to what the mux and the page know.
func TestPathTraversal(t *testing.T) {
	g := newRig(t, withPage)
	address := strings.TrimPrefix(g.url, "http://")
	for _, path := range []string{"/../../etc/passwd", "/..%2f..%2fetc/passwd", "/assets/..%5c..%5cetc", "/api/stocks/..%2F..%2Fetc%2Fpasswd", "/api/stocks/%00", "//etc/passwd", "/docs/../../etc/passwd", "/api/rules/..%2f..%2fkeys"} {
		answer := raw(t, address, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		if strings.Contains(answer, "root:") || strings.HasPrefix(answer, "HTTP/1.1 5") {
			t.Errorf("%s: %.200s", path, answer)
		}
	}
}

// Refusals are problems of RFC 9457, with the headers that clients go by.
func TestRefusalsAreProblems(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Guard.Rate = guard.Rate{PerSecond: 0.001, Burst: 8} })
	for _, c := range []struct {
		path, header, value string
		want                int
	}{
		{"/api/stocks", "X-Much", strings.Repeat("a", 20<<10), 431},
		{"/api/stocks?x=" + strings.Repeat("a", 9<<10), "", "", 414},
		{"/api/stocks", "Authorization", "Bearer nonsense", 401},
		{"/api/stocks", "", "", 429},
	} {
		r, _ := http.NewRequest("GET", g.url+c.path, nil)
		if c.header != "" {
			r.Header.Set(c.header, c.value)
		}
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		var p struct{ Title, Detail string }
		if resp.StatusCode != c.want || resp.Header.Get("Content-Type") != "application/problem+json" || json.Unmarshal(body, &p) != nil || len(p.Detail) < 20 || p.Title == "" {
			t.Errorf("%.30s: %d, want %d: %s", c.path, resp.StatusCode, c.want, body)
		}
		if c.want == 429 && (resp.Header.Get("Retry-After") == "" || resp.Header.Get("RateLimit-Remaining") != "0") {
			t.Errorf("headers of 429: %v", resp.Header)
		}
		if resp.Header.Get(headerRequestID) == "" {
			t.Errorf("%d has no request id", c.want)
		}
	}
	if n := g.metric(t, "streamflow_http_refused_total", "rate"); n != 1 {
		t.Errorf("counted %v refusals by rate", n)
	}
	if n := g.metric(t, "streamflow_http_requests_total", "refused"); n != 4 {
		t.Errorf("counted %v refused requests", n)
	}
}

// One who sends headers drop by drop is cut off.
func TestSlowLoris(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Feed: newFakeFeed(), Store: &fakeStore{}, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- Serve(ctx, l, s.Handler(), slog.New(slog.DiscardHandler)) }()
	defer func() { cancel(); <-done }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	began := time.Now()
	fmt.Fprint(conn, "GET /health HTTP/1.1\r\nHost: localhost\r\n")
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, bufio.NewReader(conn))
	}()
	drops := time.NewTicker(200 * time.Millisecond)
	defer drops.Stop()
	for open := true; open; {
		select {
		case <-gone:
			open = false
		case <-drops.C:
			fmt.Fprint(conn, "X: y\r\n") // one header at a time, for ever
			if time.Since(began) > 4*headerTimeout {
				t.Fatal("it may go on for ever")
			}
		}
	}
	if took := time.Since(began); took < headerTimeout-time.Second {
		t.Errorf("cut off after %v", took)
	}
	// The server still answers others.
	if answer := raw(t, l.Addr().String(), "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(answer, "HTTP/1.1 200") {
		t.Errorf("%.100s", answer)
	}
}

// The scopes of what changes something are fixed here: to loosen one is to
// change this list.
func TestScopesOfWrites(t *testing.T) {
	want := map[guard.Scope][]string{
		guard.ScopeRead:  {"test-rule"},
		guard.ScopeWrite: {"acknowledge-alerts", "create-rule", "delete-rule", "post-ticks", "put-rule"},
		guard.ScopeAdmin: {"change-function", "discard-deadletters", "replay-deadletters", "replay-function"},
	}
	got := map[guard.Scope][]string{}
	for _, op := range operations(newDocument(http.NewServeMux(), &Server{}).OpenAPI()) {
		if op.Method != http.MethodGet {
			got[scopeOf(op)] = append(got[scopeOf(op)], op.OperationID)
		}
	}
	for scope := range want {
		slices.Sort(got[scope])
		if !slices.Equal(got[scope], want[scope]) {
			t.Errorf("scope %s: %v, want %v", scope, got[scope], want[scope])
		}
	}
}
