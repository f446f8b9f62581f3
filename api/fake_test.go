package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"streamflow"
)

// fakeFeed is a stream in memory. It keeps the promises of [Feed], and breaks
// what it has lent as soon as the call that it was lent to is over.
type fakeFeed struct {
	mu       sync.Mutex
	changed  chan struct{}
	log      []streamflow.Mirrored
	sequence uint64
	floor    uint64
	err      error // of Snapshot and Floor
}

func newFakeFeed() *fakeFeed { return &fakeFeed{changed: make(chan struct{})} }

func (f *fakeFeed) put(ticks ...streamflow.Mirrored) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range ticks {
		f.sequence++
		m.Sequence = f.sequence
		f.log = append(f.log, m)
	}
	f.sequence++ // the bridge's cursor
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fakeFeed) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// streamed is a tick as it stands in the stream.
func streamed(m streamflow.Mirrored) streamflow.Message {
	var hops []byte
	for _, h := range m.Hops {
		hops = streamflow.AppendHop(hops, h.Name, h.At)
	}
	return streamflow.Message{
		Subject: streamflow.TickSubject(m.Tick.Symbol), Data: m.Tick.AppendJSON(nil), Position: m.Position, Previous: m.Previous,
		Hops: string(hops), Sequence: m.Sequence, Stored: m.Stored,
	}
}

func (f *fakeFeed) Snapshot(_ context.Context, stream, _ string) ([]streamflow.Message, uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if stream != streamflow.StreamTicks {
		return nil, 0, f.err
	}
	bySymbol := map[string]streamflow.Mirrored{}
	for _, m := range f.log {
		bySymbol[m.Tick.Symbol] = m
	}
	var newest []streamflow.Message
	for _, m := range bySymbol {
		newest = append(newest, streamed(m))
	}
	return newest, f.sequence, f.err
}

func (f *fakeFeed) Range(context.Context, string, string, uint64, uint64, func([]streamflow.Message) error) error {
	return errors.New("not here: see package live")
}

func (f *fakeFeed) Bounds(context.Context, string) (first, last uint64, err error) {
	return 0, 0, errors.New("not here: see package live")
}

func (f *fakeFeed) Floor(context.Context) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.floor, f.err
}

func (f *fakeFeed) Follow(ctx context.Context, stream string, after uint64, fn func([]streamflow.Message) error) error {
	if stream != streamflow.StreamTicks {
		<-ctx.Done()
		return ctx.Err()
	}
	for {
		f.mu.Lock()
		i, _ := slices.BinarySearchFunc(f.log, after+1, func(m streamflow.Mirrored, s uint64) int { return cmp.Compare(m.Sequence, s) })
		n := min(len(f.log)-i, 1+rand.IntN(50))
		log, changed := slices.Clone(f.log[i:i+n]), f.changed
		f.mu.Unlock()
		if n == 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-changed:
				continue
			}
		}
		batch := make([]streamflow.Message, n)
		for i := range log {
			batch[i] = streamed(log[i])
		}
		after = batch[n-1].Sequence
		if err := fn(batch); err != nil {
			return err
		}
		for i := range batch {
			clear(batch[i].Data)
			batch[i] = streamflow.Message{}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// fakeStore is a database in memory.
type fakeStore struct {
	mu    sync.Mutex
	ticks []streamflow.Mirrored
	err   error
	days  int // calls
	last  TicksQuery
	wait  bool // until the query's context ends
}

func (s *fakeStore) put(ticks ...streamflow.Mirrored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ticks = append(s.ticks, ticks...)
}

func (s *fakeStore) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *fakeStore) Ticks(ctx context.Context, q TicksQuery) ([]streamflow.Mirrored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = q
	if s.wait {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	sign := 1
	if q.Descending {
		sign = -1
	}
	var found []streamflow.Mirrored
	for _, m := range s.ticks {
		at := m.Tick.Time
		if m.Tick.Symbol == q.Symbol && (q.From.IsZero() || !at.Before(q.From)) && (q.To.IsZero() || at.Before(q.To)) &&
			(q.After == nil || order(TickCursor{at, m.Position.Partition, m.Position.Offset}, *q.After) == sign) {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b streamflow.Mirrored) int {
		return sign * order(TickCursor{a.Tick.Time, a.Position.Partition, a.Position.Offset}, TickCursor{b.Tick.Time, b.Position.Partition, b.Position.Offset})
	})
	return found[:min(len(found), q.Limit)], s.err
}

func order(a, b TickCursor) int {
	return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
}

func (s *fakeStore) Days(_ context.Context, date time.Time) ([]streamflow.Day, map[streamflow.Partition]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.days++
	if s.err != nil {
		return nil, nil, s.err
	}
	positions := map[streamflow.Partition]int64{}
	for _, m := range s.ticks {
		positions[m.Position.In()] = max(positions[m.Position.In()], m.Position.Offset)
	}
	return batchDays(s.ticks, date), positions, nil
}

// batchDays works out the figures of one day from all ticks at once: what the
// database does, and what the board must come to.
func batchDays(ticks []streamflow.Mirrored, date time.Time) []streamflow.Day {
	bySymbol := map[string][]streamflow.Mirrored{}
	for _, m := range ticks {
		bySymbol[m.Tick.Symbol] = append(bySymbol[m.Tick.Symbol], m)
	}
	var days []streamflow.Day
	for symbol, list := range bySymbol {
		slices.SortStableFunc(list, func(a, b streamflow.Mirrored) int {
			return cmp.Or(a.Tick.Time.Compare(b.Tick.Time), cmp.Compare(a.Position.Offset, b.Position.Offset))
		})
		d := streamflow.Day{Symbol: symbol, Date: date}
		for _, m := range list {
			t := m.Tick
			switch {
			case !t.Time.Before(date.Add(24 * time.Hour)):
				continue
			case t.Time.Before(date):
				d.Reference = t.Price
			default:
				if d.Ticks == 0 {
					d.Open, d.High, d.Low = t.Price, t.Price, t.Price
				}
				d.High, d.Low = max(d.High, t.Price), min(d.Low, t.Price)
				d.Volume += t.Volume
				d.Ticks++
			}
			d.Last = t
		}
		if d.Last.Price > 0 {
			days = append(days, d)
		}
	}
	return days
}

// maker makes ticks with positions that follow each other.
type maker struct{ offsets [3]int64 }

func (k *maker) tick(symbol string, price float64, volume int64, at time.Time) streamflow.Mirrored {
	part := 0
	for _, c := range symbol {
		part = (part + int(c)) % len(k.offsets)
	}
	k.offsets[part]++
	return streamflow.Mirrored{
		Tick: streamflow.Tick{
			Symbol: symbol, Price: price, Volume: volume, Time: at.UTC(),
			Extra: fmt.Appendf(nil, `"n":%d`, k.offsets[part]),
		},
		Position: streamflow.Position{Topic: streamflow.TopicTicks, Partition: int32(part), Offset: k.offsets[part]},
		Stored:   at.Add(2 * time.Millisecond),
		Hops:     []streamflow.Hop{{Name: streamflow.HopKafka, At: at}, {Name: streamflow.HopBridge, At: at.Add(time.Millisecond)}},
	}
}
