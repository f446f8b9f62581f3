package window

import (
	"fmt"
	"time"
)

// Policy says how long windows wait, and for what.
type Policy struct {
	// Delay is how far the watermark stays behind the newest event: the disorder
	// for which windows wait instead of being amended.
	Delay time.Duration
	// Lateness is how far behind the watermark an event is still taken in.
	Lateness time.Duration
	// Grace is how long a key must have been silent, and the end of a window must
	// have passed, before the window is done without the watermark. Where events
	// come long after their time it is longer by that, up to Lateness.
	Grace time.Duration
	// Skew is how far an event may be ahead of the time at which it was produced
	// and still be believed: the difference between two clocks in order.
	Skew time.Duration
	// Ahead is how far an event may be ahead of that time at all. It bounds how
	// many windows are open at once.
	Ahead time.Duration
}

// Default is the policy for ticks. Its Ahead is a minute more than the limit of
// the bridge, which measures against a later clock.
var Default = Policy{Lateness: 90 * time.Second, Grace: 2 * time.Second, Skew: time.Second, Ahead: 6 * time.Minute}

// Bounds of a policy.
const (
	MaxDelay    = 5 * time.Minute
	MaxLateness = 24 * time.Hour
	MinGrace    = 10 * time.Millisecond
	MaxGrace    = time.Hour
	MaxAhead    = 24 * time.Hour
)

// Check says which field of p is wrong.
func (p Policy) Check() error {
	for _, f := range []struct {
		name               string
		value, least, most time.Duration
	}{
		{"delay", p.Delay, 0, MaxDelay},
		{"lateness", p.Lateness, 0, MaxLateness},
		{"grace", p.Grace, MinGrace, MaxGrace},
		{"skew", p.Skew, 0, p.Ahead},
		{"ahead", p.Ahead, 0, MaxAhead},
	} {
		if f.value < f.least || f.value > f.most {
			return fmt.Errorf("%s %s: want %s to %s", f.name, f.value, f.least, f.most)
		}
	}
	return nil
}

// Length is how long windows are and how far apart they start. They are aligned
// to 1970-01-01 UTC, so those of a day start at midnight UTC.
type Length struct {
	Size  time.Duration
	Slide time.Duration // 0 is Size: tumbling windows; less than Size: sliding ones
}

// Plan is what the windows of all keys of a function have in common. It must
// not change while they use it.
type Plan struct {
	Policy  Policy
	Lengths []Length
}

// NewPlan checks policy and lengths. The error names what is wrong.
func NewPlan(policy Policy, lengths ...Length) (*Plan, error) {
	if err := policy.Check(); err != nil {
		return nil, err
	}
	p := &Plan{Policy: policy}
	for _, l := range lengths {
		if l.Slide == 0 {
			l.Slide = l.Size
		}
		if l.Slide <= 0 || l.Slide > l.Size || l.Size > maxSize {
			return nil, fmt.Errorf("window of %s every %s: want up to %s, every 1ns to its size", l.Size, l.Slide, maxSize)
		}
		p.Lengths = append(p.Lengths, l)
	}
	return p, nil
}

// maxSize keeps all sums of times far from the end of int64.
const maxSize = 366 * 24 * time.Hour
