package candles

import (
	"cmp"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions/window"
)

var noon = time.Date(2025, 1, 2, 12, 0, 0, 0, time.UTC)

// arrival is a tick with the time at which it was produced.
type arrival struct {
	streamflow.Mirrored
	produced time.Time
}

// key names a candle.
type key struct {
	interval streamflow.Interval
	start    int64
}

func keyOf(c streamflow.Candle) key { return key{c.Interval, c.Start.Unix()} }

// market makes n ticks of a symbol as they might come: in bursts and after
// hours, with equal times, odd prices and no volume, each up to late behind its
// time. Offsets are those of the order in which they arrive.
func market(r *rand.Rand, n int, late time.Duration) []arrival {
	var all []arrival
	at, price := noon.Add(time.Duration(r.Int64N(int64(24*time.Hour)))), 50+500*r.Float64()
	for range n {
		switch r.IntN(40) {
		case 0:
			at = at.Add(time.Duration(r.Int64N(int64(3 * time.Hour))))
		case 1, 2:
			at = at.Add(time.Duration(r.Int64N(int64(time.Minute))))
		case 3, 4, 5, 6, 7:
		default:
			at = at.Add(time.Duration(r.Int64N(int64(400 * time.Millisecond))))
		}
		price *= math.Exp(r.NormFloat64() / 1000)
		t := streamflow.Tick{Symbol: "BRK.B", Price: math.Round(price*100) / 100, Volume: r.Int64N(1000), Time: at}
		switch r.IntN(10) {
		case 0:
			t.Price = price
		case 1:
			t.Volume = 0
		}
		all = append(all, arrival{streamflow.Mirrored{Tick: t}, at.Add(time.Duration(r.Int64N(int64(late) + 1)))})
	}
	sortByProduced(all)
	for i := range all {
		all[i].Position = streamflow.Position{Topic: streamflow.TopicTicks, Partition: 1, Offset: int64(100 + 3*i)}
	}
	return all
}

// batch returns the candles of all intervals by FromTicks.
func batch(ticks []arrival) map[key]streamflow.Candle {
	var all []streamflow.Mirrored
	for _, a := range ticks {
		all = append(all, a.Mirrored)
	}
	want := make(map[key]streamflow.Candle)
	for _, i := range streamflow.Intervals {
		for _, c := range FromTicks(all, i) {
			want[keyOf(c)] = c
		}
	}
	return want
}

// finals takes what a builder hands out and keeps the newest of each candle.
type finals struct {
	t   *testing.T
	all map[key]streamflow.Candle
}

func newFinals(t *testing.T) *finals { return &finals{t, make(map[key]streamflow.Candle)} }

func (f *finals) take(c streamflow.Candle) {
	before, again := f.all[keyOf(c)]
	switch {
	case !c.Closed:
		f.t.Errorf("%+v is handed out and not closed", c)
	case !again && c.Amended != 0:
		f.t.Errorf("%+v is amended before it was closed", c)
	case again && (c.Amended <= before.Amended || c.Trades <= before.Trades):
		f.t.Errorf("%+v comes again as %+v", before, c)
	}
	f.all[keyOf(c)] = c
}

// equal compares with what a batch finds, where arrival says that the last to
// arrive is known.
func (f *finals) equal(want map[key]streamflow.Candle, arrival bool) {
	f.t.Helper()
	for _, k := range slices.SortedFunc(maps.Keys(want), func(a, b key) int { return cmp.Compare(a.start, b.start) }) {
		w, got := want[k], f.all[k]
		w.Closed, got.Amended = true, 0
		if !arrival {
			got.Last = w.Last
		}
		if got != w {
			f.t.Fatalf("the candle is\n%+v\nand that of the batch\n%+v", got, w)
		}
	}
	if len(f.all) != len(want) {
		f.t.Errorf("there are %d candles, want %d", len(f.all), len(want))
	}
}

func newPlan(t testing.TB, policy window.Policy, intervals ...streamflow.Interval) *Plan {
	t.Helper()
	plan, err := NewPlan(policy, intervals...)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// restored returns b as its state reads back.
func restored(t *testing.T, b *Builder) Builder {
	t.Helper()
	data, err := b.AppendBinary([]byte("before"))
	if err != nil {
		t.Fatal(err)
	}
	read := NewBuilder(b.plan, b.symbol)
	if err := read.UnmarshalBinary(data[len("before"):]); err != nil {
		t.Fatal(err)
	}
	return read
}

func sortByProduced(ticks []arrival) {
	slices.SortStableFunc(ticks, func(a, b arrival) int { return a.produced.Compare(b.produced) })
}
