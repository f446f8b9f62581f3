package live

import (
	"fmt"
	"testing"
	"time"

	"streamflow"
)

// TestBurstIsNotDropped brings sessions that were asleep for two seconds of a
// busy stream all of it at once: each gets every message. What all of them
// borrowed for that stays bounded, and is given back.
func TestBurstIsNotDropped(t *testing.T) {
	h := newHub(newMetrics())
	var sessions []*session
	for range 8 {
		s := newSession(nil)
		h.join(s)
		s.batched.Store(true)
		h.receive(s, []byte(`{"subscribe":["ticks.*"]}`))
		sessions = append(sessions, s)
	}
	const total = 10_000
	var k maker
	seq := uint64(0)
	burst := func(n int) {
		batch := make([]streamflow.Message, n)
		for i := range batch {
			seq++
			batch[i] = k.tick(fmt.Sprintf("S%d", i%500), 1, 200)
			batch[i].Sequence = seq
		}
		h.publish(kindTicks, batch, time.Now())
	}
	burst(total)
	if lent := h.shared.lent.Load(); lent == 0 || lent > sharedRoom {
		t.Errorf("%d bytes are lent", lent)
	}
	for _, s := range sessions {
		got, last := 0, uint64(0)
		for waits, needsHub, _ := s.state(time.Now()); waits; waits, needsHub, _ = s.state(time.Now()) {
			for _, m := range decodeFrame(t, join(nil, h.take(s, nil, 1<<20, time.Now(), needsHub))) {
				if m.Subject == "" {
					continue
				}
				if m.seq() != last+1 {
					t.Fatalf("%d after %d", m.seq(), last)
				}
				got, last = got+1, m.seq()
			}
		}
		if dropped, _ := s.counts(); got != total || dropped != 0 {
			t.Errorf("got %d of %d, %d dropped", got, total, dropped)
		}
	}
	if lent := h.shared.lent.Load(); lent != 0 {
		t.Errorf("%d bytes are lent to sessions for which nothing waits", lent)
	}
	burst(total)
	for _, s := range sessions {
		h.leave(s)
	}
	if lent := h.shared.lent.Load(); lent != 0 {
		t.Errorf("%d bytes are lent to sessions that are gone", lent)
	}
}

// TestRoomIsShared lets one session have no more than its part, and all
// together no more than there is.
func TestRoomIsShared(t *testing.T) {
	shared := &lender{most: sharedRoom}
	rooms := make([]room, 10)
	for i := range rooms {
		rooms[i].lender = shared
		if n := mostRoom; i < 8 && !rooms[i].holds(n) || rooms[i].holds(n+1) {
			t.Errorf("session %d cannot have %d bytes, or more", i, n)
		}
	}
	if !rooms[9].holds(ownRoom) || rooms[9].holds(mostRoom) {
		t.Error("the last has no room of its own, or some of the others'")
	}
	rooms[0].giveBack()
	if !rooms[9].holds(mostRoom) {
		t.Error("what was given back is not lent again")
	}
}
