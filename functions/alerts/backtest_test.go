package alerts

import (
	"errors"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
)

// history is the ticks of a walk as they come out of a table.
func history(events []event, offset int64) iter.Seq2[streamflow.Mirrored, error] {
	return func(yield func(streamflow.Mirrored, error) bool) {
		for _, e := range events {
			if e.clock {
				continue
			}
			offset++
			m := streamflow.Mirrored{
				Tick:     streamflow.Tick{Symbol: "AAPL", Price: e.price, Volume: e.volume, Time: midday.Add(e.at)},
				Position: streamflow.Position{Topic: "stock_ticks", Offset: offset},
				Hops:     []streamflow.Hop{{Name: streamflow.HopKafka, At: midday.Add(e.produced)}},
			}
			if !yield(m, nil) {
				return
			}
		}
	}
}

// A rule tried on history raises what it would have raised live.
func TestBacktestIsWhatWouldHaveBeen(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	events := walk(r, 1000)
	for _, rule := range randomRules(r) {
		live := newRig(t, rule)
		var want, got []streamflow.Alert
		for _, e := range events {
			// Live the clock goes on by itself between ticks.
			want = append(want, live.wake(e.produced-1)...)
			want = append(want, live.play(e)...)
		}
		rule.Disabled = true
		for a, err := range Backtest(rule, nil, history(events, 0), midday.Add(events[len(events)-1].produced)) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, a)
		}
		if !same(got, want) {
			t.Errorf("%+v: %d alerts, live %d", rule, len(got), len(want))
		}
	}
}

func TestBacktestEnds(t *testing.T) {
	events := []event{{price: 1}, {price: 3, at: 1}, {price: 1, at: 2}, {price: 3, at: 3}}
	rule := streamflow.Rule{ID: "r", Symbol: "*", When: "price > 2"}
	for range Backtest(rule, nil, history(events, 0), midday) {
		break
	}
	broken := func(yield func(streamflow.Mirrored, error) bool) {
		yield(streamflow.Mirrored{}, errors.New("no table"))
	}
	n := 0
	for _, err := range Backtest(rule, nil, broken, midday) {
		if n++; err == nil {
			t.Error("the error of the ticks is lost")
		}
	}
	rule.When = "price"
	for _, err := range Backtest(rule, nil, history(events, 0), midday) {
		if n++; err == nil {
			t.Error("the error of the rule is lost")
		}
	}
	if n != 2 {
		t.Errorf("%d yields", n)
	}
}

// The whole function, as the platform runs it: saved and restored anywhere, it
// publishes the same facts.
func TestFunctionIsTheSameRestored(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	all := randomRules(r)
	f, errs := New(all, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	whole, parted := functions.NewBatch(f), functions.NewBatch(f)
	facts := 0
	for _, symbol := range []string{"AAPL", "BTC/USD"} {
		n := int64(0)
		for _, e := range walk(r, 400) {
			n++
			var msg *streamflow.Message
			if !e.clock {
				tick := streamflow.Tick{Symbol: symbol, Price: e.price, Volume: e.volume, Time: midday.Add(e.at)}
				msg = &functions.Ticks(tick)[0]
				msg.Position.Offset = n
				msg.Hops = string(streamflow.AppendHop(nil, streamflow.HopKafka, midday.Add(e.produced)))
			}
			step := func(b *functions.Batch) (texts []string) {
				facts, err := b.Advance(midday.Add(e.produced))
				if msg != nil {
					facts, err = b.Step(msg)
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range facts {
					texts = append(texts, m.Subject+" "+string(m.Data))
				}
				return texts
			}
			want := step(whole)
			if r.IntN(5) == 0 {
				state, err := parted.Save()
				if err == nil {
					err = parted.Restore(state)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			got := step(parted)
			if facts += len(want); len(got) != len(want) {
				t.Fatalf("%q, restored %q", want, got)
			}
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("%q, restored %q", want[i], got[i])
				}
			}
		}
	}
	if facts < 50 {
		t.Errorf("%d facts show nothing", facts)
	}
}

// A symbol that no rule concerns has no state.
func TestSymbolsWithoutRulesCostNothing(t *testing.T) {
	f, _ := New([]streamflow.Rule{{ID: "r", Symbol: "AAPL", When: "price > 3"}}, nil)
	b := functions.NewBatch(f)
	for _, m := range functions.Ticks(streamflow.Tick{Symbol: "MSFT", Price: 4, Time: midday}, streamflow.Tick{Symbol: "AAPL", Price: 4, Time: midday.Add(time.Second)}) {
		if _, err := b.Step(&m); err != nil {
			t.Fatal(err)
		}
	}
	if keys := b.Keys(); len(keys) != 1 || keys[0] != "AAPL" {
		t.Error(keys)
	}
}
