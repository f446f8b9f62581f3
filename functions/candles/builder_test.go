package candles

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions/window"
)

// Ticks up to 60 seconds late, silence that is noticed or not, and restarts at
// any point end in the candles of a batch, to the last bit.
func TestStreamIsBatch(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 0))
		policy := window.Default
		policy.Delay = time.Duration(seed%3) * 7 * time.Second
		ticks := market(r, 1500, time.Minute)
		b, f := NewBuilder(newPlan(t, policy), "BRK.B"), newFinals(t)
		for _, a := range ticks {
			if v := b.Add(a.Tick, a.Position, a.produced, f.take); v != window.Taken {
				t.Fatalf("seed %d: tick %v is refused: %d", seed, a.Tick, v)
			}
			switch r.IntN(50) {
			case 0:
				b = restored(t, &b)
			case 1, 2, 3:
				b.Advance(a.produced.Add(time.Duration(r.Int64N(int64(10*time.Second)))), f.take)
			}
		}
		for wake := b.Wake(); !wake.IsZero(); wake = b.Wake() {
			b.Advance(wake, f.take)
		}
		f.equal(batch(ticks), true)
	}
}

// The same ticks in another order make the same candles, to the last bit.
func TestOrderIsOfNoMatter(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		ticks := market(r, 500, 0)
		want := batch(ticks)
		for range 3 {
			for i := range ticks {
				ticks[i].produced = ticks[i].Tick.Time.Add(time.Duration(r.Int64N(int64(80 * time.Second))))
			}
			sortByProduced(ticks)
			b, f := NewBuilder(newPlan(t, window.Default), "BRK.B"), newFinals(t)
			for _, a := range ticks {
				if v := b.Add(a.Tick, a.Position, a.produced, f.take); v != window.Taken {
					t.Fatalf("seed %d: %v is refused: %d", seed, a.Tick, v)
				}
			}
			b.Advance(noon.AddDate(1, 0, 0), f.take)
			f.equal(want, false)
		}
	}
}

// Where sums of turnover in plain float64 differ by their order, exact ones do not.
func TestTurnoverIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	plainDiffers := 0
	for range 200 {
		trades := make([]trade, 1000)
		for i := range trades {
			trades[i] = newTrade(streamflow.Tick{Price: math.Round(18723+r.NormFloat64()*200) / 100, Volume: 1 + r.Int64N(5000)}, streamflow.Position{})
		}
		var sum exact
		var plain float64
		for i := range trades {
			sum.add(trades[i].turnover)
			plain += trades[i].turnover.hi
		}
		for range 5 {
			r.Shuffle(len(trades), func(i, j int) { trades[i], trades[j] = trades[j], trades[i] })
			var again exact
			var other float64
			for i := range trades {
				again.add(trades[i].turnover)
				other += trades[i].turnover.hi
			}
			if again != sum {
				t.Fatalf("the sum is %v, in another order %v", sum, again)
			}
			if other != plain {
				plainDiffers++
			}
		}
	}
	if plainDiffers == 0 {
		t.Error("plain sums do not differ: this test shows nothing")
	}
}

// Ticks at the ends of what a number can hold neither overflow nor make a candle
// that JSON cannot express.
func TestExtremes(t *testing.T) {
	for name, ticks := range map[string][]streamflow.Tick{
		"huge prices":             {{Price: math.MaxFloat64, Volume: 1 << 53}, {Price: 1, Volume: 3}, {Price: math.MaxFloat64, Volume: 1}},
		"huge prices, no volume":  {{Price: math.MaxFloat64}, {Price: math.MaxFloat64}, {Price: 7}},
		"huge volumes":            {{Price: 2, Volume: math.MaxInt64}, {Price: 3, Volume: math.MaxInt64}, {Price: 4, Volume: 9}},
		"the smallest price":      {{Price: math.SmallestNonzeroFloat64, Volume: 1}, {Price: math.SmallestNonzeroFloat64}, {Price: 1e-320, Volume: 3}},
		"no volume, then a trade": {{Price: 5}, {Price: 9}, {Price: 7, Volume: 2}, {Price: 8}},
	} {
		var all []arrival
		for i, tick := range ticks {
			tick.Symbol, tick.Time = "A", noon.Add(time.Duration(i))
			all = append(all, arrival{streamflow.Mirrored{Tick: tick, Position: streamflow.Position{Topic: "t", Offset: int64(i)}}, tick.Time})
		}
		want := batch(all)
		for _, order := range [][3]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
			b, f := NewBuilder(newPlan(t, window.Default), "A"), newFinals(t)
			for _, i := range order {
				b.Add(all[i].Tick, all[i].Position, all[i].produced, f.take)
			}
			for _, a := range all[3:] {
				b.Add(a.Tick, a.Position, a.produced, f.take)
			}
			b = restored(t, &b)
			b.Advance(noon.AddDate(0, 0, 2), f.take)

			f.equal(want, false)
			for _, c := range f.all {
				var back streamflow.Candle
				if data := c.AppendJSON(nil); back.UnmarshalJSON(data) != nil || back != c {
					t.Errorf("%s: %s reads back as %+v", name, data, back)
				}
			}
		}
	}
}

