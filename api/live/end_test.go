package live

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestAbuseIsClosed(t *testing.T) {
	g := newRig(t, nil)
	c := g.dial(t)
	for range maxErrors + 1 {
		c.send("nonsense")
	}
	if code, text := c.closeCode(); code != websocket.ClosePolicyViolation || !strings.Contains(text, "errors") {
		t.Errorf("closed with %d %q", code, text)
	}
}

// TestOversizeIsClosed sends more than any message may have.
func TestOversizeIsClosed(t *testing.T) {
	g := newRig(t, nil)
	c := g.dial(t)
	_ = c.conn.WriteMessage(websocket.TextMessage, make([]byte, hardMessageLimit+1)) // it may be cut while it writes
	if code, _ := c.closeCode(); code != websocket.CloseMessageTooBig {
		t.Errorf("closed with %d", code)
	}
}

// TestStop closes sockets with 1001, lets nobody in after that, and does not
// wait for ever for one that reads nothing.
func TestStop(t *testing.T) {
	g := newRig(t, func(_ *Config, h *hub) { h.grace, h.shared.most = 300*time.Millisecond, 0 })
	idle, stuck := g.dial(t), g.dial(t)
	idle.subscribe(">")
	stuck.send(`{"subscribe":[">"]}`)
	go func() {
		for i := range 500 {
			g.feed.put(g.tick("A", float64(i+1), 60_000))
		}
		g.stop()
	}()
	if code, text := idle.closeCode(); code != websocket.CloseGoingAway || text == "" {
		t.Errorf("closed with %d %q", code, text)
	}
	g.stop()
	_, resp, _ := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(g.url, "http")+"/ws", nil)
	if resp == nil || resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("after the stop: %+v", resp)
	}
}

// TestHeartbeat tells up to where a client has everything, also of a stream in
// which nothing matches what it wants.
func TestHeartbeat(t *testing.T) {
	g := newRig(t, func(_ *Config, h *hub) { h.heartbeat = 10 * time.Millisecond })
	last := g.put(t, g.tick("A", 1, 0), g.tick("A", 2, 0))
	c := g.dial(t)
	c.subscribe("ticks.RARE")
	for {
		m, err := c.read()
		if err != nil {
			t.Fatal(err)
		}
		if m.Heartbeat == 0 || m.seqs()["TICKS"] == 0 {
			continue
		}
		if n := m.seqs(); n["TICKS"] != last || len(n) != 1 || time.Since(time.UnixMilli(m.Heartbeat)) > time.Minute {
			t.Errorf("got %+v", m)
		}
		return
	}
}

func TestComeAndGo(t *testing.T) {
	g := newRig(t, nil)
	g.put(t, g.tick("A", 1, 0), g.tick("B", 1, 0))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				c := g.dial(t)
				c.subscribe("ticks.*", "ticks.A", "candles.1m.A")
				c.send(`{"subscribe":["ticks.B"],"since":{"TICKS":1}}`)
				_ = c.conn.Close()
			}
		})
	}
	wg.Wait()
	eventually(t, "all sessions are gone", func() bool { return g.metric(t, "streamflow_ws_sessions", "") == 0 })
	if n := g.metric(t, "streamflow_ws_subscriptions", ""); n != 0 {
		t.Errorf("%v subscriptions are left", n)
	}
	g.hub.mu.Lock()
	defer g.hub.mu.Unlock()
	if groups := allGroups(&g.hub.index.top); groups != 0 {
		t.Errorf("%d groups are left in the index", groups)
	}
	if len(g.hub.index.top.kids) != 1 {
		t.Errorf("nodes are left in the index: %v", g.hub.index.top.kids)
	}
}

func allGroups(n *node) int {
	sum := len(n.groups)
	for _, kid := range n.kids {
		sum += allGroups(kid)
	}
	return sum
}
