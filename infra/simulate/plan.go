package simulate

import (
	"iter"
	"time"
)

// DefaultInterval is the length of a round where TICK_INTERVAL names none.
const DefaultInterval = 1500 * time.Millisecond

// Due is a trade that is to happen: a symbol's index and the event time.
type Due struct {
	Symbol int
	At     time.Time
}

// Plan is a piece of history: a tick of every symbol in each round, from From up
// to but not including To. The rounds are coarse far back, where only candles
// of hours will be looked at, and fine near the end: 30 days of 5 symbols are
// about 250,000 ticks.
type Plan struct {
	Symbols  int
	From, To time.Time
	Finest   time.Duration // the round of the last hour; at least a second
}

// band is a stretch of a plan whose rounds are equally long.
type band struct {
	from, to time.Time
	round    time.Duration
}

func (p Plan) bands() []band {
	fine := max(p.Finest, time.Second)
	var bands []band
	from := p.From
	for _, b := range []struct{ before, round time.Duration }{
		{24 * time.Hour, time.Minute},
		{time.Hour, 15 * time.Second},
		{0, fine},
	} {
		if to := p.To.Add(-b.before); from.Before(to) {
			bands = append(bands, band{from, to, max(b.round, fine)})
			from = to
		}
	}
	return bands
}

// Total returns how many ticks the plan has.
func (p Plan) Total() int64 {
	var total int64
	for _, b := range p.bands() {
		length := b.to.Sub(b.from)
		total += int64(length/b.round) * int64(p.Symbols)
		for i := range p.Symbols { // the round that the end cuts short
			if place(i, p.Symbols, b.round) < length%b.round {
				total++
			}
		}
	}
	return total
}

// All returns the ticks in the order of their times, which increase strictly
// for each symbol.
func (p Plan) All() iter.Seq[Due] {
	return func(yield func(Due) bool) {
		for _, b := range p.bands() {
			for start := b.from; start.Before(b.to); start = start.Add(b.round) {
				for i := range p.Symbols {
					at := start.Add(place(i, p.Symbols, b.round))
					if !at.Before(b.to) {
						break
					}
					if !yield(Due{i, at}) {
						return
					}
				}
			}
		}
	}
}

// place returns when in a round symbol i of n trades: the symbols are spread
// over it, so that a round is not one burst. Where there is room for it the
// times are whole milliseconds, which are shorter to write; else microseconds,
// which is what a database keeps.
func place(i, n int, round time.Duration) time.Duration {
	unit := time.Millisecond
	if round < time.Duration(n)*time.Millisecond {
		unit = time.Microsecond
	}
	at := time.Duration(float64(round) / float64(n) * float64(i))
	return at.Truncate(unit)
}
