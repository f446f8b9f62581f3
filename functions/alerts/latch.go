package alerts

import "math"

// latch is what a rule remembers about a symbol.
type latch struct {
	fired   int64  // event time of its last alert in unix nanoseconds; 0 is never
	crosses uint32 // four bits for each test that is a crossing
	spent   bool   // the condition became true, and was not false far enough since
}

// Bits of a crossing.
const (
	wasBelow = 1 << iota // the left side has been below the right one: it may cross above
	wasAbove
	crossed // before, so the hysteresis counts
)

// judge says whether the condition of a rule has just become true. A number
// that is not there yet (NaN) leaves the condition open: nothing fires, and
// nothing re-arms.
func (l *latch) judge(r *planned, values []float64) bool {
	known, all, far, pulse := true, true, false, false
	for i := range r.tests {
		t := &r.tests[i]
		d := t.distance(values)
		if math.IsNaN(d) || math.IsInf(d, 0) {
			known = false
			continue
		}
		var holds bool
		if t.relation.cross() {
			pulse = true
			holds = l.cross(uint(i), t.relation, d, r.hysteresis)
		} else {
			holds = t.relation.holds(d)
			far = far || !holds && t.relation.away(d) >= r.hysteresis
		}
		all = all && holds
	}
	switch {
	case !known:
		return false
	case pulse: // a crossing is true for one judgement only
		return all
	case all:
		fire := !l.spent
		l.spent = true
		return fire
	case far:
		l.spent = false
	}
	return false
}

// holds says whether a level is reached, d being left minus right.
func (r relation) holds(d float64) bool {
	switch r {
	case above:
		return d > 0
	case atLeast:
		return d >= 0
	case below:
		return d < 0
	}
	return d <= 0
}

// away returns how far the left side is from the level, on its wrong side.
func (r relation) away(d float64) float64 {
	if r == above || r == atLeast {
		return -d
	}
	return d
}

// cross says whether the left side has come from one side of the right one to
// the other, and remembers where it is. To be equal is to be on neither side.
// After the first crossing a side counts only from the hysteresis on.
func (l *latch) cross(test uint, r relation, d, hysteresis float64) bool {
	shift := 4 * test
	bits := l.crosses >> shift & 15
	before := bits
	rose := d > 0 && bits&wasBelow != 0
	fell := d < 0 && bits&wasAbove != 0
	hit := rose && r != crossesBelow || fell && r != crossesAbove
	if hit {
		bits |= crossed
	}
	if bits&crossed == 0 {
		hysteresis = 0
	}
	switch {
	case d > 0:
		bits &^= wasBelow
		if d >= hysteresis {
			bits |= wasAbove
		}
	case d < 0:
		bits &^= wasAbove
		if -d >= hysteresis {
			bits |= wasBelow
		}
	}
	l.crosses ^= (before ^ bits) << shift
	return hit
}
