package candles

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"streamflow"
	"streamflow/functions/window"
)

// Plan says which candles are made and how long they wait for late ticks. All
// builders of a function share one.
type Plan struct {
	intervals []streamflow.Interval
	windows   *window.Plan
}

// NewPlan checks the policy and the intervals, all of them if none is named. The
// error names what is wrong.
func NewPlan(policy window.Policy, intervals ...streamflow.Interval) (*Plan, error) {
	if len(intervals) == 0 {
		intervals = streamflow.Intervals
	}
	p := &Plan{}
	var lengths []window.Length
	for _, i := range streamflow.Intervals { // the shortest first, each once
		if slices.Contains(intervals, i) {
			p.intervals = append(p.intervals, i)
			lengths = append(lengths, window.Length{Size: i.Duration()})
		}
	}
	for _, i := range intervals {
		if i.Duration() == 0 {
			return nil, fmt.Errorf("intervals: %.20q: want some of %v", i, streamflow.Intervals)
		}
	}
	var err error
	p.windows, err = window.NewPlan(policy, lengths...)
	return p, err
}

// Intervals returns the intervals of the candles, the shortest first.
func (p *Plan) Intervals() []streamflow.Interval { return p.intervals }

// Builder makes the candles of one symbol at all intervals of a plan. It must
// not be copied once it is in use.
//
// Its methods hand out a candle each time it is done:
//
//   - once it is closed: Closed, and Amended 0;
//   - when late ticks have changed it after that: Closed, and Amended, the number
//     of those ticks, greater than before.
//
// A closed candle may be older than one that was closed before it: the first
// tick of its time was late. The order is else that of time, for each interval
// by itself, the shortest first.
type Builder struct {
	plan    *Plan
	symbol  string
	topic   string // of the positions
	windows window.Windows[bar]
}

// NewBuilder returns the builder of a symbol of which no tick was seen.
func NewBuilder(p *Plan, symbol string) Builder {
	return Builder{plan: p, symbol: symbol, windows: window.New[bar](p.windows)}
}

// Add takes in a tick that stands at a position and was produced at a time, see
// [functions.Input.Produced], and calls done for each candle that is done by
// now: those that the tick is behind, then, if it is late, its own. Candles of
// the tick that are not done are the growing ones, see [Builder.Growing].
//
// A tick that is refused, [window.Late] or [window.Ahead], changes nothing.
func (b *Builder) Add(t streamflow.Tick, at streamflow.Position, produced time.Time, done func(streamflow.Candle)) window.Verdict {
	return b.add(t, at, produced, func(_ int, c streamflow.Candle) { done(c) })
}

func (b *Builder) add(t streamflow.Tick, at streamflow.Position, produced time.Time, done func(int, streamflow.Candle)) window.Verdict {
	x := newTrade(t, at)
	b.topic = at.Topic
	return b.windows.Add(t.Time, produced, x.change, func(n int, w *window.Window[bar]) { done(n, b.candle(n, w)) })
}

// Wake returns when Advance has something to do, zero for never. A tick may put
// that off.
func (b *Builder) Wake() time.Time { return b.windows.Wake() }

// Advance tells that it is now and that no tick waits. If the symbol has been
// silent for the grace of the plan, done is called for the candles that ended
// that long ago.
func (b *Builder) Advance(now time.Time, done func(streamflow.Candle)) {
	b.advance(now, func(_ int, c streamflow.Candle) { done(c) })
}

func (b *Builder) advance(now time.Time, done func(int, streamflow.Candle)) {
	b.windows.Advance(now, func(n int, w *window.Window[bar]) { done(n, b.candle(n, w)) })
}

// Growing returns the candle of an interval that the newest ticks are in, and
// whether there is one: it is not Closed, and will be handed out when it is. If
// Amended is not 0 then it was, for lack of ticks, before more of them came.
func (b *Builder) Growing(i streamflow.Interval) (streamflow.Candle, bool) {
	n := slices.Index(b.plan.intervals, i)
	if n < 0 {
		return streamflow.Candle{}, false
	}
	return b.growing(n)
}

func (b *Builder) growing(n int) (streamflow.Candle, bool) {
	w := b.windows.Growing(n)
	if w == nil {
		return streamflow.Candle{}, false
	}
	return b.candle(n, w), true
}

// Recent returns the candles of an interval that can still change, the oldest
// first: those that grow and those that a late tick can amend. The builder must
// not be used meanwhile.
func (b *Builder) Recent(i streamflow.Interval) iter.Seq[streamflow.Candle] {
	return func(yield func(streamflow.Candle) bool) {
		n := slices.Index(b.plan.intervals, i)
		if n < 0 {
			return
		}
		for w := range b.windows.All(n) {
			if !yield(b.candle(n, w)) {
				return
			}
		}
	}
}

// Watermark returns the event time before which no tick is expected; zero before
// the first one.
func (b *Builder) Watermark() time.Time { return b.windows.Watermark() }

// Floor returns the event time before which no tick is taken in: a candle that
// ends there or before never changes again. It is zero before the first tick.
func (b *Builder) Floor() time.Time { return b.windows.Floor() }

func (b *Builder) candle(n int, w *window.Window[bar]) streamflow.Candle {
	v := &w.Value
	return streamflow.Candle{
		Symbol: b.symbol, Interval: b.plan.intervals[n], Start: time.Unix(0, w.Start).UTC(),
		Open: v.first.price, High: v.high, Low: v.low, Close: v.last.price,
		Volume: v.volume, Trades: v.trades, VWAP: v.vwap(), Closed: !w.Open(), Amended: int64(w.Amended),
		Last: streamflow.Position{Topic: b.topic, Partition: v.partition, Offset: v.newest},
	}
}
