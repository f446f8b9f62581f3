package api

import (
	"fmt"
	"testing"
	"time"

	"streamflow"
)

// benchBatch makes one tick for each of n symbols.
func benchBatch(n int) []streamflow.Mirrored {
	var k maker
	batch := make([]streamflow.Mirrored, n)
	for i := range batch {
		batch[i] = k.tick(fmt.Sprintf("SYM%d", i), 100+float64(i)/100, 10, time.Unix(1_763_690_000, int64(i)*1e6))
		batch[i].Sequence = uint64(i + 1)
	}
	return batch
}

// drain takes what waits in the outboxes, as the pumps would.
func drain(h *hub, sessions []*session, parts []part) []part {
	for _, s := range sessions {
		for {
			waits, needsHub := s.state()
			if !waits {
				break
			}
			parts = h.take(s, parts[:0], needsHub)
			frame := join((*frames.Get().(*[]byte))[:0], parts)
			frames.Put(&frame)
		}
	}
	return parts
}

// BenchmarkPublish measures one tick through the hub, 500 symbols: with no
// session; with one and a hundred that want all; with a hundred that want one
// symbol each.
func BenchmarkPublish(b *testing.B) {
	all, _ := parsePattern("ticks.>")
	for _, c := range []struct {
		name     string
		sessions int
		one      bool
	}{{"sessions=0", 0, false}, {"sessions=1/all", 1, false}, {"sessions=100/all", 100, false}, {"sessions=100/one_symbol", 100, true}} {
		b.Run(c.name, func(b *testing.B) {
			h, batch := newHub(newWSMetrics()), benchBatch(500)
			h.seed(batch, time.Now())
			var sessions []*session
			for i := range c.sessions {
				p := all
				if c.one {
					p, _ = parsePattern(fmt.Sprintf("ticks.SYM%d", i))
				}
				s := newSession()
				h.join(s)
				h.change(s, request{subscribe: []pattern{p}})
				sessions = append(sessions, s)
			}
			parts := drain(h, sessions, nil)
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += len(batch) {
				h.publish(batch, time.Now())
				parts = drain(h, sessions, parts)
			}
		})
	}
}

// BenchmarkBoard measures one tick on the board, 500 symbols.
func BenchmarkBoard(b *testing.B) {
	board, batch := newBoard(), benchBatch(500)
	board.seed(batch)
	board.days = true
	b.ReportAllocs()
	for n := 0; n < b.N; n += len(batch) {
		for i := range batch {
			batch[i].Position.Offset += 1000
		}
		board.apply(batch)
	}
}
