package alerts

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"streamflow"
	"streamflow/functions/formula"
)

// condition is a rule's condition as it was understood: tests all of which must
// hold, or a silence.
type condition struct {
	tests []test
	stale time.Duration // of "stale 30s"; else 0
}

// test compares two quantities.
type test struct {
	left     operand
	relation relation
	right    operand
}

// relation is how the left side of a test must stand to its right side.
type relation uint8

const (
	above relation = iota
	below
	atLeast
	atMost
	crosses // in either direction
	crossesAbove
	crossesBelow
)

// relationText is the canonical text of each relation.
var relationText = [...]string{"above", "below", ">=", "<=", "crosses", "crosses above", "crosses below"}

func (r relation) cross() bool { return r >= crosses }

// source is where a quantity comes from.
type source uint8

const (
	ofNumber  source = iota
	ofPrice          // of the tick
	ofVolume         // of the tick
	ofCandle         // open, high, low, close or volume of the newest closed candle
	ofAverage        // of the volumes of the n candles before the newest closed one
	ofIndicator
	ofChange
)

// direction is in which direction a change counts.
type direction uint8

const (
	either direction = iota
	up
	down
)

var directionText = [...]string{"", " up", " down"}

// operand is one side of a test. Two operands with the same name stand for the
// same number of a symbol.
type operand struct {
	name     string // canonical, such as "rsi(14, 1m)"; "" of a plain number
	source   source
	factor   float64 // 3 in "3x average(20, 1m)", else 1
	number   float64 // of a plain number
	interval streamflow.Interval
	field    string // of a candle
	count    int    // of an average
	spec     string // of an indicator, as package formula reads it
	formula  *formula.Spec
	part     int // of an indicator: 0 is its main value
	move     direction
	window   time.Duration // of a change
}

// onTicks says whether the operand may be different after each tick.
func (o operand) onTicks() bool {
	switch o.source {
	case ofPrice, ofVolume, ofChange:
		return true
	case ofIndicator:
		return o.interval == streamflow.IntervalTick
	}
	return false
}

// onTicks says whether the condition is judged at each tick; else it is judged
// when a candle closes of one of its intervals.
func (c *condition) onTicks() bool {
	for _, t := range c.tests {
		if t.left.onTicks() || t.right.onTicks() {
			return true
		}
	}
	return false
}

// String returns the condition in its canonical form, which reads back as the
// same condition: conditions that mean the same mostly have the same one.
func (c *condition) String() string {
	if c.stale > 0 {
		return "stale " + durationText(c.stale)
	}
	var b strings.Builder
	for i, t := range c.tests {
		if i > 0 {
			b.WriteString(" and ")
		}
		b.WriteString(t.String())
	}
	return b.String()
}

// hash tells conditions apart: a state belongs to one.
func (c *condition) hash() uint64 {
	h := fnv.New64a()
	h.Write([]byte(c.String()))
	return h.Sum64()
}

func (t test) String() string {
	if t.left.source == ofChange {
		return "change" + directionText[t.left.move] + " over " + numberText(t.right.number) + "% in " + durationText(t.left.window)
	}
	return t.left.String() + " " + relationText[t.relation] + " " + t.right.String()
}

func (o operand) String() string {
	switch {
	case o.source == ofNumber:
		return numberText(o.number)
	case o.factor != 1:
		return numberText(o.factor) + "x " + o.name
	}
	return o.name
}

func numberText(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// durationText writes 10m, not 10m0s.
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
