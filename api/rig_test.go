package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
)

// rig is a server with fakes behind it and a real socket before it.
type rig struct {
	*Server
	feed  *fakeFeed
	store *fakeStore
	url   string
	stop  func()
	maker
}

// newRig starts a server, and checks at the end that nothing of it is left.
func newRig(t *testing.T, tune func(*Config, *hub)) *rig {
	t.Helper()
	before := runtime.NumGoroutine()
	g := &rig{feed: newFakeFeed(), store: &fakeStore{}}
	c := Config{Feed: g.feed, Store: g.store, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), Version: "test"}
	if tune != nil {
		tune(&c, &hub{})
	}
	var err error
	if g.Server, err = New(c); err != nil {
		t.Fatal(err)
	}
	if tune != nil {
		tune(&Config{}, g.hub)
	}
	web := httptest.NewServer(g.Handler())
	g.url = web.URL
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = g.Run(ctx) }()
	g.stop = func() { cancel(); <-done }
	t.Cleanup(func() {
		g.stop()
		web.Client().CloseIdleConnections()
		web.Close()
		eventually(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= before })
	})
	eventually(t, "the stream is read", func() bool { _, _, ok := g.board.stocks(time.Now()); return ok })
	return g
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%s: not within 10 s\n%s", what, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// metric returns the sum of a metric's values, of those with a label of the
// given value where one is given.
func (g *rig) metric(t *testing.T, name, label string) (sum float64) {
	t.Helper()
	families, err := g.config.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			has := label == ""
			for _, l := range m.GetLabel() {
				has = has || l.GetValue() == label
			}
			if f.GetName() == name && has {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// message is any message of the server.
type message struct {
	Subject      string
	Seq          uint64
	Snapshot     bool
	Data         map[string]any
	Hops         map[string]float64
	Subscribed   []string
	Unsubscribed []string
	Error        *clientError
	Dropped      uint64
	Heartbeat    int64
}

// client is a websocket client.
type client struct {
	t    *testing.T
	conn *websocket.Conn
	got  []message // read, not asked for yet
}

func (g *rig) dial(t *testing.T) *client {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(g.url, "http")+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t: t, conn: conn}
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// read returns the next message, or the error that ended the socket.
func (c *client) read() (message, error) {
	for len(c.got) == 0 {
		_ = c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, frame, err := c.conn.ReadMessage()
		if err != nil {
			return message{}, err
		}
		c.got = decodeFrame(c.t, frame)
	}
	m := c.got[0]
	c.got = c.got[1:]
	return m, nil
}

func decodeFrame(t *testing.T, frame []byte) []message {
	t.Helper()
	var many []message
	var one message
	if frame[0] == '[' {
		if err := json.Unmarshal(frame, &many); err != nil || len(many) < 2 {
			t.Fatalf("frame %.200s: %v", frame, err)
		}
		return many
	}
	if err := json.Unmarshal(frame, &one); err != nil {
		t.Fatalf("frame %.200s: %v", frame, err)
	}
	return []message{one}
}

// next returns the next message that is no heartbeat.
func (c *client) next() message {
	c.t.Helper()
	for {
		m, err := c.read()
		if err != nil {
			c.t.Fatal(err)
		}
		if m.Heartbeat == 0 {
			return m
		}
	}
}

func (c *client) subscribe(subjects ...string) {
	c.t.Helper()
	text, _ := json.Marshal(map[string]any{"subscribe": subjects})
	c.send(string(text))
	if m := c.next(); len(m.Subscribed) != len(subjects) {
		c.t.Fatalf("subscribe %v: got %+v", subjects, m)
	}
}

func (c *client) closeCode() (int, string) {
	c.t.Helper()
	for {
		if _, err := c.read(); err != nil {
			var e *websocket.CloseError
			if ok := asClose(err, &e); !ok {
				c.t.Fatalf("the socket ended with %v", err)
			}
			return e.Code, e.Text
		}
	}
}

func asClose(err error, to **websocket.CloseError) bool {
	e, ok := err.(*websocket.CloseError)
	*to = e
	return ok
}
