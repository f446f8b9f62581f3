package live

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

	"streamflow"
)

// rig is a server with a fake feed behind it and a real socket before it.
type rig struct {
	*Server
	feed     *fakeFeed
	registry *prometheus.Registry
	url      string
	stop     func()
	maker
}

// newRig starts a server, and checks at the end that nothing of it is left.
func newRig(t *testing.T, tune func(*Config, *hub)) *rig {
	t.Helper()
	before := runtime.NumGoroutine()
	g := &rig{feed: newFakeFeed(), registry: prometheus.NewRegistry()}
	c := Config{Feed: g.feed, Logger: slog.New(slog.DiscardHandler), Registry: g.registry}
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
	web := httptest.NewServer(g)
	g.url = web.URL
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); g.Run(ctx) }()
	g.stop = func() { cancel(); <-done }
	t.Cleanup(func() {
		g.stop()
		web.Client().CloseIdleConnections()
		web.Close()
		if c.Feed == g.feed { // a real server keeps consumers for a while
			eventually(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= before })
		}
	})
	eventually(t, "the streams are read", func() bool {
		for _, f := range g.followers {
			if !f.ready.Load() {
				return false
			}
		}
		return true
	})
	return g
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%s: not within two minutes\n%s", what, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// taken waits until the hub has a message.
func (g *rig) taken(t *testing.T, sequence uint64, stream string) {
	t.Helper()
	eventually(t, "the messages are taken", func() bool { last, _ := g.Last(stream); return last >= sequence })
}

// put stores messages and waits until the hub has them.
func (g *rig) put(t *testing.T, messages ...streamflow.Message) uint64 {
	t.Helper()
	n := g.feed.put(messages...)
	g.taken(t, n, kinds[kindOf(messages[len(messages)-1].Subject)].stream)
	return n
}

// metric returns the sum of a metric's values, of those with a label of the
// given value where one is given.
func (g *rig) metric(t *testing.T, name, label string) (sum float64) {
	t.Helper()
	families, err := g.registry.Gather()
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
	Subject, Stream, Position string
	Seq                       json.RawMessage // a number, or those of streams
	Prev                      uint64
	Snapshot                  any
	View                      bool
	Data                      map[string]any
	Hops                      map[string]float64
	Subscribed, Unsubscribed  []string
	Error                     *clientError
	Dropped, Conflated        uint64
	Since                     map[string]uint64
	Heartbeat                 int64
	Resumed, Rebuilt          map[string]uint64
	Gone                      map[string]struct{ Since, First, Last uint64 }
	Pong                      *int64
	Batch                     *bool
}

func (m *message) seq() (n uint64) {
	_ = json.Unmarshal(m.Seq, &n)
	return n
}

func (m *message) seqs() (n map[string]uint64) {
	_ = json.Unmarshal(m.Seq, &n)
	return n
}

func (m *message) done() bool { return m.Snapshot == "done" }

// client is a websocket client.
type client struct {
	t      *testing.T
	conn   *websocket.Conn
	got    []message // read, not asked for yet
	frames int
	arrays int
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
		_ = c.conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
		_, frame, err := c.conn.ReadMessage()
		if err != nil {
			return message{}, err
		}
		c.frames++
		if frame[0] == '[' {
			c.arrays++
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

// any returns the next message that is no heartbeat.
func (c *client) any() message {
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

// next returns the next message that is neither a heartbeat nor the end of a
// snapshot.
func (c *client) next() message {
	c.t.Helper()
	for {
		if m := c.any(); !m.done() {
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
			e, ok := err.(*websocket.CloseError)
			if !ok {
				c.t.Fatalf("the socket ended with %v", err)
			}
			return e.Code, e.Text
		}
	}
}
