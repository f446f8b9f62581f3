package guard

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zstd"
)

func TestLimits(t *testing.T) {
	h := build(t, Config{Listener: loopback, OpenWrites: true})
	if w := ask(h, "GET", "/"+strings.Repeat("a", maxURL), nil); w.Code != 414 {
		t.Errorf("address: %d", w.Code)
	}
	if w := ask(h, "GET", "/", withHeaders("X-Much", strings.Repeat("a", maxHeaders))); w.Code != 431 {
		t.Errorf("headers: %d", w.Code)
	}
	many := func(r *http.Request) {
		for i := range maxFields + 1 {
			r.Header.Set("X-"+strconv.Itoa(i), "")
		}
	}
	if w := ask(h, "GET", "/", many); w.Code != 431 {
		t.Errorf("many headers: %d", w.Code)
	}
	if w := ask(h, "POST", "/", func(r *http.Request) { r.ContentLength = maxBody + 1 }); w.Code != 413 || w.Header().Get("Connection") != "close" {
		t.Errorf("body: %d %v", w.Code, w.Header())
	}
	g, _ := New(Config{Listener: loopback, OpenWrites: true})
	var err error
	reads := g.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, err = io.Copy(io.Discard, r.Body) }))
	ask(reads, "POST", "/", func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(io.LimitReader(zeros{}, maxBody+1)), -1 })
	if err == nil {
		t.Error("a body without a length is read without an end")
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFakeStore()
		_, text := store.key(t, ScopeRead, time.Time{})
		r, stop := run(t, store)
		defer stop()
		h := build(t, Config{Listener: loopback, Keys: r, Rate: Rate{PerSecond: 2, Burst: 4}})
		for i := range 4 {
			w := ask(h, "GET", "/api/x", nil)
			if w.Code != 200 || w.Header().Get("RateLimit-Limit") != "4" || w.Header().Get("RateLimit-Remaining") != strconv.Itoa(3-i) || w.Header().Get("RateLimit-Policy") != "4;w=2" {
				t.Errorf("request %d: %d %v", i, w.Code, w.Header())
			}
		}
		w := ask(h, "GET", "/api/x", nil)
		if w.Code != 429 || w.Header().Get("Retry-After") != "1" || w.Header().Get("RateLimit-Reset") != "2" || !strings.Contains(w.Body.String(), "2 requests a second") {
			t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
		}
		if w := ask(h, "GET", "/api/x", withHeaders("Authorization", "Bearer "+text)); w.Code != 200 {
			t.Errorf("a key has no limit of its own: %d", w.Code)
		}
		if w := ask(h, "GET", "/api/x", func(r *http.Request) { r.RemoteAddr = "127.0.0.2:1" }); w.Code != 200 {
			t.Errorf("another address pays too: %d", w.Code)
		}
		time.Sleep(500 * time.Millisecond)
		if w := ask(h, "GET", "/api/x", nil); w.Code != 200 {
			t.Errorf("after half a second: %d", w.Code)
		}
		// Guesses cost more than questions.
		for range 2 {
			w = ask(h, "GET", "/api/x", func(r *http.Request) {
				r.RemoteAddr = "127.0.0.3:1"
				r.Header.Set("Authorization", "Bearer sf_guess")
			})
		}
		if w.Code != 429 {
			t.Errorf("the second guess: %d", w.Code)
		}
	})
}

func TestRateMemoryIsBounded(t *testing.T) {
	m := newMeter(Rate{PerSecond: 1})
	now := time.Now()
	m.take("victim", 1, now)
	for i := range 3 * maxBuckets {
		m.take(fmt.Sprint(i), 1, now)
		if i%1000 == 0 {
			m.take("victim", 1, now)
		}
	}
	if len(m.buckets) != maxBuckets || m.order.Len() != maxBuckets {
		t.Errorf("%d buckets, %d in order", len(m.buckets), m.order.Len())
	}
	if m.take("victim", 1, now).ok {
		t.Error("one who keeps asking is forgotten")
	}
	if a, b := rateName(netip.MustParseAddr("2001:db8::1")), rateName(netip.MustParseAddr("2001:db8::2:3")); a != b {
		t.Errorf("addresses of one network: %s, %s", a, b)
	}
	if a, b := rateName(netip.MustParseAddr("::ffff:192.0.2.1")), rateName(netip.MustParseAddr("192.0.2.1")); a != b {
		t.Errorf("two forms of one address: %s, %s", a, b)
	}
}

