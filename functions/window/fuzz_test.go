package window

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"streamflow/functions/coder"
)

// event is one of a property test: unlike the others by its number.
type event struct {
	at     time.Duration // since noon
	number int64
}

// run adds events in their order and returns what each window held when it was
// handed out last; it fails if one is handed out as if it were the first time
// twice, or amended by nothing.
func run(t *testing.T, plan *Plan, events []event, r *rand.Rand) map[[2]int64]tally {
	t.Helper()
	w := New[tally](plan)
	final, amended := make(map[[2]int64]tally), make(map[[2]int64]uint32)
	done := func(length int, w *Window[tally]) {
		k := [2]int64{int64(length), w.Start}
		if _, again := final[k]; again == (w.Amended == 0) || again && w.Amended <= amended[k] {
			t.Errorf("window %v is handed out with %d amendments after %d", k, w.Amended, amended[k])
		}
		final[k], amended[k] = w.Value, w.Amended
	}
	now := noon
	for _, e := range events {
		when := noon.Add(e.at)
		if when.After(now) {
			now = when
		}
		if v := w.Add(when, now, func(v *tally) { v.take(e.number) }, done); v != Taken {
			t.Fatalf("the event at %s is refused (%d), the watermark is at %s", e.at, v, w.Watermark().Sub(noon))
		}
		switch r.IntN(4) {
		case 0:
			w.Advance(now.Add(time.Duration(r.Int64N(int64(5*time.Second)))), done)
		case 1:
			w = again(t, &w)
		}
	}
	w.Advance(now.Add(time.Hour), done)
	if wake := w.Wake(); !wake.IsZero() {
		t.Errorf("after the end it wants to wake at %s", wake)
	}
	return final
}

// again returns w as its state reads back.
func again(t *testing.T, w *Windows[tally]) Windows[tally] {
	t.Helper()
	c := coder.Writer(nil)
	w.Code(c, codeTally)
	read := New[tally](w.plan)
	in := coder.Reader(c.Bytes())
	read.Code(in, codeTally)
	if err := in.End(); err != nil {
		t.Fatalf("the state does not read back: %v", err)
	}
	return read
}

// within shuffles events so that none comes more than lateness behind another.
func within(events []event, lateness time.Duration, r *rand.Rand) []event {
	type arrival struct {
		event
		at time.Duration
	}
	var all []arrival
	for _, e := range events {
		all = append(all, arrival{e, e.at + time.Duration(r.Int64N(int64(lateness)+1))})
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i := range all { // insertion sort: those of one time stay shuffled
		for j := i; j > 0 && all[j].at < all[j-1].at; j-- {
			all[j], all[j-1] = all[j-1], all[j]
		}
	}
	shuffled := make([]event, len(all))
	for i, a := range all {
		shuffled[i] = a.event
	}
	return shuffled
}

// checkOrder holds that any order within lateness, with silence and restarts in
// between, ends in the windows that a plain loop over all events finds.
func checkOrder(t *testing.T, gaps []byte, seed uint64, delay uint16) {
	r := rand.New(rand.NewPCG(seed, 0))
	policy := Default
	policy.Delay = time.Duration(delay) * time.Millisecond
	plan, err := NewPlan(policy, tumbling(time.Second), tumbling(time.Minute), Length{Size: 10 * time.Second, Slide: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var events []event
	var at time.Duration
	for i, gap := range gaps[:min(len(gaps), 300)] {
		at += time.Duration(gap) * time.Duration(gap) * time.Millisecond
		events = append(events, event{at, int64(i)})
	}
	want := make(map[[2]int64]tally)
	for _, e := range events {
		for i, l := range plan.Lengths {
			t := noon.Add(e.at).UnixNano()
			for start := t / int64(l.Slide) * int64(l.Slide); start > t-int64(l.Size); start -= int64(l.Slide) {
				v := want[[2]int64{int64(i), start}]
				v.take(e.number)
				want[[2]int64{int64(i), start}] = v
			}
		}
	}
	got := run(t, plan, within(events, policy.Lateness, r), r)
	for k, v := range want {
		if got[k] != v {
			t.Errorf("window %v holds %v, want %v", k, got[k], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("there are %d windows, want %d", len(got), len(want))
	}
}

func TestAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		gaps := make([]byte, 200)
		for i := range gaps {
			gaps[i] = byte(r.IntN(1 + r.IntN(1+int(seed))))
		}
		checkOrder(t, gaps, seed, uint16(seed%3*1500))
	}
}

func FuzzOrder(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 200, 10, 10, 255, 255, 0}, uint64(1), uint16(0))
	f.Add(bytes.Repeat([]byte{7, 90, 13}, 60), uint64(2), uint16(2500))
	f.Fuzz(checkOrder)
}

// FuzzCode reads anything: it is refused, or it is written as it was read.
func FuzzCode(f *testing.F) {
	plan, err := NewPlan(Default, tumbling(time.Second), Length{Size: time.Minute, Slide: time.Second})
	if err != nil {
		f.Fatal(err)
	}
	w := New[tally](plan)
	for _, s := range []float64{0, 1, 0.5, 17, 16, 300} {
		c := coder.Writer(nil)
		w.Code(c, codeTally)
		f.Add(c.Bytes())
		w.Add(at(s), at(s), func(v *tally) { v.take(1) }, func(int, *Window[tally]) {})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := coder.Reader(data)
		w := New[tally](plan)
		w.Code(c, codeTally)
		if c.End() != nil {
			return
		}
		w = again(t, &w) // what has passed its time is not written
		one, two := coder.Writer(nil), coder.Writer(nil)
		w.Code(one, codeTally)
		w = again(t, &w)
		if w.Code(two, codeTally); !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Errorf("%x\nis written as\n%x", one.Bytes(), two.Bytes())
		}
		w.Wake()
		w.Growing(0)
		w.Advance(noon, func(int, *Window[tally]) {})
		w.Add(noon, noon, func(v *tally) { v.take(1) }, func(int, *Window[tally]) {})
	})
}
