package alerts

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"streamflow"
)

// conditions are of every kind, all of which fire on the walks below.
var conditions = []string{
	"price above 101", "price crosses 100", "price <= 98.5", "change over 1% in 30s", "change down over 2% in 5m",
	"volume over 2x average(5, 1s)", "volume > 95", "rsi(5, 1s) > 70", "sma(3, 1s) crosses above ema(5, 1s)",
	"macd(3, 6, 3, 1m).histogram < 0", "rsi(7) < 25", "price > 1.002x sma(4, 1m)", "high(1m) > 100.5 and low(1m) < 100",
	"bollinger(5, 2).upper crosses below 101", "stale 20s", "stale 3s", "close(1s) crosses close(1m)", "price crosses above vwap(1m) and volume > 50",
}

func randomRules(r *rand.Rand) []streamflow.Rule {
	var all []streamflow.Rule
	for i, when := range conditions {
		rule := streamflow.Rule{ID: "r" + string(rune('a'+i)), Symbol: []string{"AAPL", "*"}[r.IntN(2)], When: when}
		if r.IntN(3) == 0 {
			rule.Cooldown = "7s"
		}
		if r.IntN(3) == 0 && !strings.Contains(when, " and ") && !strings.HasPrefix(when, "stale") {
			rule.Hysteresis = 0.5
		}
		all = append(all, rule)
	}
	return all
}

// event is a tick, or a look at the clock.
type event struct {
	at, produced time.Duration
	price        float64
	volume       int64
	clock        bool
}

// walk is a random walk of a price: bursts and silences, late ticks and early ones.
func walk(r *rand.Rand, n int) []event {
	var events []event
	var now time.Duration
	price := 100.0
	for range n {
		if now += time.Duration(r.IntN(900)) * time.Millisecond; r.IntN(60) == 0 {
			now += time.Duration(r.IntN(120)) * time.Second
			events = append(events, event{produced: now, clock: true})
		}
		price = max(90, min(110, price*(1+r.NormFloat64()/300)))
		at := now
		switch r.IntN(15) {
		case 0:
			at -= time.Duration(r.IntN(100_000)) * time.Millisecond
		case 1:
			at += time.Duration(r.IntN(3000)) * time.Millisecond
		}
		events = append(events, event{at: at, produced: now, price: float64(int(price*100)) / 100, volume: int64(r.IntN(100))})
	}
	return append(events, event{produced: now + time.Hour, clock: true})
}

func (r *rig) play(e event) []streamflow.Alert {
	r.t.Helper()
	if e.clock {
		return r.wake(e.produced)
	}
	return r.produced(e.at, midday.Add(e.produced), e.price, e.volume)
}

// All rules at once raise what each of them raises by itself; and so do they when
// the state is saved and restored, and when other rules come and go meanwhile.
func TestSameAlertsHoweverTheyAreComputed(t *testing.T) {
	fired := make(map[string]int)
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		all, events := randomRules(r), walk(r, 1500)
		together, restored := newRig(t, all...), newRig(t, all...)
		var want, got []streamflow.Alert
		for _, e := range events {
			want = append(want, together.play(e)...)
			if r.IntN(4) == 0 {
				restored.restore()
			}
			got = append(got, restored.play(e)...)
		}
		if !same(got, want) {
			t.Fatalf("seed %d: %d alerts of a state that was restored now and then, %d of one that was not", seed, len(got), len(want))
		}
		for _, rule := range all {
			mine := func(a streamflow.Alert) bool { return a.Rule != rule.ID }
			want := slices.DeleteFunc(slices.Clone(want), mine)
			fired[rule.When] += len(want)
			alone, among := newRig(t, rule), newRig(t, rule)
			var one, many []streamflow.Alert
			for i, e := range events {
				one = append(one, alone.play(e)...)
				if i%100 == 50 {
					among.use(append(some(r, all, rule.ID), rule)...)
				}
				many = append(many, among.play(e)...)
			}
			many = slices.DeleteFunc(many, mine)
			if !same(one, want) || !same(many, want) {
				t.Errorf("seed %d: %+v: %d alerts among all rules, %d by itself, %d among changing ones", seed, rule, len(want), len(one), len(many))
			}
		}
	}
	for _, when := range conditions {
		if fired[when] == 0 {
			t.Errorf("%q never fired: the property shows nothing", when)
		}
	}
}

func same(a, b []streamflow.Alert) bool {
	return slices.EqualFunc(a, b, func(a, b streamflow.Alert) bool { return reflect.DeepEqual(a, b) })
}

// some returns some of the rules but one.
func some(r *rand.Rand, all []streamflow.Rule, but string) []streamflow.Rule {
	var kept []streamflow.Rule
	for _, rule := range all {
		if rule.ID != but && r.IntN(2) == 0 {
			kept = append(kept, rule)
		}
	}
	return kept
}

// The IDs of a run are all different, and the next run has the same.
func TestIDsAreDeterministic(t *testing.T) {
	ids := func() (all []string) {
		r := rand.New(rand.NewPCG(7, 7))
		rig := newRig(t, randomRules(r)...)
		for _, e := range walk(r, 1500) {
			for _, a := range rig.play(e) {
				all = append(all, a.ID)
			}
		}
		return all
	}
	first := ids()
	if !slices.Equal(first, ids()) {
		t.Error("another run has other IDs")
	}
	slices.Sort(first)
	if n := len(slices.Compact(slices.Clone(first))); n != len(first) || n < 100 {
		t.Errorf("%d IDs, %d different ones", len(first), n)
	}
}

// A rule of which only the condition changed begins anew; all else leaves its state.
func TestRulesThatChange(t *testing.T) {
	rule := streamflow.Rule{ID: "r", Symbol: "AAPL", When: "price > 200"}
	r := newRig(t, rule)
	if got := r.prices(201); got != "x" {
		t.Fatal(got)
	}
	rule.Name, rule.Severity, rule.Cooldown, rule.When = "other", streamflow.SeverityCritical, "1s", "price   ABOVE 200"
	r.use(rule)
	if got := r.prices(202); got != "." {
		t.Errorf("%s: a rule that means the same fires again", got)
	}
	rule.When = "price > 150"
	r.use(rule)
	if got := r.prices(202); got != "x" {
		t.Errorf("%s: a new condition does not begin anew", got)
	}
	r.use()
	r.use(rule)
	if got := r.prices(202); got != "x" {
		t.Errorf("%s: a rule that was removed and made again does not begin anew", got)
	}
}

// The rules say what they need, and what they share is there once.
func TestPlanMakesOnlyWhatIsNeeded(t *testing.T) {
	r := newRig(t, rules("rsi(14, 1m) > 70", "rsi(14, 1m) < 30", "rsi(1m) crosses 50", "macd(5m) > 0 and macd(5m).signal > 0", "change over 5% in 10m", "change down over 1% in 10m")...)
	p := r.state.plan
	if len(p.indicators) != 2 || len(p.intervals) != 2 || len(p.changes) != 1 || len(p.averages) != 0 || len(r.state.builders) != 2 {
		t.Errorf("%+v", p)
	}
}
