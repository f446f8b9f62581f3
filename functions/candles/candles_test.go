package candles

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
)

// message is a tick as it comes from stream TICKS.
func message(a arrival) *streamflow.Message {
	return &streamflow.Message{
		Subject: streamflow.TickSubject(a.Tick.Symbol), Data: a.Tick.AppendJSON(nil), Position: a.Position,
		Hops: string(streamflow.AppendHop(nil, streamflow.HopKafka, a.produced)),
	}
}

// wire reads what the function publishes.
type wire struct {
	*finals
	facts, amendments int
}

func (w *wire) take(facts []streamflow.Message, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range facts {
		w.facts++
		c := w.candle(m)
		if c.Amended > 0 {
			w.amendments++
		}
		w.finals.take(c)
	}
}

func (w *wire) candle(m streamflow.Message) streamflow.Candle {
	w.t.Helper()
	var c streamflow.Candle
	if err := c.UnmarshalJSON(m.Data); err != nil {
		w.t.Fatalf("%s: %s: %v", m.Subject, m.Data, err)
	}
	if want := streamflow.CandleSubject(c.Interval, c.Symbol); m.Subject != want {
		w.t.Errorf("%s is on subject %s, want %s", m.Data, m.Subject, want)
	}
	return c
}

// The function, with silence, views and restarts at any point, ends in the
// candles of a batch.
func TestFunctionIsBatch(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 5))
		ticks := market(r, 1000, time.Minute)
		b, w := functions.NewBatch(New(Params{})), &wire{finals: newFinals(t)}
		for _, a := range ticks {
			w.take(b.Step(message(a)))
			switch r.IntN(60) {
			case 0:
				data, err := b.Save()
				if err != nil {
					t.Fatal(err)
				}
				b = functions.NewBatch(New(Params{Lateness: "91s"})) // a setting that a state outlives
				if err := b.Restore(data); err != nil {
					t.Fatal(err)
				}
			case 1, 2:
				w.take(b.Advance(a.produced.Add(time.Duration(r.Int64N(int64(5 * time.Second))))))
			case 3:
				for _, m := range b.Views() {
					c := w.candle(m)
					if before := w.all[keyOf(c)]; c.Closed || c.Trades <= before.Trades {
						t.Errorf("the view %s shows nothing new, done is %+v", m.Data, before)
					}
				}
			}
		}
		w.take(b.Advance(noon.AddDate(1, 0, 0)))
		w.equal(batch(ticks), true)
		if len(w.all) == w.facts || w.facts-w.amendments != len(w.all) {
			t.Errorf("%d facts, %d of them amendments, make %d candles", w.facts, w.amendments, len(w.all))
		}
	}
}

func TestRefusedTicksAreCounted(t *testing.T) {
	b, w := functions.NewBatch(New(Params{Intervals: []streamflow.Interval{streamflow.Minute1}, Lateness: "10s"})), &wire{finals: newFinals(t)}
	for i, c := range []struct{ at, produced time.Duration }{{0, 0}, {time.Minute, time.Minute}, {49 * time.Second, time.Minute}, {50 * time.Second, time.Minute}, {time.Hour, time.Minute}} {
		tick := streamflow.Tick{Symbol: "A", Price: 1, Volume: 1, Time: noon.Add(c.at)}
		w.take(b.Step(message(arrival{streamflow.Mirrored{Tick: tick, Position: streamflow.Position{Topic: "t", Offset: int64(i)}}, noon.Add(c.produced)})))
	}
	if counts := b.Counts(); counts["late"] != 1 || counts["ahead"] != 1 || len(counts) != 2 {
		t.Errorf("counted is %v, want one late and one ahead", counts)
	}
	if w.facts != 2 || w.amendments != 1 {
		t.Errorf("%d facts and %d amendments, want 2 and 1", w.facts, w.amendments)
	}
}

// All that one step can hand out at worst fits into one atomic write.
func TestWorstStepFits(t *testing.T) {
	f := New(Params{Delay: "5m"})
	b, w := functions.NewBatch(f), &wire{finals: newFinals(t)}
	offset := int64(0)
	feed := func(at, produced time.Time) []streamflow.Message {
		offset++
		tick := streamflow.Tick{Symbol: "A", Price: 1, Volume: 1, Time: at}
		facts, err := b.Step(message(arrival{streamflow.Mirrored{Tick: tick, Position: streamflow.Position{Topic: "t", Offset: offset}}, produced}))
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(facts)
	}
	start := noon.Add(11*time.Hour + 50*time.Minute)
	feed(start, start)
	for s := -300; s <= 360; s++ {
		feed(start.Add(time.Duration(s)*time.Second), start)
	}
	facts := feed(start.Add(24*time.Hour), start.Add(24*time.Hour))
	if w.take(facts, nil); len(facts) < 600 || len(facts) > functions.MaxFacts {
		t.Errorf("a step publishes %d facts, want several hundred and at most %d", len(facts), functions.MaxFacts)
	}
}
