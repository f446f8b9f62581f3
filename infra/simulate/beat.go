package simulate

import "time"

// beat is the live schedule: an endless sequence of ticks, numbered from 0, in
// rounds that are equally long. It is a function of the clock's reading only,
// so the sender may look at it as seldom as it likes.
type beat struct {
	start time.Time // of round 0
	n     int       // symbols, one tick each a round
	round time.Duration
	next  int64 // the first tick that was not taken
}

// newBeat returns the beat of one round per interval or, if rate is above 0,
// of that many ticks a second in all.
func newBeat(start time.Time, symbols int, interval time.Duration, rate int) *beat {
	round := interval
	if rate > 0 {
		round = max(time.Duration(float64(symbols)/float64(rate)*float64(time.Second)), time.Duration(symbols)*time.Microsecond)
	}
	// The wall clock counts here, not the monotonic one: the latter stands
	// still while a laptop sleeps, and event times would lag from then on.
	return &beat{start: start.Round(0).Truncate(time.Millisecond), n: symbols, round: round}
}

// at returns tick k.
func (b *beat) at(k int64) Due {
	i := int(k % int64(b.n))
	at := b.start.Add(time.Duration(k/int64(b.n)) * b.round).Add(place(i, b.n, b.round))
	// Rounds of a high rate are not whole microseconds long.
	return Due{i, at.Truncate(time.Microsecond)}
}

// take returns the numbers of the ticks that are due at now, from and up to but
// not including to, and how many were skipped before them.
//
// A tick that is late by more than a round, and by more than a second, is
// skipped, with all up to the round of now: after a pause the live market goes
// on at its pace, it does not make up for hours in one burst. The next price
// of each symbol still moves by the whole time since its last one.
func (b *beat) take(now time.Time) (from, to, skipped int64) {
	now = now.Round(0)
	if now.Before(b.at(max(b.next-1, 0)).At.Add(-setBack)) {
		// The clock was set back. To wait until it gets here again could take
		// hours; event times that go back with the clock are merely late.
		b.start = now.Truncate(time.Millisecond).Add(-time.Duration(b.next/int64(b.n)) * b.round)
	}
	to = b.due(now)
	if to <= b.next {
		return b.next, b.next, 0
	}
	if now.Sub(b.at(b.next).At) > max(b.round, time.Second) {
		current := max(to-1, 0) / int64(b.n) * int64(b.n)
		skipped = max(current-b.next, 0)
		b.next += skipped
	}
	from, b.next = b.next, to
	return from, to, skipped
}

// setBack is a change of the clock that is not mere correction.
const setBack = time.Minute

// due returns how many ticks have a time that is not after now.
func (b *beat) due(now time.Time) int64 {
	since := now.Sub(b.start)
	if since < 0 {
		return 0
	}
	rounds := int64(since / b.round)
	// An estimate first, then to the tick: place rounds down.
	k := rounds*int64(b.n) + int64(float64(since%b.round)/float64(b.round)*float64(b.n))
	for !b.at(k).At.After(now) {
		k++
	}
	for k > 0 && b.at(k-1).At.After(now) {
		k--
	}
	return k
}

// wait returns how long after now the next tick is due.
func (b *beat) wait(now time.Time) time.Duration { return b.at(b.next).At.Sub(now.Round(0)) }
