package live

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
	for seed := range uint64(4) {
		outboxAgainstModel(t, rand.New(rand.NewPCG(seed, 2)))
	}
}

func outboxAgainstModel(t *testing.T, r *rand.Rand) {
	h, s := newHub(newMetrics()), newSession(nil)
	h.shared.most = r.Int64N(3) * roomStep
	h.join(s)
	s.batched.Store(true)
	all, _ := parsePattern("ticks.*")
	one, _ := parsePattern("ticks.S1")
	change := func(r request) {
		r.class = classAll
		if _, err := h.change(s, &r); err != nil {
			t.Fatal(err)
		}
	}
	change(request{subscribe: []pattern{all, one}})
	var k maker
	var seq, due, got, dropped uint64
	newest, seen := map[string]uint64{}, map[string]uint64{}
	take := func() {
		waits, needsHub, _ := s.state(time.Now())
		if !waits {
			return
		}
		frame := join(nil, h.take(s, nil, 1<<20, time.Now(), needsHub))
		if len(frame) > maxFrame+30_000 {
			t.Fatalf("a frame of %d bytes", len(frame))
		}
		for _, m := range decodeFrame(t, frame) {
			dropped += m.Dropped
			if m.Subject == "" {
				continue
			}
			if m.seq() <= seen[m.Subject] {
				t.Fatalf("%s: %d after %d", m.Subject, m.seq(), seen[m.Subject])
			}
			seen[m.Subject] = m.seq()
			if m.Snapshot == nil {
				got++
			}
		}
	}
	for range 400 {
		switch r.IntN(6) {
		case 0:
			take()
		case 1:
			change(request{subscribe: []pattern{one}, unsubscribe: []pattern{one}}) // still wanted by the other
		default:
			var batch []streamflow.Message
			for range r.IntN(5) {
				seq++
				due++
				m := k.tick(fmt.Sprintf("S%d", r.IntN(4)), 1, 20_000)
				m.Sequence = seq
				newest[m.Subject] = seq
				batch = append(batch, m)
			}
			h.publish(kindTicks, batch, time.Now())
		}
		if int64(s.bytes) > ownRoom+h.shared.most || h.shared.lent.Load() > h.shared.most {
			t.Fatalf("%d bytes wait", s.bytes)
		}
	}
	for waits := true; waits; waits, _, _ = s.state(time.Now()) {
		take()
	}
	if total, _ := s.counts(); got+dropped != due || fmt.Sprint(seen) != fmt.Sprint(newest) || s.bytes != 0 || s.answer != 0 || h.shared.lent.Load() != 0 || total != dropped {
		t.Fatalf("got %d, dropped %d of %d; newest %v, want %v; %d bytes left", got, dropped, due, seen, newest, s.bytes)
	}
}

// TestUnreadAnswersEndTheSession bounds what a client can make us keep.
func TestUnreadAnswersEndTheSession(t *testing.T) {
	h, s := newHub(newMetrics()), newSession(nil)
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

// TestMemoryIsBounded forgets the subjects that were silent for longest.
func TestMemoryIsBounded(t *testing.T) {
	h, s := newHub(newMetrics()), newSession(nil)
	h.memory.most = 100
	h.join(s)
	var k maker
	for i := range 1000 {
		m := k.result(streamflow.LetterSubject("candles", streamflow.Position{Topic: "t", Offset: int64(i)}), "x", true)
		m.Sequence = uint64(i + 1)
		h.publish(kindDeadLetters, []streamflow.Message{m}, time.Now())
	}
	h.receive(s, []byte(`{"subscribe":["dlq.>"]}`))
	if len(s.marked) != 101 || len(h.memory.byName) != 100 || h.memory.bytes > 100*1000 {
		t.Errorf("%d are in the snapshot, %d in memory with %d bytes", len(s.marked), len(h.memory.byName), h.memory.bytes)
	}
	h.memory.mostBytes = 0
	m := k.result("alerts.A", "{}", true)
	m.Sequence = 1
	h.publish(kindOf("alerts.A"), []streamflow.Message{m}, time.Now())
	if len(h.memory.byName) != 1 || len(h.index.top.kids) != 2 { // "alerts", and "dlq" of the pattern
		t.Errorf("%d are in memory, %v in the index", len(h.memory.byName), h.index.top.kids)
	}
}

// TestPace holds a client back that asks for everything again and again.
func TestPace(t *testing.T) {
	var p pace
	now := time.Now()
	if w := p.wait(maxSubjects, now); w != 0 {
		t.Errorf("the first waits %s", w)
	}
	for range 5 {
		p.wait(maxSubjects, now)
	}
	if w := p.wait(maxSubjects, now); w < 100*time.Millisecond {
		t.Errorf("the last waits %s", w)
	}
	if w := p.wait(10, now.Add(time.Minute)); w != 0 {
		t.Errorf("later it waits %s", w)
	}
}
