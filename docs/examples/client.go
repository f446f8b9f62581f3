// Package examples has the reference clients of the websocket, in Go and in
// TypeScript: docs/websocket.md says what they rest on.
package examples

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/gorilla/websocket"
)

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
