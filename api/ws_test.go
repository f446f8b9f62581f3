package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestSnapshotThenLive(t *testing.T) {
	g := newRig(t, nil)
	at := time.Now()
	g.feed.put(g.tick("AAPL", 1, 10, at), g.tick("AAPL", 2, 10, at), g.tick("BTC/USD", 3, 10, at))
	eventually(t, "the ticks are taken", func() bool { return g.intake.last.Load() == 3 })
	c := g.dial(t)
	c.subscribe("ticks.AAPL", "ticks.BTC%2FUSD")
	seen := map[string]message{}
	for range 2 {
		m := c.next()
		seen[m.Subject] = m
	}
	a, b := seen["ticks.AAPL"], seen["ticks.BTC%2FUSD"]
	if !a.Snapshot || a.Seq != 2 || a.Data["price"] != 2.0 || a.Data["symbol"] != "AAPL" || a.Data["n"] == nil || !b.Snapshot || b.Seq != 3 {
		t.Fatalf("snapshots: %+v", seen)
	}
	for _, hop := range []string{"kafka", "bridge", "stream", "api"} {
		if ms := a.Hops[hop] - float64(at.UnixMilli()); ms < 0 || ms > 10_000 {
			t.Errorf("hop %s: %v", hop, a.Hops)
		}
	}
	g.feed.put(g.tick("MSFT", 1, 1, at), g.tick("AAPL", 4, 10, at))
	if m := c.next(); m.Subject != "ticks.AAPL" || m.Snapshot || m.Seq != 6 {
		t.Fatalf("live: %+v", m)
	}
}

func TestOverlapAndUnsubscribe(t *testing.T) {
	g := newRig(t, nil)
	g.feed.put(g.tick("AAPL", 1, 1, time.Now()))
	eventually(t, "the tick is taken", func() bool { return g.intake.last.Load() == 1 })
	c := g.dial(t)
	c.subscribe("ticks.AAPL", "ticks.*", ">", "ticks.>")
	if m := c.next(); !m.Snapshot || m.Seq != 1 {
		t.Fatalf("snapshot: %+v", m)
	}
	c.subscribe("ticks.AAPL") // again: no second snapshot
	g.feed.put(g.tick("AAPL", 2, 1, time.Now()), g.tick("NEW", 2, 1, time.Now()))
	for _, seq := range []uint64{3, 4} {
		if m := c.next(); m.Seq != seq || m.Snapshot {
			t.Fatalf("live: %+v, want %d once", m, seq)
		}
	}
	c.send(`{"subscribe":["ticks.NEW"],"unsubscribe":["ticks.*",">","ticks.>","ticks.AAPL"]}`)
	if a, b := c.next(), c.next(); len(a.Subscribed) != 1 || len(b.Unsubscribed) != 4 {
		t.Fatalf("answers: %+v %+v", a, b)
	}
	g.feed.put(g.tick("AAPL", 3, 1, time.Now()), g.tick("NEW", 3, 1, time.Now()))
	if m := c.next(); m.Subject != "ticks.NEW" || m.Seq != 7 {
		t.Fatalf("after unsubscribing: %+v", m)
	}
}

func TestClientErrorsKeepTheSocket(t *testing.T) {
	g := newRig(t, nil)
	c := g.dial(t)
	many := `{"subscribe":["ticks.A0"` + strings.Repeat(`,"ticks.A"`, 1000) + `]}`
	for _, x := range []struct{ send, code, says string }{
		{`hello`, codeBadMessage, "not a JSON object"},
		{`{"subscribe":`, codeBadMessage, "not JSON"},
		{`{}`, codeBadMessage, "empty"},
		{`{"subscribe":"ticks.A"}`, codeBadMessage, "list"},
		{`{"subscribe":null}`, codeBadMessage, "list"},
		{`{"subscribed":["ticks.A"]}`, codeUnknownField, `"subscribed"`},
		{`{"subscribe":["candles.A"]}`, codeBadSubject, `"candles"`},
		{`{"subscribe":["ticks"]}`, codeBadSubject, "must follow"},
		{`{"subscribe":["ticks.BRK.B"]}`, codeBadSubject, "ticks.BRK%2EB"},
		{`{"subscribe":["ticks.BTC/USD"]}`, codeBadSubject, "ticks.BTC%2FUSD"},
		{`{"subscribe":["ticks.A*"]}`, codeBadSubject, "whole token"},
		{`{"subscribe":["ticks.>.A"]}`, codeBadSubject, "at the end"},
		{`{"unsubscribe":["ticks..A"]}`, codeBadSubject, "empty"},
		{many, codeTooMany, "1000"},
		{`{"subscribe":["` + strings.Repeat("A", 70_000) + `"]}`, codeTooLarge, "65536"},
	} {
		c.send(x.send)
		if m := c.next(); m.Error == nil || m.Error.Code != x.code || !strings.Contains(m.Error.Message, x.says) {
			t.Errorf("%.60s: got %+v, want %s saying %q", x.send, m.Error, x.code, x.says)
		}
	}
	if err := c.conn.WriteMessage(websocket.BinaryMessage, []byte{1}); err != nil {
		t.Fatal(err)
	}
	if m := c.next(); m.Error == nil || m.Error.Code != codeBadMessage {
		t.Errorf("binary: %+v", m)
	}
	c.subscribe("ticks.A") // still there
}

func TestOrigin(t *testing.T) {
	g := newRig(t, func(c *Config, _ *hub) { c.AllowedOrigins = []string{"https://friend.example"} })
	for origin, want := range map[string]int{
		g.url: 101, "": 101, "https://friend.example": 101, "https://evil.example": 403, "http://friend.example": 403, "null": 403, "::": 403,
	} {
		h := http.Header{}
		if origin != "" {
			h.Set("Origin", origin)
		}
		conn, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(g.url, "http")+"/ws", h)
		if resp == nil || resp.StatusCode != want {
			t.Errorf("origin %q: %v %v, want %d", origin, resp, err, want)
		}
		if want == 403 && resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("origin %q: answered with %v", origin, resp.Header)
		}
		if conn != nil {
			_ = conn.Close()
		}
	}
}
