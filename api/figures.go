package api

import (
	"math"

	"streamflow"
)

const nanosPerDay = 24 * 60 * 60 * 1e9

// dayOf returns the UTC day of an instant, counted from 1970.
func dayOf(unixNano int64) int64 { return unixNano / nanosPerDay }

// moment orders ticks by event time and, within one instant, by their place in
// Kafka, so that the order in which they are counted makes no difference.
type moment struct {
	nano   int64
	offset int64
}

func (m moment) before(o moment) bool {
	return m.nano < o.nano || m.nano == o.nano && m.offset < o.offset
}

// figures are what one symbol did on one UTC day by event time. Counting is
// commutative: a replay of older ticks and the live ticks meet in any order.
type figures struct {
	day           int64
	volume, ticks int64
	open          float64
	openAt        moment
	high, low     float64
	reference     float64 // the last price before the day; 0 while unknown
	referenceAt   moment
	last          float64 // of the day: becomes the reference when the day turns
	lastAt        moment
}

// baseFigures returns the figures that the database has counted. It does not
// say when the opening tick was, nor the reference of a day that has ticks, so
// a late tick cannot take their places: their moments are set out of reach.
func baseFigures(d streamflow.Day) figures {
	f := figures{
		day: dayOf(d.Date.UnixNano()), volume: d.Volume, ticks: d.Ticks,
		open: d.Open, openAt: moment{nano: math.MinInt64}, high: d.High, low: d.Low,
		reference: d.Reference, last: d.Last.Price, lastAt: moment{nano: d.Last.Time.UnixNano(), offset: -1},
	}
	switch {
	case d.Ticks == 0: // the newest tick is one from before the day
		f.reference, f.referenceAt = f.last, f.lastAt
	case d.Reference != 0:
		f.referenceAt.nano = math.MaxInt64
	}
	return f
}

// count takes one tick.
func (f *figures) count(price float64, volume int64, at moment) {
	day := dayOf(at.nano)
	if day < f.day { // late: it may still be the last one before midnight
		f.refer(price, at)
		return
	}
	if day > f.day {
		f.turn(day)
	}
	if f.ticks == 0 || at.before(f.openAt) {
		f.open, f.openAt = price, at
	}
	if f.ticks == 0 || price > f.high {
		f.high = price
	}
	if f.ticks == 0 || price < f.low {
		f.low = price
	}
	if f.ticks == 0 || f.lastAt.before(at) {
		f.last, f.lastAt = price, at
	}
	f.volume += volume
	f.ticks++
}

func (f *figures) refer(price float64, at moment) {
	if f.reference == 0 || f.referenceAt.before(at) {
		f.reference, f.referenceAt = price, at
	}
}

// turn starts a new day. The figures of the old one are forgotten; its last
// price is the new reference.
func (f *figures) turn(day int64) {
	next := figures{day: day, reference: f.reference, referenceAt: f.referenceAt}
	if f.ticks > 0 {
		next.reference, next.referenceAt = f.last, f.lastAt
	}
	*f = next
}

// on returns the figures as they stand on a day: a symbol that has not traded
// since midnight has an empty day.
func (f figures) on(day int64) figures {
	if f.day < day {
		f.turn(day)
	}
	return f
}
