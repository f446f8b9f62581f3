package functions_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
)

// world is a log in Kafka, the stream that mirrors it, a durable for each shard
// and the stream of results. What may go wrong between them goes wrong at
// random, in proportion to chaos.
type world struct {
	t       *testing.T
	mu      sync.Mutex
	r       *rand.Rand
	chaos   float64
	symbols int
	limit   int
	piece   int
	seeks   int // and rewinds
	poison  bool
	kafka   map[int32][]streamflow.Message
	stream  []streamflow.Message
	lost    int // how often the stream has lost its tail
	queues  map[place]*queue
	books   map[place]*book
	results uint64 // sequence of the stream of results
	facts   []streamflow.Message
	views   []streamflow.Message
	atOnce  int // views at a time
	shown   []time.Time
	letters map[streamflow.Position]streamflow.DeadLetter
	tracer  functions.Tracer
}

// place is a shard of a generation.
type place struct{ generation, shard int }

// book is what the stream of results holds of a shard beside its facts.
type book struct {
	page  []byte
	fence uint64
	slots [2][][]byte
}

// queue is a durable.
type queue struct {
	floor, next int
	owner       *tap
	resets      int
}

func newWorld(t *testing.T, seed uint64) *world {
	return &world{
		t: t, r: rand.New(rand.NewPCG(seed, 7)), chaos: 0.03, symbols: 12, limit: 40, piece: 700, poison: true, kafka: make(map[int32][]streamflow.Message),
		queues: make(map[place]*queue), books: make(map[place]*book), letters: make(map[streamflow.Position]streamflow.DeadLetter),
	}
}

func (w *world) odd() bool { return w.r.Float64() < w.chaos }

// grow has n ticks produced and mirrored.
func (w *world) grow(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range n {
		i := w.r.IntN(w.symbols)
		p, volume := int32(i%3), int64(1)
		if w.poison && w.r.IntN(60) == 0 {
			volume = 13 + int64(w.r.IntN(2))
		}
		log := w.kafka[p]
		previous := int64(-1)
		if len(log) > 0 {
			previous = log[len(log)-1].Position.Offset
		}
		m := tick(fmt.Sprintf("S%02d", i), p, previous+1+int64(w.r.IntN(8)/7), volume, time.Now())
		m.Previous = previous
		w.kafka[p] = append(log, m)
		w.mirror(m)
	}
}

func (w *world) mirror(m streamflow.Message) {
	m.Sequence = uint64(len(w.stream) + 1)
	w.stream = append(w.stream, m)
}

// loseTail takes messages from the end of the stream and mirrors them again,
// the partitions in another order.
func (w *world) loseTail() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost > 0 || len(w.stream) == 0 { // twice at one place looks as if retention had taken it
		return
	}
	w.lost++
	keep := w.r.IntN(len(w.stream))
	tail := slices.Clone(w.stream[keep:])
	w.stream = w.stream[:keep]
	slices.SortStableFunc(tail, func(a, b streamflow.Message) int { return int(a.Position.Partition) - int(b.Position.Partition) })
	for _, m := range tail {
		w.mirror(m)
	}
	for _, q := range w.queues { // they believe in more than they were handed
		q.next, q.owner = min(q.next, len(w.stream)), nil
	}
}

// disturb does to the durables what servers and operators may do.
func (w *world) disturb() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, q := range w.queues {
		switch w.r.IntN(6) {
		case 0: // another worker is chosen; what this one holds it still has
			q.owner = nil
		case 1: // the floor is forgotten
			q.floor = w.r.IntN(q.floor + 1)
			q.owner = nil
		case 2:
			q.next = q.floor // redelivery in the middle, which its owner is told of
			q.resets++
		}
	}
}

func (w *world) queue(p place) *queue {
	if w.queues[p] == nil {
		w.queues[p] = &queue{}
	}
	return w.queues[p]
}

func (w *world) book(p place) *book {
	if w.books[p] == nil {
		w.books[p] = &book{}
	}
	return w.books[p]
}

// life is that of a worker; when it has ended nothing that it does has any effect.
type life struct {
	w    *world
	dead bool
}

// tap is a worker's way to a durable.
type tap struct {
	*life
	at     place
	upTo   int
	resets int
	open   bool
}

func (s *tap) Next(ctx context.Context, limit int) ([]streamflow.Message, bool, error) {
	for {
		messages, fresh, err := s.take(limit)
		if err != nil || len(messages) > 0 {
			return messages, fresh, err
		}
		select {
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (s *tap) take(limit int) (messages []streamflow.Message, fresh bool, err error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	q := s.w.queue(s.at)
	if s.dead {
		return nil, false, errChaos
	}
	if s.w.chaos > 0 && s.w.r.Float64() < s.w.chaos/10 {
		s.giveUp()
		return nil, false, errChaos
	}
	if !s.open {
		s.open = true
		if q.owner == nil && q.next >= len(s.w.stream) {
			q.next = min(q.next, q.floor) // what was handed to nobody who is there comes again
		}
	}
	if q.next >= len(s.w.stream) || q.owner != nil && q.owner != s {
		return nil, false, nil
	}
	if q.owner == nil {
		q.owner, q.next, fresh = s, q.floor, true
	}
	if s.resets != q.resets {
		s.resets, fresh = q.resets, true
	}
	n := min(1+s.w.r.IntN(limit), len(s.w.stream)-q.next)
	for _, m := range s.w.stream[q.next : q.next+n] {
		m.Data = slices.Clone(m.Data)
		messages = append(messages, m)
	}
	q.next += n
	s.upTo = q.next
	return messages, fresh, nil
}

func (s *tap) Ack() error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.dead || s.w.odd() {
		return errChaos
	}
	if q := s.w.queue(s.at); q.owner == s {
		q.floor = max(q.floor, s.upTo)
	}
	return nil
}

func (s *tap) Rewind(ctx context.Context) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.dead || s.w.odd() {
		return errChaos
	}
	s.w.seeks++
	q := s.w.queue(s.at)
	q.floor, q.next, q.owner = 0, 0, nil
	return nil
}

func (s *tap) Seek(_ context.Context, sequence uint64) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.dead || s.w.odd() {
		return errChaos
	}
	s.w.seeks++
	q := s.w.queue(s.at)
	q.floor = min(int(sequence), len(s.w.stream))
	q.next = q.floor
	q.resets++
	if q.owner == s {
		s.resets = q.resets
	}
	if s.w.odd() {
		return errChaos
	}
	return nil
}

