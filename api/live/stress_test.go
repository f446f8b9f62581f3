package live

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestSeam subscribes and unsubscribes while ticks are published, and checks
// that each subject's sequences follow each other from the snapshot on.
func TestSeam(t *testing.T) {
	g := newRig(t, nil)
	symbols := []string{"A", "B", "C", "D", "E"}
	published := map[string][]uint64{}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			s := symbols[i*7%len(symbols)]
			published["ticks."+s] = append(published["ticks."+s], g.feed.put(g.tick(s, float64(i+1), 0)))
			if i%20 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	}()
	runs := make([][]message, 60)
	var wg sync.WaitGroup
	for i := range runs {
		if i%6 == 0 {
			wg.Wait()
		}
		c := g.dial(t)
		wg.Go(func() {
			defer func() { _ = c.conn.Close() }()
			c.send(fmt.Sprintf(`{"subscribe":["ticks.A","ticks.B"],"batch":%v}`, i%2 == 0))
			c.send(`{"subscribe":["ticks.*"]}`)
			for len(runs[i]) < 200 {
				if m := c.next(); m.Subject != "" {
					runs[i] = append(runs[i], m)
				}
			}
			if i%2 != 0 && c.arrays > 0 {
				t.Errorf("%d arrays for a client that did not ask for them", c.arrays)
			}
		})
	}
	wg.Wait()
	close(stop)
	<-stopped
	for i, run := range runs {
		checkSeam(t, i, run, published)
	}
}

func checkSeam(t *testing.T, run int, got []message, published map[string][]uint64) {
	t.Helper()
	next, before := map[string]int{}, map[string]uint64{}
	for _, m := range got {
		seqs := published[m.Subject]
		i, begun := next[m.Subject]
		if !begun {
			for i < len(seqs) && seqs[i] != m.seq() {
				i++
			}
			if m.Snapshot != true && i > 0 {
				t.Fatalf("run %d: %s began with %d, which is no snapshot", run, m.Subject, m.seq())
			}
		} else if m.Snapshot != nil {
			t.Fatalf("run %d: %s: a second snapshot, %d", run, m.Subject, m.seq())
		}
		if i >= len(seqs) || seqs[i] != m.seq() {
			t.Fatalf("run %d: %s: got %d after %v", run, m.Subject, m.seq(), seqs[max(0, i-1):min(len(seqs), i+2)])
		}
		if begun && m.Prev != before[m.Subject] {
			t.Fatalf("run %d: %s: prev %d behind %d: a client takes it for a gap", run, m.Subject, m.Prev, before[m.Subject])
		}
		next[m.Subject], before[m.Subject] = i+1, m.seq()
	}
}

// TestSlowClient lets some clients read nothing. Another must get every tick,
// and what the server holds for the slow ones must stay bounded.
func TestSlowClient(t *testing.T) {
	g := newRig(t, func(_ *Config, h *hub) { h.grace, h.shared.most = 100*time.Millisecond, 0 })
	fast := g.dial(t)
	var slow []*client
	for i := range 6 {
		c := g.dial(t)
		c.send(fmt.Sprintf(`{"subscribe":[">"],"batch":%v,"mode":%q}`, i%2 == 0, map[bool]string{true: "all", false: "latest"}[i < 3]))
		slow = append(slow, c)
	}
	fast.send(`{"subscribe":["ticks.*"],"batch":true}`)
	fast.next()
	const total, symbols = 4_000, 50
	published, batch := 0, 100 // well within what an outbox holds
	for want, n := uint64(1), 0; n < total; n++ {
		if n == published {
			for range batch {
				g.feed.put(g.tick(fmt.Sprintf("S%d", published%symbols), float64(published+1), 2400))
				published++
			}
			checkBounded(t, g.hub)
		}
		if m := fast.next(); m.seq() != want {
			t.Fatalf("the fast client got %+v, want sequence %d", m, want)
		}
		want += 2 // the fake puts a cursor after every tick
	}
	if g.metric(t, "streamflow_ws_messages_dropped_total", "") < 500 {
		t.Error("nothing was dropped")
	}
	runtime.KeepAlive(slow)
}

