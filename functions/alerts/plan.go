package alerts

import (
	"math"
	"slices"
	"strconv"
	"time"

	"streamflow"
	"streamflow/functions/formula"
)

// plan is what the rules of a symbol need and how they are judged. Symbols that
// no rule names share the plan of the rules for all.
//
// Every number that a rule may compare has a slot. What is the same in several
// rules has one slot, and is computed once.
type plan struct {
	slots      []string // names of the slots, for the saved state
	rules      []planned
	onTicks    []int // indexes of the rules that are judged on ticks
	onCandles  []int
	onSilence  []int
	intervals  []streamflow.Interval
	candles    []candleSlot
	averages   []averageSlot
	indicators []indicatorSlot
	changes    []changeSlot
	keys       map[string]int // of what is saved, see codec.go
}

// planned is a rule as it is judged for one symbol.
type planned struct {
	*Checked
	tests      []plannedTest
	hysteresis float64
	intervals  uint8 // bit i: it is judged when a candle of plan.intervals[i] closes
	key        string
}

// plannedTest is a test whose operands are slots.
type plannedTest struct {
	test
	l, r  int // r is -1 where the right side is a number
	shown int // the slot that people are shown for the left side
}

// equal is the share of two numbers by which they may differ and still count as
// equal. Two averages of the same prices differ by rounding errors, and would
// cross each other by them.
const equal = 1e-12

// distance is how far the left side lies above the right one.
func (t *plannedTest) distance(values []float64) float64 {
	left, right := values[t.l], t.bound(values)
	d := left - right
	if math.Abs(d) <= equal*max(math.Abs(left), math.Abs(right)) && !math.IsInf(d, 0) {
		return 0
	}
	return d
}

func (t *plannedTest) bound(values []float64) float64 {
	if t.r < 0 {
		return t.right.number
	}
	return values[t.r] * t.right.factor
}

// Slots that every plan has.
const (
	slotPrice = iota
	slotVolume
	firstSlot
)

type candleSlot struct {
	interval int // index in plan.intervals
	field    string
	slot     int
}

type averageSlot struct {
	interval int
	count    int
	slot     int
	key      string
}

type indicatorSlot struct {
	interval int // -1 on ticks
	spec     *formula.Spec
	parts    []partSlot
	key      string
}

type partSlot struct{ part, slot int }

type changeSlot struct {
	window time.Duration
	moves  []moveSlot
	key    string
}

// moveSlot has the size of a change in slot, and the change with its sign in the
// slot behind it.
type moveSlot struct {
	move direction
	slot int
}

// newPlan lays the rules of a symbol out, in the order of their IDs.
func newPlan(rules []*Checked) *plan {
	p := &plan{slots: []string{"price", "volume"}, keys: make(map[string]int)}
	for _, i := range streamflow.Intervals {
		if slices.ContainsFunc(rules, func(c *Checked) bool { return c.condition.closes(i) }) {
			p.intervals = append(p.intervals, i)
		}
	}
	for _, c := range rules {
		r := planned{Checked: c, hysteresis: c.Rule.Hysteresis, key: "r" + c.Rule.ID + "@" + strconv.FormatUint(c.hash, 36)}
		for _, t := range c.condition.tests {
			pt := plannedTest{test: t, l: p.slot(t.left), r: -1}
			if pt.shown = pt.l; t.left.source == ofChange {
				pt.shown++
			}
			if t.right.source != ofNumber {
				pt.r = p.slot(t.right)
			}
			r.tests = append(r.tests, pt)
		}
		switch n := len(p.rules); {
		case c.condition.stale > 0:
			p.onSilence = append(p.onSilence, n)
		case c.condition.onTicks():
			p.onTicks = append(p.onTicks, n)
		default:
			p.onCandles = append(p.onCandles, n)
			for i, interval := range p.intervals {
				if c.condition.closes(interval) {
					r.intervals |= 1 << i
				}
			}
		}
		p.rules = append(p.rules, r)
	}
	p.index()
	return p
}

// index notes under which key each thing is saved.
func (p *plan) index() {
	for i, r := range p.rules {
		p.keys[r.key] = i
	}
	for i, name := range p.slots {
		p.keys["v"+name] = i
	}
	for i, a := range p.averages {
		p.keys[a.key] = i
	}
	for i, x := range p.indicators {
		p.keys[x.key] = i
	}
	for i, x := range p.changes {
		p.keys[x.key] = i
	}
}

// slot returns the slot of an operand, and plans what fills it.
func (p *plan) slot(o operand) int {
	switch o.source {
	case ofPrice:
		return slotPrice
	case ofVolume:
		return slotVolume
	}
	if i := slices.Index(p.slots, o.name); i >= 0 {
		return i
	}
	n := len(p.slots)
	p.slots = append(p.slots, o.name)
	interval := slices.Index(p.intervals, o.interval)
	switch o.source {
	case ofCandle:
		p.candles = append(p.candles, candleSlot{interval, o.field, n})
	case ofAverage:
		p.averages = append(p.averages, averageSlot{interval, o.count, n, "a" + o.name})
	case ofIndicator:
		p.planIndicator(o, interval, n)
	case ofChange:
		p.slots = append(p.slots, o.name+" signed")
		p.planChange(o, n)
	}
	return n
}

func (p *plan) planIndicator(o operand, interval, slot int) {
	key := "i" + o.spec + "@" + string(o.interval)
	i := slices.IndexFunc(p.indicators, func(x indicatorSlot) bool { return x.key == key })
	if i < 0 {
		i = len(p.indicators)
		p.indicators = append(p.indicators, indicatorSlot{interval: interval, spec: o.formula, key: key})
	}
	p.indicators[i].parts = append(p.indicators[i].parts, partSlot{o.part, slot})
}

func (p *plan) planChange(o operand, slot int) {
	i := slices.IndexFunc(p.changes, func(x changeSlot) bool { return x.window == o.window })
	if i < 0 {
		i = len(p.changes)
		p.changes = append(p.changes, changeSlot{window: o.window, key: "x" + durationText(o.window)})
	}
	p.changes[i].moves = append(p.changes[i].moves, moveSlot{o.move, slot})
}