func (s *tap) Heads(context.Context) (map[streamflow.Partition]int64, error) {
	time.Sleep(roundTrip)
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.dead {
		return nil, errChaos
	}
	return s.w.heads(), nil
}

func (w *world) heads() map[streamflow.Partition]int64 {
	heads := make(map[streamflow.Partition]int64)
	for _, m := range w.stream {
		if m.Position.Topic == "" {
			continue // a view
		}
		heads[m.Position.In()] = m.Position.Offset
	}
	return heads
}

func (s *tap) Pending(context.Context) (uint64, int, error) {
	time.Sleep(roundTrip)
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.dead || s.w.odd() {
		return 0, 0, errChaos
	}
	q := s.w.queue(s.at)
	return uint64(max(len(s.w.stream)-max(q.next, q.floor), 0)), max(q.next-q.floor, 0), nil
}

func (s *tap) Close() {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if !s.dead {
		s.giveUp()
	}
	s.open = false
}

func (s *tap) giveUp() {
	if q := s.w.queue(s.at); q.owner == s {
		q.owner, q.next = nil, q.floor
	}
}

// pen is a worker's way to the results.
type pen struct {
	*life
	at place
}

// do runs a write: it may fail before, or the answer may be lost, or it may take
// so long that others have come in between.
func (l *pen) do(fence uint64, write func(*book) error) error {
	time.Sleep(roundTrip)
	l.w.mu.Lock()
	if l.w.r.Float64() < l.w.chaos*l.w.chaos {
		l.w.mu.Unlock()
		time.Sleep(8 * time.Second)
		l.w.mu.Lock()
	}
	defer l.w.mu.Unlock()
	if l.dead || l.w.odd() {
		return errChaos
	}
	b := l.w.book(l.at)
	if b.fence != fence {
		return streamflow.ErrFenced
	}
	if err := write(b); err != nil {
		return err
	}
	if l.w.odd() {
		return errChaos
	}
	return nil
}

func (l *pen) Load(context.Context) ([]byte, uint64, error) {
	time.Sleep(roundTrip)
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	if l.dead || l.w.odd() {
		return nil, 0, errChaos
	}
	b := l.w.book(l.at)
	return b.page, b.fence, nil
}

func (l *pen) Commit(_ context.Context, facts []streamflow.Message, page []byte, fence uint64) (now uint64, err error) {
	if len(facts) > functions.MaxFacts {
		l.w.t.Errorf("%d facts in a commit", len(facts))
	}
	err = l.do(fence, func(b *book) error {
		for _, m := range facts {
			m.Data = slices.Clone(m.Data)
			l.w.facts = append(l.w.facts, m)
		}
		l.w.results += uint64(len(facts)) + 1
		b.page, b.fence = slices.Clone(page), l.w.results
		now = b.fence
		return nil
	})
	return now, err
}

func (l *pen) WriteState(_ context.Context, slot int, pieces [][]byte, fence uint64) error {
	for i, piece := range pieces {
		err := l.do(fence, func(b *book) error {
			for len(b.slots[slot]) <= i {
				b.slots[slot] = append(b.slots[slot], nil)
			}
			b.slots[slot][i] = slices.Clone(piece)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *pen) ReadState(_ context.Context, slot, n int) ([][]byte, error) {
	time.Sleep(roundTrip)
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	if l.dead || l.w.odd() {
		return nil, errChaos
	}
	pieces := make([][]byte, n)
	copy(pieces, l.w.book(l.at).slots[slot])
	return pieces, nil
}

func (l *pen) Show(_ context.Context, views []streamflow.Message, fence uint64) error {
	return l.do(fence, func(*book) error {
		l.w.atOnce = max(l.w.atOnce, len(views))
		for _, m := range views {
			m.Data = slices.Clone(m.Data)
			l.w.views = append(l.w.views, m)
			l.w.shown = append(l.w.shown, time.Now())
		}
		return nil
	})
}

func (l *pen) Reject(_ context.Context, letter streamflow.DeadLetter) error {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	if l.dead || l.w.odd() {
		return errChaos
	}
	letter.Value = slices.Clone(letter.Value)
	if _, there := l.w.letters[letter.Position]; !there {
		l.w.letters[letter.Position] = letter
	}
	return nil
}

// MaxPiece is small for most, so that a snapshot has many pieces.
func (l *pen) MaxPiece() int { return l.w.piece }

// pageOf returns the checkpoint of a shard, and its states if it is settled.
func (w *world) pageOf(at place) (functions.Page, map[string]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.book(at)
	if b.page == nil {
		return functions.Page{}, nil
	}
	p, err := functions.ReadPage(b.page)
	if err != nil {
		w.t.Fatal(err)
	}
	if !p.Settled || p.Pieces == 0 {
		return p, nil
	}
	entries, err := functions.Entries(slices.Concat(b.slots[p.Slot][:p.Pieces]...))
	if err != nil {
		w.t.Fatalf("shard %v: %v", at, err)
	}
	return p, maps.Clone(entries)
}
