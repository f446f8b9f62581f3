package main

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"streamflow"
)

// bareServer is the least that brings ticks to websockets: a list of channels
// for each subject.
type bareServer struct {
	feed *benchFeed
	up   websocket.Upgrader
	mu   sync.Mutex
	want map[string][]chan []byte // by subject; that of all is streamflow.SubjectAllTicks
}

func newBareServer(f *benchFeed) *bareServer {
	return &bareServer{feed: f, want: make(map[string][]chan []byte), up: websocket.Upgrader{ReadBufferSize: 512, WriteBufferSize: 4096}}
}

// ServeHTTP serves one client.
func (s *bareServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := s.up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	var q benchRequest
	if conn.ReadJSON(&q) != nil || conn.WriteJSON(map[string]any{"subscribed": q.Subscribe}) != nil {
		return
	}
	messages := make(chan []byte, 4096)
	s.mu.Lock()
	for _, subject := range q.Subscribe {
		s.want[subject] = append(s.want[subject], messages)
	}
	s.mu.Unlock()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			if _, _, err := conn.NextReader(); err != nil {
				return
			}
		}
	}()
	for {
		select {
		case <-gone:
			return
		case m := <-messages:
			if conn.WriteMessage(websocket.TextMessage, bareFrame(m, messages, q.Batch)) != nil {
				return
			}
		}
	}
}

// bareFrame joins what waits.
func bareFrame(m []byte, messages chan []byte, batch bool) []byte {
	if !batch || len(messages) == 0 {
		return m
	}
	b := append([]byte{'['}, m...)
	for len(b) < 64<<10 && len(messages) > 0 {
		b = append(append(b, ','), <-messages...)
	}
	return append(b, ']')
}

func (s *bareServer) run(ctx context.Context) {
	before := make(map[string]uint64)
	_ = s.feed.Follow(ctx, "", 0, func(batch []streamflow.Message) error {
		now := time.Now()
		s.mu.Lock()
		defer s.mu.Unlock()
		for i := range batch {
			m := &batch[i]
			b := bareMessage(m, before[m.Subject], now)
			before[m.Subject] = m.Sequence
			for _, subject := range [2]string{m.Subject, streamflow.SubjectAllTicks} {
				for _, c := range s.want[subject] {
					select {
					case c <- b:
					default: // it is lost, and nobody is told
					}
				}
			}
		}
		return nil
	})
}

func bareMessage(m *streamflow.Message, prev uint64, now time.Time) []byte {
	b := append([]byte(`{"subject":"`), m.Subject...)
	b = strconv.AppendUint(append(b, `","stream":"TICKS","seq":`...), m.Sequence, 10)
	if prev > 0 {
		b = strconv.AppendUint(append(b, `,"prev":`...), prev, 10)
	}
	b = append(append(b, `,"data":`...), m.Data...)
	kafka, _ := streamflow.FindHop(m.Hops, streamflow.HopKafka)
	for name, at := range map[string]time.Time{"kafka": kafka, "api": now} {
		text := strconv.FormatFloat(float64(at.UnixMicro())/1000, 'f', 3, 64)
		b = append(b, `,"`+strings.TrimSpace(name)+`":`+text...)
	}
	return append(b, '}')
}