// Two ticks of one time and offset, from before and after the topic got more
// partitions, have an order too.
func TestSameTimeSameOffset(t *testing.T) {
	for _, prices := range [][2]float64{{7, 8}, {8, 7}} {
		b := NewBuilder(newPlan(t, window.Default), "A")
		for i, price := range prices {
			b.Add(streamflow.Tick{Symbol: "A", Price: price, Time: noon}, streamflow.Position{Topic: "t", Partition: int32(i), Offset: 5}, noon, nil)
		}
		if c, _ := b.Growing(streamflow.Day1); c.Open != 7 || c.Close != 8 || c.Last.Partition != 1 {
			t.Errorf("%+v: want open 7, close 8, the last from partition 1", c)
		}
	}
}

func TestGrowingAndRecent(t *testing.T) {
	b, f := NewBuilder(newPlan(t, window.Default, streamflow.Minute1, streamflow.Second1), "A"), newFinals(t)
	for i := range 200 {
		at := noon.Add(time.Duration(i) * time.Second)
		b.Add(streamflow.Tick{Symbol: "A", Price: 1, Volume: 1, Time: at}, streamflow.Position{Topic: "t", Offset: int64(i)}, at, f.take)
	}
	c, ok := b.Growing(streamflow.Minute1)
	if !ok || c.Closed || c.Trades != 20 || !c.Start.Equal(noon.Add(3*time.Minute)) {
		t.Errorf("growing is %+v, %v", c, ok)
	}
	if c, ok := b.Growing(streamflow.Hour1); ok {
		t.Errorf("%+v is of no interval of the plan", c)
	}
	var open, closed int
	for c := range b.Recent(streamflow.Second1) {
		if !c.End().After(b.Floor()) {
			t.Errorf("%+v cannot change any more", c)
		}
		if c.Closed {
			closed++
		} else {
			open++
		}
	}
	if open != 1 || closed != 90 {
		t.Errorf("%d open and %d closed seconds are kept, want 1 and 90", open, closed)
	}
	for c := range b.Recent(streamflow.Second1) {
		if want := noon.Add(109 * time.Second); !c.Start.Equal(want) {
			t.Errorf("the oldest starts at %s, want %s", c.Start, want)
		}
		break
	}
	for range b.Recent(streamflow.Day1) {
		t.Error("there are days")
	}
}

// FuzzState reads anything: it is refused, or it is written as it was read, and
// goes on.
func FuzzState(f *testing.F) {
	plan := newPlan(f, window.Default)
	b := NewBuilder(plan, "BRK.B")
	r := rand.New(rand.NewPCG(3, 4))
	for i, a := range market(r, 60, time.Minute) {
		b.Add(a.Tick, a.Position, a.produced, func(streamflow.Candle) {})
		if i%12 == 0 {
			data, _ := b.AppendBinary(nil)
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b := NewBuilder(plan, "BRK.B")
		if b.UnmarshalBinary(data) != nil {
			return
		}
		b = restored(t, &b) // what has passed its time is not written
		one, _ := b.AppendBinary(nil)
		b = restored(t, &b)
		if two, _ := b.AppendBinary(nil); !bytes.Equal(one, two) {
			t.Errorf("%x\nis written as\n%x", one, two)
		}
		b.Advance(noon, func(streamflow.Candle) {})
		b.Add(streamflow.Tick{Symbol: "BRK.B", Price: 1, Volume: 1, Time: noon}, streamflow.Position{Topic: "t"}, noon, func(streamflow.Candle) {})
		b.Growing(streamflow.Minute1)
	})
}
