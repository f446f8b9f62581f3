package examples_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"streamflow"
	"streamflow/api/live"
	"streamflow/docs/examples"
	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
)

// system is a websocket in front of a real JetStream, at the end of a way that
// can be cut.
type system struct {
	t      *testing.T
	js     *jetstream.Client
	server *live.Server
	url    string
	cut    func() // all connections that there are
	fence  streamflow.Cursor
}

func start(t *testing.T) *system {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	n, err := embedded.StartNATS(embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: t.TempDir(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	js, err := jetstream.Connect(n.URL(), t.Name(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(js.Close)
	if _, err := js.Ensure(t.Context(), jetstream.DefaultLimits); err != nil {
		t.Fatal(err)
	}
	server, err := live.New(live.Config{Feed: js, Streams: []string{streamflow.StreamTicks}, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); server.Run(ctx) }()
	web := httptest.NewServer(server)
	t.Cleanup(func() { cancel(); <-done; web.Close() })
	s := &system{t: t, js: js, server: server, fence: streamflow.Start}
	s.url, s.cut = way(t, web.Listener.Addr().String())
	return s
}

// way leads to an address until it is cut; it is there again at once.
func way(t *testing.T, to string) (url string, cut func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	cut = func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range open {
			_ = c.Close()
		}
		open = nil
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			mu.Lock()
			open = append(open, near, far)
			mu.Unlock()
			wg.Go(func() { _, _ = io.Copy(far, near); _ = far.Close() })
			wg.Go(func() { _, _ = io.Copy(near, far); _ = near.Close() })
		}
	})
	t.Cleanup(func() { _ = ln.Close(); cut(); wg.Wait() })
	return "ws://" + ln.Addr().String() + "/ws", cut
}

// ticks stores ticks as the bridge does.
func (s *system) ticks(n int) {
	s.t.Helper()
	in := streamflow.Partition{Topic: streamflow.TopicTicks}
	var batch []streamflow.Message
	for range n {
		offset := s.fence.Next
		batch = append(batch, streamflow.Message{
			Subject: streamflow.TickSubject("AAPL"), Position: streamflow.Position{Topic: in.Topic, Offset: offset}, Previous: s.fence.Last,
			Data: []byte(`{"symbol":"AAPL","price":` + strconv.FormatInt(offset+1, 10) + `,"volume":1,"timestamp":"2025-01-02T15:04:05Z"}`),
		})
		s.fence.Next, s.fence.Last = offset+1, offset
	}
	fence, err := s.js.Ticks().Commit(s.t.Context(), in, batch, s.fence)
	if err != nil {
		s.t.Fatal(err)
	}
	s.fence.Fence = fence
}

// follow runs the client until it ends.
func follow(t *testing.T, url, subject string, fn func(examples.Message) error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- examples.Follow(url, []string{subject}, fn) }()
	select {
	case err := <-done:
		return err
	case <-time.After(5 * time.Minute):
		t.Fatal("the client has not ended within five minutes")
		return nil
	}
}

// The client takes all ticks, once and in order, though its connection breaks
// again and again while they come.
func TestFollowGoesOnAfterBreaks(t *testing.T) {
	s := start(t)
	s.ticks(1)
	for _, known := s.server.Newest("ticks.AAPL"); !known; _, known = s.server.Newest("ticks.AAPL") {
		time.Sleep(time.Millisecond) // or there is no snapshot
	}
	const rounds, each = 4, 25
	var snapshots []string
	var got, want []float64
	enough := errors.New("enough")
	next := func(round int) { // while the client is away, and when it is there again
		if round > 1 {
			s.cut()
		}
		s.ticks(each)
	}
	err := follow(t, s.url, "ticks.AAPL", func(m examples.Message) error {
		if m.Snapshot != nil {
			snapshots = append(snapshots, string(m.Seq))
			next(1)
			return nil
		}
		var tick struct{ Price float64 }
		if err := json.Unmarshal(m.Data, &tick); err != nil {
			return err
		}
		got = append(got, tick.Price)
		switch {
		case len(got) == rounds*each:
			return enough
		case len(got)%each == 0:
			next(len(got)/each + 1)
		}
		return nil
	})
	if !errors.Is(err, enough) || len(snapshots) != 1 {
		t.Errorf("it ended with %v, after snapshots %v", err, snapshots)
	}
	for i := range rounds * each {
		want = append(want, float64(i+2))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

// A client that is refused ends, and says why.
func TestFollowIsRefused(t *testing.T) {
	s := start(t)
	err := follow(t, s.url, "tocks.AAPL", nil)
	if err == nil || !strings.Contains(err.Error(), "tocks.AAPL") {
		t.Errorf("it ended with %v", err)
	}
}

// The document shows the clients as they are tested, here and in
// ui/e2e/wire.spec.ts.
func TestDocumentShowsTheClients(t *testing.T) {
	doc, err := os.ReadFile("../websocket.md")
	if err != nil {
		t.Fatal(err)
	}
	for file, language := range map[string]string{"client.go": "go", "client.ts": "ts"} {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(doc), "```"+language+"\n"+string(code)+"```\n") {
			t.Errorf("docs/websocket.md does not show %s as it is: copy all of it there", file)
		}
	}
}
