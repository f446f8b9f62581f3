package window

import (
	"math"
	"time"
)

// Verdict says what became of an event.
type Verdict uint8

// The verdicts.
const (
	Taken Verdict = iota // it is in its windows
	Late                 // it was refused: too far behind the watermark
	Ahead                // it was refused: too far ahead of the time at which it was produced
)

const (
	never  = math.MinInt64 / 2 // before all time, and far enough from the end to be reckoned with
	always = math.MaxInt64 / 2

	// record1971 is 1971-01-01. A record of 1970 has no timestamp (0, -1) or
	// seconds where milliseconds belong: it tells nothing about the event's.
	record1971 = 365 * 24 * int64(time.Hour)
)

// clock is how far the event time of one key has come. All times are Unix
// nanoseconds.
type clock struct {
	watermark int64 // no event before it is expected
	floor     int64 // no event before it is taken in; it never moves back, whatever becomes of Lateness
	produced  int64 // when the newest message was produced
}

func newClock() clock { return clock{watermark: never, floor: never, produced: never} }

// observe judges an event and moves the watermark.
//
// A tick whose clock is five minutes ahead must not make all that come after it
// late. So an event moves the watermark no farther than to the moment at which
// it was produced, which was somebody else's clock.
func (c *clock) observe(p *Policy, at, produced int64) Verdict {
	if at < c.floor {
		return Late
	}
	if produced < record1971 {
		produced = at
	}
	if at > produced+int64(p.Ahead) {
		return Ahead
	}
	c.produced = max(c.produced, produced)
	if mark := min(at, produced+int64(p.Skew)) - int64(p.Delay); mark > c.watermark {
		c.watermark = mark
		c.floor = max(c.floor, mark-int64(p.Lateness))
	}
	return Taken
}

// patience is how long the key must be silent before the clock closes windows:
// the grace, and as much longer as the newest event came behind its time. Of a
// feed that is delayed, or of history that is being loaded, all windows have
// ended by the clock: a pause of the feed says no more there than it does live.
func (c *clock) patience(p *Policy) int64 {
	behind := c.produced - (c.watermark + int64(p.Delay))
	return int64(p.Grace) + max(0, min(behind, int64(p.Lateness)))
}

// nanos returns t as Unix nanoseconds, held within what windows can reckon with:
// the years 1685 to 2255.
func nanos(t time.Time) int64 {
	const most = 9_000_000_000
	return max(-most, min(t.Unix(), most))*int64(time.Second) + int64(t.Nanosecond())
}
