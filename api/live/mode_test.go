package live

import (
	"testing"
	"time"
)

// TestLatest gets the newest of each subject, in order, and never an old one
// after it.
func TestLatest(t *testing.T) {
	g := newRig(t, nil)
	c := g.dial(t)
	c.send(`{"subscribe":["ticks.>"],"mode":"latest"}`)
	c.next()
	last := uint64(0)
	for i := range 2000 {
		last = g.feed.put(g.tick(string(rune('A'+i%4)), float64(i+1), 10_000))
	}
	g.taken(t, last, "TICKS")
	seen, got := map[string]uint64{}, 0
	for seen["ticks.D"] != last || seen["ticks.C"] != last-2 || seen["ticks.B"] != last-4 || seen["ticks.A"] != last-6 {
		m := c.next()
		if m.Dropped != 0 {
			t.Errorf("told of %d dropped; they were conflated as it asked", m.Dropped)
		}
		if m.seq() <= seen[m.Subject] {
			t.Fatalf("%s: %d after %d", m.Subject, m.seq(), seen[m.Subject])
		}
		seen[m.Subject] = m.seq()
		got++
	}
	_ = c.conn.Close()
	eventually(t, "the session is gone", func() bool { return g.metric(t, "streamflow_ws_sessions", "") == 0 })
	if n := int(g.metric(t, "streamflow_ws_messages_conflated_total", "")); n+got != 2000 {
		t.Errorf("got %d, %d conflated, together not 2000", got, n)
	}
}

// TestMaxRate gets no more than it asked for, and the newest at the end; a
// subject that is also wanted in full comes in full.
func TestMaxRate(t *testing.T) {
	g := newRig(t, nil)
	c := g.dial(t)
	c.send(`{"subscribe":["ticks.*"],"maxRate":10}`)
	c.send(`{"subscribe":["ticks.B"]}`)
	c.next()
	c.next()
	began, last := time.Now(), uint64(0)
	for i := range 300 {
		g.feed.put(g.tick("A", float64(i+1), 0))
		last = g.feed.put(g.tick("B", float64(i+1), 0))
		time.Sleep(time.Millisecond)
	}
	var a, b int
	for lastA := uint64(0); lastA != last-2 || b != 300; {
		m := c.next()
		switch m.Subject {
		case "ticks.A":
			a, lastA = a+1, m.seq()
		case "ticks.B":
			b++
		}
	}
	if most := int(time.Since(began)/(100*time.Millisecond)) + 2; a > most || a < 2 {
		t.Errorf("%d messages at 10 a second within %s", a, time.Since(began))
	}
}

// TestModeChanges goes from one mode to the other without losing the newest.
func TestModeChanges(t *testing.T) {
	g := newRig(t, nil)
	c := g.dial(t)
	c.subscribe("ticks.A")
	for i, mode := range []string{`"mode":"latest"`, `"maxRate":0.01`, `"mode":"all"`, `"maxRate":0.02`, `"mode":"latest"`} {
		g.feed.put(g.tick("A", float64(2*i+1), 0))
		c.send(`{"subscribe":["ticks.A"],` + mode + `}`)
		last := g.feed.put(g.tick("A", float64(2*i+2), 0))
		for seen := uint64(0); seen != last; {
			m := c.next()
			if m.Subject == "" {
				continue
			}
			if m.seq() <= seen {
				t.Fatalf("%s: %d after %d", mode, m.seq(), seen)
			}
			seen = m.seq()
			if mode == `"maxRate":0.01` && seen == last-2 { // the second is held back
				break
			}
		}
	}
}

// TestBatch sends several messages to a frame only to those who asked.
func TestBatch(t *testing.T) {
	g := newRig(t, nil)
	for i := range 300 {
		g.feed.put(g.tick("S"+string(rune('A'+i/26))+string(rune('A'+i%26)), 1, 0))
	}
	g.taken(t, 599, "TICKS")
	for _, batch := range []bool{false, true} {
		c := g.dial(t)
		if batch {
			c.send(`{"batch":true}`)
			if m := c.next(); m.Batch == nil || !*m.Batch {
				t.Fatalf("got %+v", m)
			}
		}
		c.subscribe("ticks.*")
		for m := c.any(); !m.done(); m = c.any() {
		}
		if batch && (c.arrays == 0 || c.frames > 20) || !batch && (c.arrays != 0 || c.frames != 302) {
			t.Errorf("batch %v: %d frames, %d arrays", batch, c.frames, c.arrays)
		}
	}
}
