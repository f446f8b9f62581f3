package simulate

import (
	"math"
	"time"
)

// The factor's path spans 2^32 seconds (68 years each way) in steps of 1/16 s;
// between two of those it is a straight line.
const (
	factorLevels = 36
	factorStep   = time.Second / 16
	factorEnd    = int64(1) << factorLevels
)

// factor is the path of what all prices have in common: a Brownian motion whose
// variance grows by 1 a second, as a pure function of time. Its value in the
// middle of an interval is the mean of the two ends plus chance hashed from
// seed, level and place (Lévy's construction), from 68 years down to 1/16 s. So
// any two steps over the same time see the same change, in whatever order and
// however fine they are taken.
//
// It remembers the intervals that lead to where it was asked last: the next
// question is nearly always next to it, and then costs one or two levels.
type factor struct {
	seed uint64
	path [factorLevels + 1]interval
	deep int // path[:deep+1] is valid
}

// interval is a dyadic piece of the path and the values at its two ends.
type interval struct {
	from, to int64 // in steps since the beginning
	a, b     float64
}

func newFactor(seed uint64) *factor {
	f := &factor{seed: mix(seed ^ 0x6d61726b6574)} // apart from what else comes from seed
	f.path[0] = interval{to: factorEnd}
	return f
}

// at returns the value of the path at the time since its origin, which lies in
// the middle so that it may be negative.
func (f *factor) at(since time.Duration) float64 {
	since = min(max(since, -maxSince), maxSince)
	place := int64(since / factorStep)
	rest := since % factorStep
	if rest < 0 {
		place--
		rest += factorStep
	}
	i := f.cell(place + factorEnd/2)
	return i.a + (i.b-i.a)*float64(rest)/float64(factorStep)
}

const maxSince = time.Duration(factorEnd/2-1) * factorStep

// cell returns the interval of one step that begins at place.
func (f *factor) cell(place int64) interval {
	for i := &f.path[f.deep]; place < i.from || place >= i.to; i = &f.path[f.deep] {
		f.deep--
	}
	for f.deep < factorLevels {
		i := f.path[f.deep]
		mid := i.from + (i.to-i.from)/2
		seconds := float64(i.to-i.from) * factorStep.Seconds()
		value := (i.a+i.b)/2 + math.Sqrt(seconds)/2*f.normal(uint64(f.deep), uint64(mid))
		f.deep++
		if place < mid {
			f.path[f.deep] = interval{i.from, mid, i.a, value}
		} else {
			f.path[f.deep] = interval{mid, i.to, value, i.b}
		}
	}
	return f.path[f.deep]
}

// normal returns the standard normal number that belongs to a place (Box-Muller).
func (f *factor) normal(level, place uint64) float64 {
	u := mix(f.seed ^ mix(place+level<<40))
	v := mix(u)
	radius := math.Sqrt(-2 * math.Log((float64(u>>11)+0.5)/(1<<53)))
	return radius * math.Cos(2*math.Pi*float64(v>>11)/(1<<53))
}

// mix scatters the bits of x (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
