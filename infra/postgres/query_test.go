package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"streamflow"
)

func TestTicksPages(t *testing.T) {
	d := newDB(t)
	rng := rand.New(rand.NewPCG(3, 4))
	var all []streamflow.Mirrored
	for i := range int64(500) { // few different times: the cursor decides by partition and offset
		all = append(all, mirror(int32(rng.IntN(3)), i, streamflow.Tick{Symbol: "A", Price: 1, Time: day.Add(time.Duration(rng.IntN(20)) * time.Second)}))
		all = append(all, mirror(0, 1000+i, streamflow.Tick{Symbol: "B", Price: 1, Time: day}))
	}
	archiveAll(t, d, all, nil, positions{part(0): 2000, part(1): 2000, part(2): 2000})
	byPosition := func(a, b streamflow.Mirrored) int {
		if c := a.Tick.Time.Compare(b.Tick.Time); c != 0 {
			return c
		}
		if a.Position.Partition != b.Position.Partition {
			return int(a.Position.Partition - b.Position.Partition)
		}
		return int(a.Position.Offset - b.Position.Offset)
	}
	for _, q := range []TicksQuery{
		{}, {OldestFirst: true},
		{From: day.Add(3 * time.Second), To: day.Add(12 * time.Second)},
		{From: day.Add(3*time.Second + 1), OldestFirst: true},
		{To: day.Add(3*time.Second + 1)},
	} {
		var want []streamflow.Position
		sorted := slices.Clone(all)
		slices.SortFunc(sorted, byPosition)
		if !q.OldestFirst {
			slices.Reverse(sorted)
		}
		for _, m := range sorted {
			if m.Tick.Symbol == "A" && !m.Tick.Time.Before(q.From) && (q.To.IsZero() || m.Tick.Time.Before(q.To)) {
				want = append(want, m.Position)
			}
		}
		q.Symbol, q.Limit = "A", 7
		var got []streamflow.Position
		for {
			page, err := d.Ticks(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page {
				got = append(got, m.Position)
			}
			if len(page) < q.Limit {
				break
			}
			last := CursorOf(page[len(page)-1])
			q.After = &last
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: %d ticks, want %d, or another order", q, len(got), len(want))
		}
	}
	if _, err := d.Ticks(t.Context(), TicksQuery{}); err == nil {
		t.Error("no symbol, no error")
	}
	for symbol, want := range map[string]bool{"A": true, "C": false, "": false} {
		if has, err := d.HasSymbol(t.Context(), symbol); err != nil || has != want {
			t.Errorf("HasSymbol(%q) = %v, %v", symbol, has, err)
		}
	}
	if _, ok, err := d.At(t.Context(), streamflow.Position{Topic: streamflow.TopicTicks, Offset: 99999}); ok || err != nil {
		t.Error("a tick at an unknown position", err)
	}
}

func TestDays(t *testing.T) {
	d := newDB(t)
	offset := int64(-1)
	add := func(symbol string, at time.Duration, price float64, volume int64) streamflow.Mirrored {
		offset++
		return mirror(0, offset, streamflow.Tick{Symbol: symbol, Price: price, Volume: volume, Time: day.Add(at)})
	}
	const us = time.Microsecond
	ticks := []streamflow.Mirrored{
		add("A", -24*time.Hour, 1, 1),
		add("A", -us, 2, 1), // the last moment of the day before
		add("A", 0, 10, 5),  // midnight belongs to the day
		add("A", 5*time.Hour, 30, 5),
		add("A", 24*time.Hour-us, 20, 5), // the last moment
		add("A", 24*time.Hour, 99, 7),    // the next day
		add("A", 4*time.Hour, 5, 5),      // late
		add("A", 0, 11, 5),               // the same moment as the first, a later offset
		add("B", -time.Hour, 50, 1),      // rested on the day
		add("C", 48*time.Hour, 70, 1),    // not there yet
		add("D", time.Hour, 80, 9_000_000_000_000_000_000),
		add("D", time.Hour, 81, 9_000_000_000_000_000_000), // the sum has no room
	}
	archiveAll(t, d, ticks, nil, positions{part(0): offset})
	got, at, err := d.Days(t.Context(), day)
	if err != nil {
		t.Fatal(err)
	}
	if want := (positions{part(0): offset}); !reflect.DeepEqual(at, want) {
		t.Errorf("positions %v, want %v", at, want)
	}
	want := []streamflow.Day{
		{Symbol: "A", Date: day, Reference: 2, ReferenceTime: day.Add(-us), Open: 10, OpenTime: day, High: 30, Low: 5, Volume: 25, Ticks: 5, Last: ticks[4].Tick},
		{Symbol: "B", Date: day, Reference: 50, ReferenceTime: day.Add(-time.Hour), Last: ticks[8].Tick},
		{Symbol: "D", Date: day, Open: 80, OpenTime: day.Add(time.Hour), High: 81, Low: 80, Volume: 1<<63 - 1, Ticks: 2, Last: ticks[11].Tick},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("days\n%+v, want\n%+v", got, want)
	}
	if got, at, err := newDB(t).Days(t.Context(), day); err != nil || len(got) != 0 || len(at) != 0 {
		t.Errorf("an empty table: %v, %v, %v", got, at, err)
	}
}

func TestScan(t *testing.T) {
	d := newDB(t, WithStatementTimeout(time.Second))
	ticks, to := makeTicks(rand.New(rand.NewPCG(5, 6)), 5000, 50, 0, day, time.Millisecond)
	archiveAll(t, d, ticks, nil, to)
	marks := positions{part(0): 100, part(1): to[part(1)], {Topic: "other", Number: 2}: 9}
	want := map[streamflow.Position]streamflow.Tick{}
	for _, m := range ticks {
		if mark, ok := marks[m.Position.In()]; ok && m.Position.Offset <= mark {
			want[m.Position] = m.Tick
		}
	}
	err := d.Scan(t.Context(), marks, func(m streamflow.Mirrored) error {
		if tick, ok := want[m.Position]; !ok || !sameTick(m.Tick, tick) {
			t.Errorf("%s: %+v, want %+v", m.Position, m.Tick, tick)
		}
		delete(want, m.Position)
		return nil
	})
	if err != nil || len(want) != 0 {
		t.Fatalf("%d ticks are missing: %v", len(want), err)
	}
	stop, n := errors.New("stop"), 0
	err = d.Scan(t.Context(), to, func(streamflow.Mirrored) error { n++; return stop })
	if !errors.Is(err, stop) || n != 1 {
		t.Fatalf("stopped after %d with %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = d.Scan(ctx, to, func(streamflow.Mirrored) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("cancelled: %v", err)
	}
	if n := count(t, d); n != len(ticks) {
		t.Fatal("the pool is broken after that")
	}
}

func TestPrune(t *testing.T) {
	d := newDB(t)
	ticks, to := makeTicks(rand.New(rand.NewPCG(5, 6)), 1000, 50, 0, day, time.Second)
	archiveAll(t, d, ticks, nil, to)
	for _, want := range []int64{300, 300, 0} {
		n, err := d.Prune(t.Context(), day.Add(600*time.Second), 300)
		if err != nil || n != want {
			t.Fatalf("pruned %d, %v, want %d", n, err, want)
		}
	}
	err := d.Scan(t.Context(), to, func(m streamflow.Mirrored) error {
		if m.Tick.Time.Before(day.Add(600 * time.Second)) {
			t.Errorf("%s is still there", m.Tick.Time)
		}
		return nil
	})
	if n := count(t, d); err != nil || n != 400 {
		t.Fatalf("%d rows are left, %v", n, err)
	}
}
