package live

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"streamflow"
	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
)

// TestReconnectJetStream is [TestReconnect] with a real JetStream: batches of
// the bridge with their cursors, and clients that are cut off at random.
func TestReconnectJetStream(t *testing.T) {
	n, err := embedded.StartNATS(embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	js, err := jetstream.Connect(n.URL(), t.Name(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(js.Close)
	if _, err := js.Ensure(t.Context(), jetstream.DefaultLimits); err != nil {
		t.Fatal(err)
	}
	g := newRig(t, func(c *Config, h *hub) {
		c.Feed, c.Streams = js, []string{streamflow.StreamTicks}
		h.heartbeat, h.replay.chunk = 10*time.Millisecond, 20_000
	})
	first, _ := g.Last(streamflow.StreamTicks)
	const total = 1500
	p := streamflow.Partition{Topic: streamflow.TopicTicks, Number: 1}
	var wg sync.WaitGroup
	produced := make(chan struct{})
	wg.Go(func() {
		defer close(produced)
		for cur := streamflow.Start; cur.Next < total; {
			var batch []streamflow.Message
			for range min(1+rand.IntN(60), int(total-cur.Next)) {
				m := g.tick(string(rune('A'+rand.IntN(4))), 1, 50)
				m.Position.Offset, m.Previous = cur.Next, cur.Last
				cur.Next, cur.Last = cur.Next+1, cur.Next
				batch = append(batch, m)
			}
			fence, err := js.Ticks().Commit(t.Context(), p, batch, cur)
			if err != nil {
				t.Error(err)
				return
			}
			cur.Fence = fence
		}
	})
	// All that is asked of a client is that it ends with the stream.
	sequences := func(filter string) (found []uint64) {
		_, last, _ := js.Bounds(t.Context(), streamflow.StreamTicks)
		err := js.Range(t.Context(), streamflow.StreamTicks, filter, first, last, func(batch []streamflow.Message) error {
			for _, m := range batch {
				found = append(found, m.Sequence)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		return found
	}
	got := make([][]uint64, 4)
	for i := range got {
		wg.Go(func() {
			filter := []string{"ticks.>", "ticks.A"}[i%2]
			r, since := rand.New(rand.NewPCG(uint64(i), 5)), first
			for {
				since = g.session(t, []string{filter}, since, r.IntN(400), 1<<62, &got[i], i < 2)
				select {
				case <-produced:
				default:
					continue
				}
				all := sequences(filter)
				if len(got[i]) < len(all) && !t.Failed() {
					continue
				}
				if fmt.Sprint(got[i]) != fmt.Sprint(all) {
					t.Errorf("client %d: got %d messages, want %d", i, len(got[i]), len(all))
				}
				return
			}
		})
	}
	wg.Wait()
}
