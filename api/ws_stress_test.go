package api

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
			g.feed.put(g.tick(s, float64(i+1), 1, time.Now()))
			published["ticks."+s] = append(published["ticks."+s], g.feed.log[len(g.feed.log)-1].Sequence)
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
			c.send(`{"subscribe":["ticks.A","ticks.B"]}`)
			c.send(`{"subscribe":["ticks.*"]}`)
			for len(runs[i]) < 200 {
				if m := c.next(); m.Subject != "" {
					runs[i] = append(runs[i], m)
				}
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
	next := map[string]int{}
	for _, m := range got {
		seqs := published[m.Subject]
		i, begun := next[m.Subject]
		if !begun {
			for i < len(seqs) && seqs[i] != m.Seq {
				i++
			}
			if !m.Snapshot && i > 0 {
				t.Fatalf("run %d: %s began with %d, which is no snapshot", run, m.Subject, m.Seq)
			}
		} else if m.Snapshot {
			t.Fatalf("run %d: %s: a second snapshot, %d", run, m.Subject, m.Seq)
		}
		if i >= len(seqs) || seqs[i] != m.Seq {
			t.Fatalf("run %d: %s: got %d after %v", run, m.Subject, m.Seq, seqs[max(0, i-1):min(len(seqs), i+2)])
		}
		next[m.Subject] = i + 1
	}
}

// TestSlowClient lets one client read nothing. Another must get every tick, and
// what the server holds for the slow one must stay bounded.
func TestSlowClient(t *testing.T) {
	g := newRig(t, func(_ *Config, h *hub) { h.grace = 100 * time.Millisecond })
	slow, fast := g.dial(t), g.dial(t)
	slow.send(`{"subscribe":[">"]}`)
	fast.subscribe("ticks.*")
	const total, symbols = 8_000, 50
	pad := fmt.Appendf(nil, `"pad":%q`, strings.Repeat("x", 2400))
	published, batch := 0, 100 // well within what an outbox holds
	for want, n := uint64(1), 0; n < total; n++ {
		if n == published {
			for range batch {
				m := g.tick(fmt.Sprintf("S%d", published%symbols), float64(published+1), 1, time.Now())
				m.Tick.Extra = pad
				g.feed.put(m)
				published++
			}
			checkBounded(t, g.hub)
		}
		if m := fast.next(); m.Seq != want {
			t.Fatalf("the fast client got %+v, want sequence %d", m, want)
		}
		want += 2 // the fake puts a cursor after every tick
	}
	if g.metric(t, "streamflow_ws_messages_conflated_total", "") < 1000 {
		t.Error("nothing was conflated")
	}
	runtime.KeepAlive(slow)
}

// TestStalledClientIsClosed lets a client read nothing for too long. It is
// closed with a code and the number of messages that it missed, which it finds
// when it reads again; and its connection is cut if it does not.
func TestStalledClientIsClosed(t *testing.T) {
	for _, reads := range []bool{true, false} {
		g := newRig(t, func(_ *Config, h *hub) {
			h.heartbeat, h.stall, h.grace = 20*time.Millisecond, 300*time.Millisecond, 700*time.Millisecond
			if reads {
				h.grace = time.Minute
			}
		})
		c := g.dial(t)
		c.subscribe(">")
		pad := fmt.Appendf(nil, `"pad":%q`, strings.Repeat("x", 60_000))
		var s *session
		eventually(t, "the session is being closed", func() bool {
			for i := range 50 {
				m := g.tick("A", float64(i+1), 1, time.Now())
				m.Tick.Extra = pad
				g.feed.put(m)
			}
			time.Sleep(20 * time.Millisecond)
			g.hub.mu.Lock()
			defer g.hub.mu.Unlock()
			for s = range g.hub.sessions {
			}
			return s.why.Load() == "slow"
		})
		if reads {
			if code, text := c.closeCode(); code != websocket.CloseTryAgainLater || !strings.Contains(text, "messages dropped") {
				t.Errorf("closed with %d %q", code, text)
			}
		}
		eventually(t, "the session is gone", func() bool {
			return g.metric(t, "streamflow_ws_sessions_closed_total", "slow") == 1
		})
	}
}

func checkBounded(t *testing.T, h *hub) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.sessions {
		s.outbox.mu.Lock()
		if s.bytes > maxPending || len(s.order) > 50 {
			t.Errorf("%d bytes and %d subjects wait for one session", s.bytes, len(s.order))
		}
		s.outbox.mu.Unlock()
	}
}

// TestSlowClientThatWakes reads again after the bound was passed: it is told
// how many it missed, and gets the newest of each subject, in order.
func TestSlowClientThatWakes(t *testing.T) {
	g := newRig(t, nil)
	c := g.dial(t)
	c.subscribe("ticks.*")
	pad := fmt.Appendf(nil, `"pad":%q`, strings.Repeat("x", 60_000))
	const total = 1000
	for i := range total {
		m := g.tick(fmt.Sprintf("S%d", i%3), float64(i+1), 1, time.Now())
		m.Tick.Extra = pad
		g.feed.put(m)
	}
	eventually(t, "all is taken", func() bool { return g.intake.last.Load() == 2*total-1 })
	got, dropped, last, seen := 0, uint64(0), uint64(0), map[string]uint64{}
	for last < 2*total-1 {
		m := c.next()
		if dropped += m.Dropped; m.Subject == "" {
			continue
		}
		if m.Seq <= seen[m.Subject] {
			t.Fatalf("%s: %d after %d", m.Subject, m.Seq, seen[m.Subject])
		}
		seen[m.Subject], last, got = m.Seq, max(last, m.Seq), got+1
	}
	for len(seen) < 3 || seen["ticks.S0"] != 2*total-1 || seen["ticks.S1"] != 2*total-5 || seen["ticks.S2"] != 2*total-3 {
		m := c.next()
		seen[m.Subject], got = m.Seq, got+1
	}
	if dropped == 0 || uint64(got)+dropped != total {
		t.Errorf("got %d and was told of %d dropped, together not %d", got, dropped, total)
	}
}
