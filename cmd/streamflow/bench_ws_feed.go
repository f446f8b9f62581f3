package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"streamflow"
)

// benchFeed is a stream of ticks in memory: what is measured is the websocket.
type benchFeed struct {
	mu      sync.Mutex
	changed chan struct{}
	log     []streamflow.Message
	newest  map[string]uint64 // by subject
	symbols []string
}

func newBenchFeed(symbols int) *benchFeed {
	return &benchFeed{changed: make(chan struct{}), newest: make(map[string]uint64), symbols: benchSymbols(symbols)}
}

// send makes ticks at a steady rate.
func (f *benchFeed) send(ctx context.Context, rate int, d time.Duration) error {
	ticker := time.NewTicker(slice)
	defer ticker.Stop()
	for began, n := time.Now(), 0; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		since := min(time.Since(began), d)
		due := int(since.Seconds() * float64(rate))
		f.put(due - n)
		if n = due; since == d {
			return nil
		}
	}
}

func (f *benchFeed) put(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	hops := string(streamflow.AppendHop(nil, streamflow.HopKafka, now))
	for range n {
		sequence := uint64(len(f.log) + 1)
		symbol := f.symbols[int(sequence)%len(f.symbols)]
		t := streamflow.Tick{Symbol: symbol, Price: 100 + float64(sequence%1000)/100, Volume: 100, Time: now}
		m := streamflow.Message{
			Subject: streamflow.TickSubject(symbol), Data: t.AppendJSON(nil), Sequence: sequence, Stored: now, Hops: hops,
			Position: streamflow.Position{Topic: streamflow.TopicTicks, Offset: int64(sequence)},
		}
		f.log = append(f.log, m)
		f.newest[m.Subject] = sequence
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *benchFeed) last() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return uint64(len(f.log))
}

// Snapshot implements [live.Feed].
func (f *benchFeed) Snapshot(context.Context, string, string) ([]streamflow.Message, uint64, error) {
	return nil, 0, nil
}

// Bounds implements [live.Feed].
func (f *benchFeed) Bounds(context.Context, string) (first, last uint64, err error) {
	return 1, f.last(), nil
}

// Range implements [live.Feed].
func (f *benchFeed) Range(context.Context, string, string, uint64, uint64, func([]streamflow.Message) error) error {
	return fmt.Errorf("the benchmark does not resume")
}

// Follow implements [live.Feed].
func (f *benchFeed) Follow(ctx context.Context, _ string, after uint64, fn func([]streamflow.Message) error) error {
	for {
		f.mu.Lock()
		batch, changed := f.log[after:len(f.log):len(f.log)], f.changed
		f.mu.Unlock()
		if len(batch) == 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-changed:
			}
			continue
		}
		if err := fn(batch); err != nil {
			return err
		}
		after += uint64(len(batch))
	}
}