func TestCompression(t *testing.T) {
	large := strings.Repeat(`{"symbol":"AAPL"},`, 500)
	serve := func(accept, media, body string, tune func(http.Header)) *httptest.ResponseRecorder {
		g, err := New(Config{Listener: loopback})
		if err != nil {
			t.Fatal(err)
		}
		h := g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			if tune != nil {
				tune(w.Header())
			}
			for part := range strings.SplitSeq(body, ",") { // by pieces, as encoders write
				_, _ = io.WriteString(w, part+",")
			}
		}))
		return ask(h, "GET", "/api/x", withHeaders("Accept-Encoding", accept))
	}
	for _, c := range []struct {
		accept, media, body, want string
		tune                      func(http.Header)
	}{
		{"gzip, deflate, br, zstd", "application/json", large, "zstd", nil},
		{"gzip", "application/json; charset=utf-8", large, "gzip", nil},
		{"zstd;q=0.5, gzip", "application/json", large, "gzip", nil},
		{"*", "text/csv", large, "zstd", nil},
		{"zstd;q=0, *;q=0.1", "text/csv", large, "gzip", nil},
		{"identity", "application/json", large, "", nil},
		{"", "application/json", large, "", nil},
		{"gzip;q=NaN", "application/json", large, "", nil},
		{"gzip", "application/json", "{}", "", nil},
		{"gzip", "image/png", large, "", nil},
		{"gzip", "application/json", large, "", func(h http.Header) { h.Set("ETag", `"1"`) }},
		{"gzip", "application/json", large, "gzip", func(h http.Header) { h.Set("ETag", `W/"1"`) }},
		{"gzip", "application/json", large, "br", func(h http.Header) { h.Set("Content-Encoding", "br") }},
	} {
		w := serve(c.accept, c.media, c.body, c.tune)
		if got := w.Header().Get("Content-Encoding"); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.accept, c.media, got, c.want)
			continue
		}
		var r io.Reader = w.Body
		switch c.want {
		case "gzip":
			r, _ = gzip.NewReader(w.Body)
		case "zstd":
			d, _ := zstd.NewReader(w.Body)
			defer d.Close()
			r = d
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != c.body+"," {
			t.Errorf("%s %s: %d bytes came back, %v", c.accept, c.media, len(got), err)
		}
		if (c.want == "zstd" || c.want == "gzip") && w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: Vary is %q", c.accept, w.Header().Get("Vary"))
		}
	}
}

// What streams is seen as it is made, and what is cut short looks it.
func TestCompressedStreams(t *testing.T) {
	g, _ := New(Config{})
	flushed, next := make(chan struct{}), make(chan struct{})
	web := httptest.NewServer(g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = io.WriteString(w, "first\n")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		close(flushed)
		<-next
		panic(http.ErrAbortHandler)
	})))
	defer web.Close()
	r, _ := http.NewRequest("GET", web.URL, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	<-flushed
	z, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 6)
	if _, err := io.ReadFull(z, first); err != nil || !bytes.Equal(first, []byte("first\n")) {
		t.Errorf("%q, %v", first, err)
	}
	close(next)
	if _, err := io.ReadAll(z); err == nil {
		t.Error("an answer that was cut off looks whole")
	}
}

func TestSecurityHeaders(t *testing.T) {
	for _, h := range []http.Header{ask(build(t, Config{Listener: loopback}), "GET", "/api/x", nil).Header(), ask(build(t, Config{Listener: anywhere}), "GET", "/api/x", nil).Header()} {
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cross-Origin-Resource-Policy": "same-origin",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		} {
			if h.Get(name) != want {
				t.Errorf("%s is %q", name, h.Get(name))
			}
		}
	}
}
