package api

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"streamflow"
)

// TestOutboxAgainstModel publishes, subscribes, unsubscribes and takes frames
// at random, and checks the promises: per subject in order, nothing twice, what
// is wanted arrives or is told as dropped, and the newest always arrives.
func TestOutboxAgainstModel(t *testing.T) {
	for seed := range uint64(8) {
		outboxAgainstModel(t, rand.New(rand.NewPCG(seed, 2)))
	}
}

func outboxAgainstModel(t *testing.T, r *rand.Rand) {
	h, s := newHub(newWSMetrics()), newSession()
	h.join(s)
	all, _ := parsePattern("ticks.*")
	one, _ := parsePattern("ticks.S1")
	h.change(s, request{subscribe: []pattern{all, one}})
	var k maker
	pad := fmt.Appendf(nil, `"pad":%q`, strings.Repeat("x", 20_000))
	var seq, due, got, dropped uint64
	newest, seen, now := map[string]uint64{}, map[string]uint64{}, time.Now()
	take := func() {
		waits, needsHub := s.state()
		if !waits {
			return
		}
		frame := join(nil, h.take(s, nil, needsHub))
		if len(frame) > maxFrame+30_000 {
			t.Fatalf("a frame of %d bytes", len(frame))
		}
		for _, m := range decodeFrame(t, frame) {
			dropped += m.Dropped
			if m.Subject == "" {
				continue
			}
			if m.Seq <= seen[m.Subject] {
				t.Fatalf("%s: %d after %d", m.Subject, m.Seq, seen[m.Subject])
			}
			seen[m.Subject] = m.Seq
			if !m.Snapshot {
				got++
			}
		}
	}
	for range 400 {
		switch r.IntN(6) {
		case 0:
			take()
		case 1:
			h.change(s, request{subscribe: []pattern{one}, unsubscribe: []pattern{one}}) // still wanted by the other
		default:
			var batch []streamflow.Mirrored
			for range r.IntN(5) {
				seq++
				due++
				m := k.tick(fmt.Sprintf("S%d", r.IntN(4)), 1, 1, now)
				m.Sequence, m.Tick.Extra = seq, pad
				newest[streamflow.TickSubject(m.Tick.Symbol)] = seq
				batch = append(batch, m)
			}
			h.publish(batch, now)
		}
		if s.bytes > maxPending {
			t.Fatalf("%d bytes wait", s.bytes)
		}
	}
	for waits := true; waits; waits, _ = s.state() {
		take()
	}
	if got+dropped != due || fmt.Sprint(seen) != fmt.Sprint(newest) || s.bytes != 0 || s.answer != 0 || s.total() != dropped {
		t.Fatalf("got %d, dropped %d of %d; newest %v, want %v; %d bytes left", got, dropped, due, seen, newest, s.bytes)
	}
}

// TestUnreadAnswersEndTheSession bounds what a client can make us keep.
func TestUnreadAnswersEndTheSession(t *testing.T) {
	h, s := newHub(newWSMetrics()), newSession()
	h.join(s)
	subjects := make([]string, maxSubscriptions)
	for i := range subjects {
		subjects[i] = "ticks.A" + strings.Repeat("B", 28)
	}
	text, _ := json.Marshal(map[string]any{"subscribe": subjects})
	for range 20 {
		h.receive(s, text)
	}
	if s.why.Load() != "abuse" {
		t.Errorf("%d bytes of answers wait, and the session goes on", s.answer)
	}
}

// TestRebuiltStreamIsNews seeds a hub again, as after a rebuild of the stream.
func TestRebuiltStreamIsNews(t *testing.T) {
	h, s := newHub(newWSMetrics()), newSession()
	h.join(s)
	h.receive(s, []byte(`{"subscribe":["ticks.*"]}`))
	for i, price := range []float64{1, 2} {
		m := new(maker).tick("A", price, 1, time.Now())
		m.Sequence = uint64(9 - i)
		h.seed([]streamflow.Mirrored{m}, time.Now())
	}
	got := decodeFrame(t, join(nil, h.take(s, nil, true)))
	if len(got) != 2 || got[1].Seq != 8 || !got[1].Snapshot {
		t.Errorf("got %+v, want the newest once", got)
	}
}
