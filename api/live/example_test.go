package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"streamflow"
	"streamflow/api/live"
)

// The client of docs/websocket.md begins here.

// Message is what the server sends: a message of a stream, or a word of its own.
type Message struct {
	Subject, Stream string
	Seq             json.RawMessage // a number, or one for each stream
	Data            json.RawMessage
	Snapshot        json.RawMessage // true, or "done"
	View            bool            // a result that still grows
	Resumed         map[string]uint64
	Gone            json.RawMessage
	Error           *struct{ Code, Message string }
	Dropped         uint64
	Heartbeat       int64
}

// Follow calls fn with every message of some subjects, once and in order,
// across connections that break. It ends with the error of fn, or when the
// server refuses the subjects.
func Follow(url string, subjects []string, fn func(Message) error) error {
	since := map[string]uint64{} // by stream: all up to here has come
	for ; ; time.Sleep(time.Second) {
		conn, _, err := websocket.DefaultDialer.Dial(url, nil)
		if err != nil {
			continue
		}
		request := map[string]any{"subscribe": subjects}
		if len(since) > 0 {
			request["since"] = since
		}
		_ = conn.WriteJSON(request)
		ready := len(since) > 0
		for {
			var m Message
			// The server says something each 5 s: two may be missed.
			_ = conn.SetReadDeadline(time.Now().Add(12 * time.Second))
			if conn.ReadJSON(&m) != nil {
				break
			}
			switch {
			case m.Error != nil && m.Error.Code == "too_far": // begin anew
				clear(since)
				conn.Close()
			case m.Error != nil:
				conn.Close()
				return fmt.Errorf("refused: %s", m.Error.Message)
			case string(m.Snapshot) == `"done"`, ready && m.Heartbeat > 0:
				ready = true
				_ = json.Unmarshal(m.Seq, &since)
			case m.Resumed != nil:
				for stream, seq := range m.Resumed {
					since[stream] = seq
				}
			case m.Gone != nil, m.Dropped > 0 && m.Heartbeat == 0: // there is a gap: fill it from GET /api
				fmt.Fprintf(os.Stderr, "a gap: %s %d dropped\n", m.Gone, m.Dropped)
			case m.Subject != "":
				if err := fn(m); err != nil {
					conn.Close()
					return err
				}
				var seq uint64
				if ready && m.Snapshot == nil && json.Unmarshal(m.Seq, &seq) == nil {
					since[m.Stream] = seq
				}
			}
		}
		conn.Close()
	}
}

// The client of docs/websocket.md ends here.

func Example() {
	feed := oneTick{}
	server, err := live.New(live.Config{Feed: feed, Streams: []string{streamflow.StreamTicks}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); server.Run(ctx) }()
	web := httptest.NewServer(server)
	err = Follow("ws"+strings.TrimPrefix(web.URL, "http"), []string{"ticks.AAPL"}, func(m Message) error {
		fmt.Println(m.Subject, string(m.Seq), string(m.Data))
		return context.Canceled
	})
	fmt.Println(err)
	fmt.Println(Follow("ws"+strings.TrimPrefix(web.URL, "http"), []string{"ticks"}, nil) != nil)
	cancel()
	<-done
	web.Close()
	// Output:
	// ticks.AAPL 7 {"symbol":"AAPL","price":187.23,"volume":100,"timestamp":"2025-01-02T15:04:05Z"}
	// context canceled
	// true
}

// oneTick is a stream of one tick.
type oneTick struct{}

func (oneTick) Snapshot(context.Context, string, string) ([]streamflow.Message, uint64, error) {
	return []streamflow.Message{{
		Subject: "ticks.AAPL", Sequence: 7, Position: streamflow.Position{Topic: streamflow.TopicTicks},
		Data: []byte(`{"symbol":"AAPL","price":187.23,"volume":100,"timestamp":"2025-01-02T15:04:05Z"}`),
	}}, 7, nil
}

func (oneTick) Follow(ctx context.Context, _ string, _ uint64, _ func([]streamflow.Message) error) error {
	<-ctx.Done()
	return ctx.Err()
}

func (oneTick) Range(context.Context, string, string, uint64, uint64, func([]streamflow.Message) error) error {
	return nil
}

func (oneTick) Bounds(context.Context, string) (first, last uint64, err error) { return 7, 7, nil }

// The document shows the client that is tested here.
func TestDocumentShowsTheClient(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	_, code, _ := strings.Cut(read("example_test.go"), "begins here.\n")
	code, _, _ = strings.Cut(code, "// The client of docs/websocket.md ends here.")
	doc := read("../../docs/websocket.md")
	if !strings.Contains(doc, "```go\n"+strings.TrimSpace(code)+"\n```") {
		t.Error("docs/websocket.md shows another client than example_test.go: copy it")
	}
	for _, root := range live.Roots() {
		if !strings.Contains(doc, "`"+root) {
			t.Errorf("docs/websocket.md does not name %s", root)
		}
	}
}
