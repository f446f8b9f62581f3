package live

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"streamflow"
)

func TestSnapshotThenLive(t *testing.T) {
	g := newRig(t, nil)
	at := time.Now()
	g.put(t, g.tick("AAPL", 1, 0), g.tick("AAPL", 2, 0), g.tick("BTC/USD", 3, 0))
	c := g.dial(t)
	c.subscribe("ticks.AAPL", "ticks.BTC%2FUSD")
	seen := map[string]message{}
	for range 2 {
		m := c.any()
		seen[m.Subject] = m
	}
	a, b := seen["ticks.AAPL"], seen["ticks.BTC%2FUSD"]
	if a.Snapshot != true || a.seq() != 2 || a.Data["price"] != 2.0 || a.Data["symbol"] != "AAPL" || a.Data["n"] == nil || b.Snapshot != true || b.seq() != 3 {
		t.Fatalf("snapshots: %+v", seen)
	}
	if a.Stream != "TICKS" || a.Position != "stock_ticks/1/2" || a.View {
		t.Errorf("origin: %+v", a)
	}
	for _, hop := range []string{"kafka", "bridge", "stream", "api"} {
		if ms := a.Hops[hop] - float64(at.UnixMilli()); ms < 0 || ms > 20_000 {
			t.Errorf("hop %s: %v", hop, a.Hops)
		}
	}
	if m := c.any(); !m.done() || m.seqs()["TICKS"] != 3 {
		t.Errorf("after the snapshot: %+v", m)
	}
	g.feed.put(g.tick("MSFT", 1, 0), g.tick("AAPL", 4, 0))
	if m := c.any(); m.Subject != "ticks.AAPL" || m.Snapshot != nil || m.seq() != 6 || m.Prev != 2 {
		t.Fatalf("live: %+v", m)
	}
}

// TestVocabulary subscribes each kind of subject in several ways.
func TestVocabulary(t *testing.T) {
	g := newRig(t, nil)
	subjects := []string{
		"ticks.AAPL", "candles.1m.AAPL", "indicators.AAPL", "alerts.AAPL", "results.logins.total", "events.user-events.login", "dlq.stock_ticks",
	}
	put := func() {
		for i, s := range subjects {
			m := g.result(s, `{"a": [1, {"b":"<>"}]}`, true)
			switch i {
			case 0:
				m = g.tick("AAPL", 1, 0)
			case 1:
				m = g.result(s, `{"a":1}`, false)
			case 5:
				m.Position = streamflow.Position{Topic: "user-events", Offset: 3}
			case 6:
				m.Data, m.Position = []byte("\xffno json"), streamflow.Position{Topic: "stock_ticks", Partition: 2, Offset: 9}
				m.Headers = []streamflow.Header{{Key: streamflow.HeaderReason, Value: []byte("not_utf8")}}
			}
			g.put(t, m)
		}
		g.Show([]byte(`{"hops":[]}`))
	}
	put()
	for _, patterns := range [][]string{{">"}, {"*.*", "*.*.*", "pipeline"}, append(subjects, "pipeline"), {
		"ticks.>", "candles.*.AAPL", "*.AAPL", "results.>", "events.*.login", "dlq.>", "*",
	}} {
		c := g.dial(t)
		c.subscribe(patterns...)
		seen := map[string]message{}
		for m := c.any(); !m.done(); m = c.any() {
			seen[m.Subject] = m
		}
		if len(seen) != len(subjects)+1 {
			t.Errorf("%v: got %v", patterns, seen)
		}
		if m := seen["candles.1m.AAPL"]; !m.View || m.Stream != "CANDLES" || !strings.HasPrefix(m.Position, "stock_ticks/1/") {
			t.Errorf("a view: %+v", m)
		}
		if m := seen["alerts.AAPL"]; m.View || m.Data["a"] == nil {
			t.Errorf("a fact: %+v", m)
		}
		if m := seen["dlq.stock_ticks"]; m.Data["reason"] != "not_utf8" || m.Data["offset"] != 9.0 || m.Data["valueBase64"] == "" {
			t.Errorf("a dead letter: %+v", m)
		}
		if m := seen["events.user-events.login"]; m.Position != "user-events/0/3" {
			t.Errorf("an event: %+v", m)
		}
	}
	if data, ok := g.Newest("candles.1m.AAPL"); !ok || string(data) != `{"a":1}` {
		t.Errorf("newest: %q, %v", data, ok)
	}
	if _, ok := g.Newest("candles.1m.MSFT"); ok {
		t.Error("there is one of MSFT")
	}
	if found, err := g.Matching("candles.*.AAPL"); err != nil || len(found) != 1 || string(found[0].Data) != `{"a":1}` {
		t.Errorf("newest: %+v, %v", found, err)
	}
}

// TestStrangersAreNotShown publishes beside the bridge and the functions.
func TestStrangersAreNotShown(t *testing.T) {
	g := newRig(t, nil)
	c := g.dial(t)
	c.subscribe(">")
	stray := g.tick("A", 1, 0)
	stray.Position = streamflow.Position{}
	broken := g.result("candles.1m.A", `{"a":`, true)
	g.put(t, stray)
	g.put(t, broken)
	if m := c.next(); m.Subject != "candles.1m.A" || m.Data["base64"] == nil {
		t.Errorf("got %+v", m)
	}
}

