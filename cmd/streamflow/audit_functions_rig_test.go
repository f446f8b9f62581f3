//go:build unix

package main

import (
	"context"
	"hash/fnv"
	"log/slog"
	"sync"
	"testing"
	"time"

	"streamflow"
	"streamflow/infra/jetstream"
)

// tickFeed writes the ticks of a quick market into TICKS as the bridge would,
// for audits that need no Kafka.
type tickFeed struct {
	t       *testing.T
	js      *jetstream.Client
	market  *quickMarket
	cursors [streamflow.TickPartitions]streamflow.Cursor
	stop    context.CancelFunc
	done    chan struct{}

	mu   sync.Mutex
	sent []streamflow.Message // in the order of each partition
}

// feedTicks makes the streams on the server of w and writes to TICKS at a rate.
func (w *world) feedTicks(seed uint64, rate int) *tickFeed {
	w.t.Helper()
	js, err := jetstream.Connect("nats://"+w.nats, "feed", slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(js.Close)
	limits := jetstream.DefaultLimits
	limits.Functions = writers()
	if _, err := js.Ensure(w.t.Context(), limits); err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	f := &tickFeed{t: w.t, js: js, market: newQuickMarket(seed), stop: stop, done: make(chan struct{})}
	for i := range f.cursors {
		f.cursors[i] = streamflow.Start
	}
	w.t.Cleanup(f.finish)
	go f.run(ctx, rate)
	return f
}

func (f *tickFeed) run(ctx context.Context, rate int) {
	defer close(f.done)
	ticks := []streamflow.Tick{f.market.silent()}
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for sent := 0; ctx.Err() == nil; {
		for ; float64(sent) < time.Since(f.market.began).Seconds()*float64(rate); sent++ {
			ticks = append(ticks, f.market.tick())
		}
		if err := f.store(ticks); err != nil {
			f.t.Errorf("the feed: %v", err)
			return
		}
		ticks = ticks[:0]
		select {
		case <-ctx.Done():
		case <-look.C:
		}
	}
}

// store commits ticks, each to the partition of its symbol.
func (f *tickFeed) store(ticks []streamflow.Tick) error {
	var parts [streamflow.TickPartitions][]streamflow.Message
	now := time.Now()
	for _, t := range ticks {
		h := fnv.New32()
		_, _ = h.Write([]byte(t.Symbol))
		n := h.Sum32() % streamflow.TickPartitions
		cur := &f.cursors[n]
		parts[n] = append(parts[n], streamflow.Message{
			Subject: streamflow.TickSubject(t.Symbol), Data: t.AppendJSON(nil), Previous: cur.Last,
			Position: streamflow.Position{Topic: streamflow.TopicTicks, Partition: int32(n), Offset: cur.Next},
			Hops:     string(streamflow.AppendHop(nil, streamflow.HopKafka, now)),
		})
		cur.Next, cur.Last = cur.Next+1, cur.Next
	}
	for n, messages := range parts {
		if len(messages) == 0 {
			continue
		}
		p := streamflow.Partition{Topic: streamflow.TopicTicks, Number: int32(n)}
		fence, err := f.js.Ticks().Commit(context.Background(), p, messages, f.cursors[n])
		if err != nil {
			return err
		}
		f.cursors[n].Fence = fence
		f.mu.Lock()
		f.sent = append(f.sent, messages...)
		f.mu.Unlock()
	}
	return nil
}

// finish ends the feed; sent is what it has written from then on.
func (f *tickFeed) finish() {
	f.stop()
	<-f.done
}

// asUndisturbed waits until what the functions have published is what an
// undisturbed run does with all that was sent.
func (w *world) asUndisturbed(f *tickFeed) (all factsOfAll, want *wanted, repeated map[string]int) {
	w.t.Helper()
	f.finish()
	want = undisturbed(w.t, f.sent)
	var wrong *faults
	w.await("all is as in an undisturbed run", 4*time.Minute, func() bool {
		all = w.allFacts()
		wrong, _, repeated = all.compare(w.t, want)
		return wrong.n == 0
	}, func() string { return wrong.String() })
	return all, want, repeated
}
