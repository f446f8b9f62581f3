package live

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"streamflow"
)

// TestReconnect disconnects clients at random moments while ticks are
// published. By the rule of docs/websocket.md for what to resume from, they end
// with the exact sequence of the stream: no gap, no double, in order.
func TestReconnect(t *testing.T) {
	g := newRig(t, func(_ *Config, h *hub) { h.heartbeat, h.replay.chunk = 10*time.Millisecond, 20_000 })
	const total = 2000
	subjects := []string{"A", "B", "C", "BRK.B", "RARE"}
	first := g.put(t, g.tick("A", 1, 0)) // all clients begin behind this one
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range total {
			if s := subjects[rand.IntN(4)]; i%500 == 0 {
				g.feed.put(g.tick("RARE", 1, 0))
			} else {
				g.feed.put(g.tick(s, float64(i+1), rand.IntN(200)))
			}
			if i%10 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	})
	type outcome struct {
		patterns []string
		got      []uint64
		cuts     int
	}
	last := first + 2*total
	runs := make([]outcome, 12)
	for i := range runs {
		run := &runs[i]
		run.patterns = [][]string{{"ticks.>"}, {"ticks.A", "ticks.BRK%2EB"}, {"ticks.RARE"}}[i%3]
		wg.Go(func() {
			since, r := first, rand.New(rand.NewPCG(uint64(i), 3))
			for since < last {
				run.cuts++
				since = g.session(t, run.patterns, since, r.IntN(300), last, &run.got, i%2 == 0)
			}
		})
	}
	wg.Wait()
	cuts := 0
	for i, run := range runs {
		var want []uint64
		for _, m := range g.feed.streams["TICKS"].log {
			for _, text := range run.patterns {
				if p, _ := parsePattern(text); p.matches(m.Subject) && m.Sequence > first {
					want = append(want, m.Sequence)
				}
			}
		}
		if fmt.Sprint(run.got) != fmt.Sprint(want) {
			t.Errorf("client %d, %v, %d connections: got %d messages, want %d", i, run.patterns, run.cuts, len(run.got), len(want))
		}
		cuts += run.cuts
	}
	if cuts < 3*len(runs) {
		t.Errorf("%d connections only", cuts)
	}
}

// session resumes, takes up to most messages, and breaks off. It returns from
// where to resume: what it was told, or the last message.
func (g *rig) session(t *testing.T, patterns []string, since uint64, most int, last uint64, got *[]uint64, batch bool) uint64 {
	c := g.dial(t)
	defer func() { _ = c.conn.Close() }()
	c.send(fmt.Sprintf(`{"subscribe":["%s"],"since":{"TICKS":%d},"batch":%v}`, strings.Join(patterns, `","`), since, batch))
	for n := 0; n <= most && since < last; n++ {
		m, err := c.read()
		if err != nil {
			t.Error(err)
			return last
		}
		switch {
		case m.Gone != nil || m.Dropped > 0 && m.Heartbeat == 0 || m.Snapshot != nil || m.Error != nil:
			t.Errorf("got %+v", m)
			return last
		case m.Resumed != nil:
			since = max(since, m.Resumed["TICKS"])
		case m.Heartbeat > 0:
			since = max(since, m.seqs()["TICKS"])
		case m.Subject != "":
			since = m.seq()
			*got = append(*got, since)
		}
	}
	return since
}

// TestGone asks for what the stream has no more, or never had.
func TestGone(t *testing.T) {
	g := newRig(t, nil)
	var last uint64
	for i := range 10 {
		last = g.put(t, g.tick("A", float64(i), 0))
	}
	g.feed.expire("TICKS", 8)
	for since, want := range map[uint64]string{2: "gone", 6: "gone", 7: "resumed", 999: "gone"} {
		c := g.dial(t)
		c.send(fmt.Sprintf(`{"subscribe":["ticks.A"],"since":{"TICKS":%d}}`, since))
		c.any()
		m := c.any()
		if want == "resumed" {
			for seq := uint64(9); seq <= last; seq += 2 {
				if m.seq() != seq {
					t.Fatalf("since %d: %+v, want %d", since, m, seq)
				}
				m = c.any()
			}
			if m.Resumed["TICKS"] != last {
				t.Errorf("since %d: %+v", since, m)
			}
			continue
		}
		if gone := m.Gone["TICKS"]; gone.Since != since || gone.First != 8 || gone.Last != last+1 {
			t.Errorf("since %d: %+v", since, m)
		}
		if s, d := c.any(), c.any(); s.Snapshot != true || s.seq() != last || !d.done() {
			t.Errorf("since %d: then %+v %+v", since, s, d)
		}
	}
}