func checkBounded(t *testing.T, h *hub) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.sessions {
		s.outbox.mu.Lock()
		if s.bytes > ownRoom || len(s.marked) > 60 || s.load.Load() > 4*maxFrame {
			t.Errorf("%d bytes and %d subjects wait for one session, %d bytes are in flight", s.bytes, len(s.marked), s.load.Load())
		}
		s.outbox.mu.Unlock()
	}
}

// TestStalledClientIsClosed lets a client read nothing for too long. It is
// closed with a code and the number of messages that it missed, which it finds
// when it reads again; and its connection is cut if it does not.
func TestStalledClientIsClosed(t *testing.T) {
	for _, c := range []struct{ reads, overflows bool }{{true, false}, {false, false}, {true, true}} {
		g := newRig(t, func(_ *Config, h *hub) {
			h.shared.most = 0
			h.heartbeat, h.stall, h.grace = 20*time.Millisecond, 300*time.Millisecond, 700*time.Millisecond
			if c.reads {
				h.grace = time.Minute
			}
			if c.overflows { // it overflows again and again, before it is found to take nothing
				h.patience, h.stall = 200*time.Millisecond, time.Hour
			}
		})
		client := g.dial(t)
		client.subscribe(">")
		var s *session
		eventually(t, "the session is being closed", func() bool {
			for i := range 50 {
				g.feed.put(g.tick("A", float64(i+1), 60_000))
			}
			time.Sleep(20 * time.Millisecond)
			g.hub.mu.Lock()
			defer g.hub.mu.Unlock()
			for s = range g.hub.sessions {
			}
			return s.why.Load() == "slow"
		})
		if c.reads {
			if code, text := client.closeCode(); code != websocket.CloseTryAgainLater || !strings.Contains(text, "messages dropped") {
				t.Errorf("closed with %d %q", code, text)
			}
		}
		eventually(t, "the session is gone", func() bool {
			return g.metric(t, "streamflow_ws_sessions_closed_total", "slow") == 1
		})
	}
}

// TestSlowClientThatWakes reads again after the bound was passed: it is told
// how many it missed and from where, gets the newest of each subject, in order,
// and on a new connection all that it missed.
func TestSlowClientThatWakes(t *testing.T) {
	g := newRig(t, func(_ *Config, h *hub) { h.shared.most = 0 })
	c := g.dial(t)
	c.subscribe("ticks.*")
	const total = 400
	last := uint64(0)
	for i := range total {
		last = g.feed.put(g.tick(fmt.Sprintf("S%d", i%3), float64(i+1), 60_000))
	}
	g.taken(t, last, "TICKS")
	got, dropped, since, seen := 0, uint64(0), uint64(0), map[string]uint64{}
	all := map[uint64]bool{}
	for seen["ticks.S0"] != last || seen["ticks.S1"] != last-4 || seen["ticks.S2"] != last-2 {
		m := c.next()
		if m.Dropped > 0 {
			dropped += m.Dropped
			if since == 0 {
				since = m.Since["TICKS"]
			}
		}
		if m.Subject == "" {
			continue
		}
		if m.seq() <= seen[m.Subject] {
			t.Fatalf("%s: %d after %d", m.Subject, m.seq(), seen[m.Subject])
		}
		seen[m.Subject], got = m.seq(), got+1
		all[m.seq()] = true
	}
	if dropped == 0 || uint64(got)+dropped != total {
		t.Errorf("got %d and was told of %d dropped, together not %d", got, dropped, total)
	}
	again := g.dial(t)
	again.send(fmt.Sprintf(`{"subscribe":["ticks.*"],"since":{"TICKS":%d}}`, since))
	for m := again.next(); m.Resumed == nil; m = again.next() {
		all[m.seq()] = true
	}
	delete(all, 0)
	if len(all) != total {
		t.Errorf("%d of %d messages after a resume since %d", len(all), total, since)
	}
}
