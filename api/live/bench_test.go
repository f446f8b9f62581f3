package live

import (
	"fmt"
	"testing"
	"time"

	"streamflow"
)

// benchBatch makes one tick for each of n symbols.
func benchBatch(n int) []streamflow.Message {
	var k maker
	batch := make([]streamflow.Message, n)
	for i := range batch {
		batch[i] = k.tick(fmt.Sprintf("SYM%d", i), 100+float64(i)/100, 0)
	}
	return batch
}

// drain takes what waits in the outboxes, as the pumps would.
func drain(h *hub, sessions []*session, parts []part) []part {
	for _, s := range sessions {
		for {
			waits, needsHub, _ := s.state(time.Now())
			if !waits {
				break
			}
			parts = h.take(s, parts[:0], 1<<20, time.Now(), needsHub)
			frame := join((*frames.Get().(*[]byte))[:0], parts)
			frames.Put(&frame)
		}
	}
	return parts
}

// BenchmarkPublish measures one tick through the hub, 500 symbols: with no
// session; with one and a hundred that want all, every one or the newest; with
// a hundred that want one symbol each; with a thousand that want none.
func BenchmarkPublish(b *testing.B) {
	for _, c := range []struct {
		name, pattern string
		sessions      int
		class         class
	}{
		{"sessions=0", "", 0, classAll}, {"sessions=1/all", "ticks.>", 1, classAll}, {"sessions=100/all", "ticks.>", 100, classAll},
		{"sessions=100/latest", "ticks.>", 100, classLatest}, {"sessions=100/one_symbol", "ticks.SYM%d", 100, classAll},
		{"sessions=1000/others", "candles.1m.S%d", 1000, classAll},
	} {
		b.Run(c.name, func(b *testing.B) {
			h, batch := newHub(newMetrics()), benchBatch(500)
			var sessions []*session
			for i := range c.sessions {
				text := c.pattern
				if text[len(text)-1] == 'd' {
					text = fmt.Sprintf(text, i)
				}
				p, err := parsePattern(text)
				if err != nil {
					b.Fatal(err)
				}
				s := newSession(nil)
				h.join(s)
				_, _ = h.change(s, &request{subscribe: []pattern{p}, class: c.class})
				sessions = append(sessions, s)
			}
			parts, seq := drain(h, sessions, nil), uint64(0)
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += len(batch) {
				for i := range batch {
					seq++
					batch[i].Sequence = seq
				}
				h.publish(kindTicks, batch, time.Now())
				parts = drain(h, sessions, parts)
			}
		})
	}
}