// TestTooFar refuses what would take too long, and says what to ask instead.
func TestTooFar(t *testing.T) {
	g := newRig(t, func(_ *Config, h *hub) { h.replay.most = 10 })
	for i := range 20 {
		g.put(t, g.tick("A", float64(i), 0))
	}
	c := g.dial(t)
	c.send(`{"subscribe":["ticks.A"],"since":{"TICKS":3}}`)
	if m := c.next(); m.Error == nil || m.Error.Code != codeTooFar || !strings.Contains(m.Error.Message, "GET /api") {
		t.Errorf("got %+v", m)
	}
	c.send(`{"subscribe":["ticks.A"],"since":{"TICKS":30}}`)
	if a, b := c.next(), c.next(); len(a.Subscribed) != 1 || b.seq() != 31 || b.Snapshot != nil {
		t.Errorf("got %+v %+v", a, b)
	}
}

// TestResumeBesideLive resumes some subjects of a session that has others live,
// takes subjects away meanwhile, and goes on where the feed fails.
func TestResumeBesideLive(t *testing.T) {
	g := newRig(t, func(_ *Config, h *hub) { h.replay.chunk = 1000 })
	for i := range 500 {
		g.feed.put(g.tick([]string{"A", "B", "C"}[i%3], float64(i+1), 100))
	}
	g.taken(t, 999, "TICKS")
	c := g.dial(t)
	c.subscribe("ticks.A")
	g.feed.mu.Lock()
	g.feed.err = errors.New("connection reset")
	g.feed.mu.Unlock()
	c.send(`{"subscribe":["ticks.B","ticks.C","ticks.A"],"since":{"TICKS":100}}`)
	c.send(`{"subscribe":["ticks.*"],"since":{"TICKS":100}}`)
	c.send(`{"unsubscribe":["ticks.B","ticks.C","ticks.*"]}`)
	c.send(`{"subscribe":["ticks.*"],"since":{"TICKS":900}}`)
	eventually(t, "the feed is asked", func() bool { g.feed.mu.Lock(); defer g.feed.mu.Unlock(); return g.feed.ranges > 3 })
	g.feed.mu.Lock()
	g.feed.err = nil
	g.feed.mu.Unlock()
	seen, count := map[string]uint64{}, 0
	for resumed := 0; resumed < 2; {
		m := c.next()
		if m.Resumed != nil {
			resumed++
		}
		if m.Subject == "" || m.Snapshot != nil {
			continue
		}
		if count++; m.seq() <= seen[m.Subject] {
			t.Fatalf("%s: %d after %d", m.Subject, m.seq(), seen[m.Subject])
		}
		seen[m.Subject] = m.seq()
	}
	// All of A since 100 and the last 50 of B and C, with A's once.
	if count < 150+33 || count > 150+34 {
		t.Errorf("%d messages", count)
	}
}

// TestRebuilt follows a stream that was made anew: its sequences count again.
func TestRebuilt(t *testing.T) {
	h, s := newHub(newMetrics()), newSession(nil)
	h.join(s)
	h.receive(s, []byte(`{"subscribe":["ticks.*"]}`))
	for i := range 2 {
		m := new(maker).tick("A", float64(i+1), 0)
		m.Sequence = uint64(9 - i)
		h.seed(kindTicks, []streamflow.Message{m}, m.Sequence, time.Now())
	}
	got := decodeFrame(t, join(nil, h.take(s, nil, 100, time.Now(), true)))
	// subscribed, rebuilt, the newest once, and the end of the snapshot
	if len(got) != 4 || got[1].Rebuilt["TICKS"] != 8 || got[3].seq()+got[2].seq() != 8 {
		t.Errorf("got %+v", got)
	}
}

// TestResumeFromTheBeginning goes on behind 0: of an empty stream, and of one
// that has its first message then.
func TestResumeFromTheBeginning(t *testing.T) {
	g := newRig(t, nil)
	c := g.dial(t)
	c.send(`{"subscribe":["alerts.>"]}`)
	c.next()
	if m := c.any(); !m.done() || m.seqs()["ALERTS"] != 0 || len(m.seqs()) != 1 {
		t.Errorf("got %+v", m)
	}
	c.send(`{"subscribe":["alerts.>"],"since":{"ALERTS":0}}`)
	c.next()
	if m := c.any(); m.Resumed == nil {
		t.Errorf("got %+v", m)
	}
	n := g.put(t, g.result("alerts.A", "{}", true))
	if m := c.any(); m.seq() != n || m.Snapshot != nil {
		t.Errorf("got %+v", m)
	}
	d := g.dial(t)
	d.send(`{"subscribe":["alerts.A"],"since":{"ALERTS":0}}`)
	if a, b, c := d.any(), d.any(), d.any(); len(a.Subscribed) != 1 || b.seq() != n || b.Snapshot != nil || c.Resumed["ALERTS"] != n {
		t.Errorf("got %+v %+v %+v", a, b, c)
	}
}
