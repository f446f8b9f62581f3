package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"streamflow"
)

// benchLatency is of all clients that read.
var benchLatency latencies

// benchClient is one client of the benchmark.
type benchClient struct {
	conn     *websocket.Conn
	all      bool              // it must get every message
	wants    map[string]bool   // subjects; nil is all
	seen     map[string]uint64 // the last sequence, by subject; the reader's until it has ended
	gaps     int64
	received atomic.Int64
	dropped  atomic.Int64
	ended    atomic.Bool
	done     chan struct{}
	sample   int
}

// benchRequest is what a client sends first.
type benchRequest struct {
	Subscribe []string `json:"subscribe"`
	Batch     bool     `json:"batch"`
	MaxRate   float64  `json:"maxRate,omitempty"`
}

func newBenchClient(ctx context.Context, addr string, i, symbols int, stalled bool) (*benchClient, error) {
	dialer := websocket.Dialer{ReadBufferSize: 4096, WriteBufferSize: 512}
	conn, _, err := dialer.DialContext(ctx, "ws://"+addr+"/ws", nil)
	if err != nil {
		return nil, err
	}
	b := &benchClient{conn: conn, all: true, seen: make(map[string]uint64), done: make(chan struct{})}
	names, request := benchSymbols(symbols), benchRequest{Batch: true}
	want := 1
	switch kind := i % 100; {
	case stalled || kind == 0:
		want = 0
		request.Subscribe = []string{streamflow.SubjectAllTicks}
	case kind <= 20:
		want = 10
	case kind <= 40:
		want, b.all, request.MaxRate = 20, false, 2
	default:
		request.Batch = false
	}
	if want > 0 {
		b.wants = make(map[string]bool)
	}
	for n := range want {
		s := streamflow.TickSubject(names[(i*7+n*13)%len(names)])
		b.wants[s] = true
		request.Subscribe = append(request.Subscribe, s)
	}
	if err := conn.WriteJSON(request); err != nil {
		return nil, err
	}
	if stalled {
		b.all = false
		close(b.done)
		return b, nil
	}
	if _, frame, err := conn.ReadMessage(); err != nil || !bytes.Contains(frame, []byte(`"subscribed"`)) {
		return nil, fmt.Errorf("subscribe: %.100s %w", frame, err)
	}
	go b.run()
	return b, nil
}

func (b *benchClient) close() {
	if b != nil {
		_ = b.conn.Close()
		<-b.done
	}
}

// run reads frames until the connection ends.
func (b *benchClient) run() {
	defer close(b.done)
	for {
		_, frame, err := b.conn.ReadMessage()
		if err != nil {
			b.ended.Store(true)
			return
		}
		b.take(frame, time.Now())
	}
}

// take reads the messages of a frame without reading their JSON: the load of
// the clients is part of what is measured, and must not be most of it.
func (b *benchClient) take(frame []byte, now time.Time) {
	n := int64(0)
	for {
		_, rest, ok := bytes.Cut(frame, []byte(`{"subject":"`))
		if !ok {
			break
		}
		subject, rest, _ := bytes.Cut(rest, []byte(`"`))
		_, rest, _ = bytes.Cut(rest, []byte(`"seq":`))
		seq, rest := benchNumber(rest)
		prev := uint64(0)
		if after, ok := bytes.CutPrefix(rest, []byte(`,"prev":`)); ok {
			prev, rest = benchNumber(after)
		}
		if last := b.seen[string(subject)]; b.all && last != 0 && prev != last {
			b.gaps++
		}
		b.seen[string(subject)] = seq
		if b.sample++; b.sample%16 == 0 && b.all {
			b.time(rest, now)
		}
		frame = rest
		n++
	}
	b.received.Add(n)
	if n == 0 && bytes.HasPrefix(frame, []byte(`{"dropped"`)) {
		var m struct{ Dropped int64 }
		_ = json.Unmarshal(frame, &m)
		b.dropped.Add(m.Dropped)
	}
}

// time adds the age of a message.
func (b *benchClient) time(rest []byte, now time.Time) {
	_, text, _ := bytes.Cut(rest, []byte(`"kafka":`))
	end := bytes.IndexAny(text, ",}")
	if ms, err := strconv.ParseFloat(string(text[:max(end, 0)]), 64); err == nil {
		benchLatency.add(time.Duration(float64(now.UnixNano()) - ms*1e6))
	}
}

func benchNumber(b []byte) (n uint64, rest []byte) {
	i := 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		n = 10*n + uint64(b[i]-'0')
	}
	return n, b[i:]
}

// lost ends the client and returns how many messages it missed: those between
// which it found a gap, and subjects of which it lacks the last.
func (b *benchClient) lost(f *benchFeed) int64 {
	ended := b.ended.Load()
	b.close()
	b.ended.Store(ended)
	if !b.all {
		return 0
	}
	n := b.gaps
	for subject, sequence := range f.newest {
		if (b.wants == nil || b.wants[subject]) && b.seen[subject] != sequence {
			n++
		}
	}
	return n
}
