package api

import (
	"math"
	"slices"
	"strings"
	"sync"

	"streamflow"
)

// board is the read model of /api/stocks: for every symbol the newest tick and
// the figures of the current UTC day. It lives in memory and is rebuilt at
// every start from the stream and the database.
type board struct {
	mu     sync.Mutex
	rows   map[string]*row
	sorted []*row // by symbol
	// marks holds, per partition, the highest offset that the stream has shown
	// us. A tick at or below it was counted before: a rebuilt stream shows
	// ticks again, under new sequences but at the same positions.
	marks  map[streamflow.Partition]*int64
	last   uint64 // the highest sequence of a tick
	newest int64  // event time of the newest tick, unix nanoseconds
	stored int64  // when the stream took the newest tick
	seeded bool   // the stream's snapshot was taken
	days   bool   // row.day counts

	// While the day is loaded, row.next is counted too, of ticks beyond base.
	base map[streamflow.Partition]int64 // nil unless loading
}

// row is one symbol. Its newest tick is the newest by event time: a late tick
// does not move the price back.
type row struct {
	symbol string
	price  float64
	volume int64
	at     int64  // event time, unix nanoseconds
	seq    uint64 // 0 if the tick is known from the database only
	day    figures
	next   figures // being loaded
}

func newBoard() *board {
	return &board{rows: make(map[string]*row), marks: make(map[streamflow.Partition]*int64)}
}

// seed takes the newest tick of every symbol of a stream that was not seen
// before, or was rebuilt since: its sequences count anew.
func (b *board) seed(newest []streamflow.Mirrored) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = 0
	for i := range newest {
		m := &newest[i]
		mark := b.mark(m.Position.In())
		*mark = max(*mark, m.Position.Offset)
		b.see(b.row(m.Tick.Symbol), m)
	}
	b.seeded = true
}

// apply takes a batch of live ticks.
func (b *board) apply(batch []streamflow.Mirrored) {
	b.mu.Lock()
	defer b.mu.Unlock()
	// A batch of the bridge holds one partition: look its marks up once.
	var in streamflow.Partition
	var mark *int64
	base := int64(math.MaxInt64)
	for i := range batch {
		m := &batch[i]
		if p := m.Position.In(); mark == nil || p != in {
			in, mark, base = p, b.mark(p), b.baseOf(p)
		}
		r := b.row(m.Tick.Symbol)
		b.see(r, m)
		if m.Position.Offset <= *mark {
			continue
		}
		*mark = m.Position.Offset
		at := moment{m.Tick.Time.UnixNano(), m.Position.Offset}
		if b.days {
			r.day.count(m.Tick.Price, m.Tick.Volume, at)
		}
		if m.Position.Offset > base {
			r.next.count(m.Tick.Price, m.Tick.Volume, at)
		}
	}
}

// see keeps m if it is the newest tick of its symbol.
func (b *board) see(r *row, m *streamflow.Mirrored) {
	b.last = max(b.last, m.Sequence)
	at := m.Tick.Time.UnixNano()
	b.newest = max(b.newest, at)
	b.stored = max(b.stored, m.Stored.UnixNano())
	if r.price == 0 || at > r.at || at == r.at && m.Sequence >= r.seq {
		r.price, r.volume, r.at, r.seq = m.Tick.Price, m.Tick.Volume, at, m.Sequence
	}
}

func (b *board) row(symbol string) *row {
	if r := b.rows[symbol]; r != nil {
		return r
	}
	symbol = strings.Clone(symbol) // or the row would keep a whole batch alive
	r := &row{symbol: symbol}
	b.rows[symbol] = r
	i, _ := slices.BinarySearchFunc(b.sorted, symbol, func(r *row, s string) int { return strings.Compare(r.symbol, s) })
	b.sorted = slices.Insert(b.sorted, i, r)
	return r
}

func (b *board) mark(p streamflow.Partition) *int64 {
	m := b.marks[p]
	if m == nil {
		m = new(int64)
		*m = -1
		b.marks[p] = m
	}
	return m
}

// baseOf returns the offset up to which the figures being loaded already count
// a partition; nothing is counted while none are.
func (b *board) baseOf(p streamflow.Partition) int64 {
	if b.base == nil {
		return math.MaxInt64
	}
	if offset, ok := b.base[p]; ok {
		return offset
	}
	return -1
}
