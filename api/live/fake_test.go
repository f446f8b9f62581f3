package live

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"streamflow"
)

// fakeFeed is streams in memory. It keeps the promises of [Feed], and breaks
// what it has lent as soon as the call that it was lent to is over.
type fakeFeed struct {
	mu      sync.Mutex
	changed chan struct{}
	streams map[string]*fakeStream
	err     error // of Snapshot, Range and Bounds
	ranges  int   // calls
}

type fakeStream struct {
	log         []streamflow.Message
	first, last uint64
}

func newFakeFeed() *fakeFeed {
	f := &fakeFeed{changed: make(chan struct{}), streams: make(map[string]*fakeStream)}
	for _, k := range kinds[:kindPipeline] {
		f.streams[k.stream] = &fakeStream{first: 1}
	}
	return f
}

// put stores messages, each in the stream of its subject, and behind them, as
// the bridge does, a cursor. It returns the last one's sequence.
func (f *fakeFeed) put(messages ...streamflow.Message) (sequence uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var s *fakeStream
	for _, m := range messages {
		s = f.streams[kinds[kindOf(m.Subject)].stream]
		s.last++
		m.Sequence = s.last
		s.log = append(s.log, m)
		sequence = m.Sequence
	}
	s.last++
	close(f.changed)
	f.changed = make(chan struct{})
	return sequence
}

// expire deletes what stands before a sequence.
func (f *fakeFeed) expire(stream string, first uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.streams[stream]
	s.first = first
	s.log = slices.DeleteFunc(s.log, func(m streamflow.Message) bool { return m.Sequence < first })
}

func (f *fakeFeed) Snapshot(_ context.Context, stream, filter string) ([]streamflow.Message, uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.streams[stream]
	bySubject := map[string]streamflow.Message{}
	for _, m := range s.log {
		if strings.HasPrefix(m.Subject, strings.TrimSuffix(filter, ">")) {
			bySubject[m.Subject] = m
		}
	}
	var newest []streamflow.Message
	for _, m := range bySubject {
		newest = append(newest, m)
	}
	return newest, s.last, f.err
}

func (f *fakeFeed) Bounds(_ context.Context, stream string) (first, last uint64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.streams[stream].first, f.streams[stream].last, f.err
}

// lend calls fn with some messages of a batch, and breaks them after.
func lend(log []streamflow.Message, fn func([]streamflow.Message) error) error {
	batch := slices.Clone(log)
	for i := range batch {
		batch[i].Data = slices.Clone(batch[i].Data)
	}
	err := fn(batch)
	for i := range batch {
		clear(batch[i].Data)
		batch[i] = streamflow.Message{}
	}
	return err
}

func (f *fakeFeed) Range(_ context.Context, stream, filter string, after, upTo uint64, fn func([]streamflow.Message) error) error {
	f.mu.Lock()
	p, err := parsePattern(filter)
	if err != nil {
		panic(err)
	}
	var found []streamflow.Message
	for _, m := range f.streams[stream].log {
		if m.Sequence > after && m.Sequence <= upTo && p.matches(m.Subject) {
			found = append(found, m)
		}
	}
	f.ranges++
	err = f.err
	f.mu.Unlock()
	for batch := range slices.Chunk(found, 37) {
		if err := lend(batch, fn); err != nil {
			return err
		}
	}
	return err
}

func (f *fakeFeed) Follow(ctx context.Context, stream string, after uint64, fn func([]streamflow.Message) error) error {
	for {
		f.mu.Lock()
		log := f.streams[stream].log
		i, _ := slices.BinarySearchFunc(log, after+1, func(m streamflow.Message, s uint64) int { return int(m.Sequence) - int(s) })
		n := min(len(log)-i, 1+rand.IntN(50))
		batch, changed := log[i:i+n:i+n], f.changed
		f.mu.Unlock()
		if n == 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-changed:
				continue
			}
		}
		after = batch[n-1].Sequence
		if err := lend(batch, fn); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// maker makes messages with positions that follow each other.
type maker struct{ offset int64 }

// tick makes a tick with so many bytes of padding.
func (k *maker) tick(symbol string, price float64, pad int) streamflow.Message {
	k.offset++
	at := time.Now()
	t := streamflow.Tick{Symbol: symbol, Price: price, Volume: 1, Time: at.UTC(), Extra: fmt.Appendf(nil, `"n":%d,"pad":%q`, k.offset, strings.Repeat("x", pad))}
	p := streamflow.Position{Topic: streamflow.TopicTicks, Partition: 1, Offset: k.offset}
	hops := streamflow.AppendHop(streamflow.AppendHop(nil, streamflow.HopKafka, at), streamflow.HopBridge, at.Add(time.Millisecond))
	return streamflow.Message{
		Subject: streamflow.TickSubject(symbol), Data: t.AppendJSON(nil), Position: p, Previous: k.offset - 1, Hops: string(hops), Stored: at.Add(2 * time.Millisecond),
	}
}

// result makes a fact, or else a view.
func (k *maker) result(subject, data string, fact bool) streamflow.Message {
	k.offset++
	m := streamflow.Message{
		Subject: subject, Data: []byte(data), Cause: streamflow.Position{Topic: streamflow.TopicTicks, Partition: 1, Offset: k.offset},
		Hops: string(streamflow.AppendHop(nil, "candles", time.Now())), Stored: time.Now(),
	}
	if fact {
		m.Position = streamflow.Position{Topic: "candles.x", Offset: k.offset}
	}
	return m
}
