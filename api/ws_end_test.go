package api

import (
	"fmt"
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

// TestStop closes sockets with 1001, lets nobody in after that, and does not
// wait for ever for one that reads nothing.
func TestStop(t *testing.T) {
	g := newRig(t, func(_ *Config, h *hub) { h.grace = 300 * time.Millisecond })
	idle, stuck := g.dial(t), g.dial(t)
	idle.subscribe(">")
	stuck.send(`{"subscribe":[">"]}`)
	pad := fmt.Appendf(nil, `"pad":%q`, strings.Repeat("x", 60_000))
	go func() {
		for i := range 500 {
			m := g.tick("A", float64(i+1), 1, time.Now())
			m.Tick.Extra = pad
			g.feed.put(m)
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

func TestHeartbeat(t *testing.T) {
	g := newRig(t, func(_ *Config, h *hub) { h.heartbeat = 10 * time.Millisecond })
	c := g.dial(t)
	if m, err := c.read(); err != nil || time.Since(time.UnixMilli(m.Heartbeat)) > time.Minute {
		t.Errorf("got %+v, %v", m, err)
	}
}

func TestComeAndGo(t *testing.T) {
	g := newRig(t, nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				c := g.dial(t)
				c.subscribe("ticks.*", "ticks.A")
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
	if len(g.hub.index.wild)+len(g.hub.index.exact) != 0 {
		t.Error("groups are left in the index")
	}
}