func TestOverlapAndUnsubscribe(t *testing.T) {
	g := newRig(t, nil)
	g.put(t, g.tick("AAPL", 1, 0))
	c := g.dial(t)
	c.subscribe("ticks.AAPL", "ticks.*", ">", "ticks.>", "*.*", "*.AAPL")
	if m := c.next(); m.Snapshot != true || m.seq() != 1 {
		t.Fatalf("snapshot: %+v", m)
	}
	c.subscribe("ticks.AAPL") // again: no second snapshot
	g.feed.put(g.tick("AAPL", 2, 0), g.tick("NEW", 2, 0))
	for _, seq := range []uint64{3, 4} {
		if m := c.next(); m.seq() != seq || m.Snapshot != nil {
			t.Fatalf("live: %+v, want %d once", m, seq)
		}
	}
	c.send(`{"subscribe":["ticks.NEW"],"unsubscribe":["ticks.*",">","ticks.>","ticks.AAPL","*.*","*.AAPL"]}`)
	if a, b := c.next(), c.next(); len(a.Subscribed) != 1 || len(b.Unsubscribed) != 6 {
		t.Fatalf("answers: %+v %+v", a, b)
	}
	g.feed.put(g.tick("AAPL", 3, 0), g.tick("NEW", 3, 0))
	if m := c.next(); m.Subject != "ticks.NEW" || m.seq() != 7 {
		t.Fatalf("after unsubscribing: %+v", m)
	}
}

func TestClientErrorsKeepTheSocket(t *testing.T) {
	g := newRig(t, func(c *Config, _ *hub) {
		c.Allow = func(_ *http.Request, root string) bool { return root != "dlq" }
	})
	c := g.dial(t)
	many := `{"subscribe":["ticks.A0"` + strings.Repeat(`,"ticks.A"`, 1000) + `]}`
	for _, x := range []struct{ send, code, says string }{
		{`hello`, codeBadMessage, "not a JSON object"},
		{`{"subscribe":`, codeBadMessage, "not JSON"},
		{`{}`, codeBadMessage, "empty"},
		{`{"subscribe":"ticks.A"}`, codeBadMessage, "list"},
		{`{"subscribe":null}`, codeBadMessage, "list"},
		{`{"mode":"latest"}`, codeBadMessage, "subscribe is missing"},
		{`{"ping":"x"}`, codeBadMessage, "whole number"},
		{`{"subscribed":["ticks.A"]}`, codeUnknownField, `"subscribed"`},
		{`{"subscribe":["candies.A"]}`, codeBadSubject, `"candies"`},
		{`{"subscribe":["candles.A"]}`, codeBadSubject, "1 more must follow"},
		{`{"subscribe":["candles.7m.A"]}`, codeBadSubject, "interval"},
		{`{"subscribe":["ticks"]}`, codeBadSubject, "must follow"},
		{`{"subscribe":["ticks.BRK.B"]}`, codeBadSubject, "ticks.BRK%2EB"},
		{`{"subscribe":["ticks.BTC/USD"]}`, codeBadSubject, "ticks.BTC%2FUSD"},
		{`{"subscribe":["ticks.A*"]}`, codeBadSubject, "whole token"},
		{`{"subscribe":["ticks.>.A"]}`, codeBadSubject, "at the end"},
		{`{"unsubscribe":["ticks..A"]}`, codeBadSubject, "empty"},
		{`{"subscribe":["ticks.A"],"mode":"some"}`, codeBadMode, `"some"`},
		{`{"subscribe":["ticks.A"],"maxRate":0}`, codeBadMode, "0.01"},
		{`{"subscribe":["ticks.A"],"maxRate":5,"mode":"all"}`, codeBadMode, "contradict"},
		{`{"subscribe":["ticks.A"],"max_rate":0}`, codeBadMode, "0.01"},
		{`{"subscribe":["ticks.A"],"max_rate":"5"}`, codeBadMessage, "max_rate must be a number"},
		{`{"subscribe":["ticks.A"],"maxRate":5,"max_rate":6}`, codeBadMode, "two names"},
		{`{"unsubscribe":["ticks.A"],"max_rate":5}`, codeBadMessage, "subscribe is missing"},
		{`{"subscribe":["ticks.A"],"since":{"TIKS":1}}`, codeBadSince, "TICKS, CANDLES"},
		{`{"subscribe":["ticks.A"],"since":{"CANDLES":1}}`, codeBadSince, "candles.>"},
		{`{"subscribe":[">"],"since":{"TICKS":1}}`, codeBadSince, "name their kind"},
		{`{"subscribe":["ticks.A"],"since":{"TICKS":-1}}`, codeBadMessage, "since"},
		{`{"subscribe":["ticks.A"],"since":{"TICKS":1},"mode":"latest"}`, codeBadSince, `"all"`},
		{`{"subscribe":["ticks.A","dlq.>"]}`, codeForbidden, "dlq"},
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
	c.send(`{"ping":7}`)
	if m := c.next(); m.Pong == nil || *m.Pong != 7 {
		t.Errorf("ping: %+v", m)
	}
	if n := g.metric(t, "streamflow_ws_errors_total", codeBadSince); n != 4 {
		t.Errorf("%v errors are counted", n)
	}
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
		if conn != nil {
			_ = conn.Close()
		}
	}
}

// TestPipelineAlone subscribes what stands in no stream, so that nothing can be
// said of sequences.
func TestPipelineAlone(t *testing.T) {
	for _, pattern := range []string{"pipeline", "*"} {
		for _, batch := range []string{"", `,"batch":true`} {
			g := newRig(t, nil)
			g.Show([]byte(`{"hops":[]}`))
			c := g.dial(t)
			c.send(`{"subscribe":["` + pattern + `"]` + batch + `}`)
			for m := c.any(); ; m = c.any() {
				if m.done() {
					if string(m.Seq) != "{}" {
						t.Errorf("%s: the end of the snapshot: seq %s", pattern, m.Seq)
					}
					break
				}
			}
		}
	}
}
