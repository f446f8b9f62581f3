package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"streamflow"
	"streamflow/infra/postgres"
)

// rowWatch looks at the archive's positions all the time: what lies at or below
// them is committed.
type rowWatch struct {
	db      *postgres.DB
	load    *load
	stored  atomic.Int64
	latency latencies
}

const lookEvery = 2 * time.Millisecond

func newRowWatch(ctx context.Context, s servers, l *load) (*rowWatch, error) {
	db, err := postgres.Connect(ctx, s.Database, postgres.WithName("streamflow bench"))
	if err != nil {
		return nil, err
	}
	return &rowWatch{db: db, load: l}, nil
}

func (w *rowWatch) run(ctx context.Context) error {
	for {
		if err := pause(ctx, lookEvery); err != nil {
			return nil
		}
		positions, err := w.db.Positions(ctx, streamflow.FunctionArchive)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		now := time.Now()
		for p, offset := range positions {
			w.stored.Add(w.load.done(p.Number, offset, func(sent time.Time) { w.latency.add(now.Sub(sent)) }))
		}
	}
}

func (w *rowWatch) close() { w.db.Close() }

// socketWatch is a websocket client that measures how old ticks are.
type socketWatch struct {
	conn    *websocket.Conn
	latency latencies
	hops    [3]latencies // from the moment of sending to the hops in hopNames
	dropped atomic.Int64
}

// hopNames are the hops whose times a websocket message carries.
var hopNames = [3]string{"bridge", "stream", "api"}

func newSocketWatch(ctx context.Context, addr string, subjects []string) (*socketWatch, error) {
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, "ws://"+addr+"/ws", nil)
	if err != nil {
		return nil, fmt.Errorf("websocket: %w", err)
	}
	slog.Debug("websocket open", "subjects", subjects)
	return &socketWatch{conn: conn}, conn.WriteJSON(map[string]any{"subscribe": subjects, "batch": true}) // as who takes so much does
}

// run reads frames. A tick's event time is the moment at which it was sent.
func (w *socketWatch) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = w.conn.Close() })
	defer stop()
	for {
		_, frame, err := w.conn.ReadMessage()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("websocket: %w", err)
		}
		now := time.Now()
		for rest := frame; ; {
			_, after, ok := bytes.Cut(rest, []byte(`"timestamp":"`))
			if !ok {
				break
			}
			text, after, _ := bytes.Cut(after, []byte(`"`))
			if at, err := time.Parse(time.RFC3339Nano, string(text)); err == nil {
				w.latency.add(now.Sub(at))
				w.addHops(at, after)
			}
			rest = after
		}
		w.countDropped(frame)
	}
}

// addHops reads the hop times, in unix milliseconds, that follow a tick.
func (w *socketWatch) addHops(sent time.Time, text []byte) {
	for i, name := range hopNames {
		_, after, ok := bytes.Cut(text, []byte(`"`+name+`":`))
		if !ok {
			return
		}
		end := bytes.IndexAny(after, ",}")
		if ms, err := strconv.ParseFloat(string(after[:max(end, 0)]), 64); err == nil {
			w.hops[i].add(time.Duration(ms*1e6) - time.Duration(sent.UnixNano()))
		}
		text = after
	}
}

func (w *socketWatch) reset() {
	w.latency.reset()
	for i := range w.hops {
		w.hops[i].reset()
	}
}

func (w *socketWatch) countDropped(frame []byte) {
	if !bytes.Contains(frame, []byte(`"dropped"`)) {
		return
	}
	var messages []struct{ Dropped int64 }
	if frame[0] != '[' {
		frame = append(append([]byte{'['}, frame...), ']')
	}
	if json.Unmarshal(frame, &messages) == nil {
		for _, m := range messages {
			w.dropped.Add(m.Dropped)
		}
	}
}
