package alerts

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
)

// midday is when the tests begin.
var midday = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// rig judges rules on ticks of one symbol.
type rig struct {
	t      *testing.T
	set    *set
	state  *state
	offset int64
	clock  time.Time // when the newest tick was produced
}

func rules(when ...string) []streamflow.Rule {
	var all []streamflow.Rule
	for i, w := range when {
		all = append(all, streamflow.Rule{ID: "r" + string(rune('a'+i)), Symbol: "AAPL", When: w})
	}
	return all
}

func newRig(t *testing.T, all ...streamflow.Rule) *rig {
	t.Helper()
	r := &rig{t: t, clock: midday}
	r.use(all...)
	return r
}

// use goes on under other rules, as the platform does when they change.
func (r *rig) use(all ...streamflow.Rule) {
	r.t.Helper()
	policy, err := parseSettings(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	set, errs := newSet(all, policy)
	for _, err := range errs {
		r.t.Fatal(err)
	}
	old := r.state
	fresh := newState(set, "AAPL")
	r.set, r.state = set, &fresh
	if old == nil {
		return
	}
	data, err := old.AppendBinary(nil)
	if err == nil {
		err = r.state.UnmarshalBinary(data)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// restore replaces the state by what its saved form yields.
func (r *rig) restore() {
	r.t.Helper()
	data, err := r.state.AppendBinary(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	fresh := newState(r.set, "AAPL")
	if err := fresh.UnmarshalBinary(data); err != nil {
		r.t.Fatal(err)
	}
	again, err := fresh.AppendBinary(nil)
	if err != nil || !bytes.Equal(data, again) {
		r.t.Fatalf("the state of %d bytes reads back as another one of %d (%v)", len(data), len(again), err)
	}
	if due, want := fresh.wake(), r.state.wake(); !due.Equal(want) {
		r.t.Fatalf("restored it wants to be woken at %s, before at %s", due, want)
	}
	r.state = &fresh
}

// tick steps a tick of an event time that is produced as soon as it can be.
func (r *rig) tick(at time.Duration, price float64, volume int64) []streamflow.Alert {
	r.clock = maxTime(r.clock, midday.Add(at))
	return r.produced(at, r.clock, price, volume)
}

func (r *rig) produced(at time.Duration, produced time.Time, price float64, volume int64) []streamflow.Alert {
	r.t.Helper()
	r.offset++
	in := &functions.Input{
		Key: "AAPL", Tick: streamflow.Tick{Symbol: "AAPL", Price: price, Volume: volume, Time: midday.Add(at)},
		Message: &streamflow.Message{
			Position: streamflow.Position{Topic: "stock_ticks", Offset: r.offset},
			Hops:     string(streamflow.AppendHop(nil, streamflow.HopKafka, produced)),
		},
	}
	return r.step(in)
}

// wake lets the clock run until a time.
func (r *rig) wake(until time.Duration) []streamflow.Alert {
	r.t.Helper()
	var all []streamflow.Alert
	for range 100 {
		due := r.state.wake()
		if due.IsZero() || due.After(midday.Add(until)) {
			return all
		}
		all = append(all, r.step(&functions.Input{Key: "AAPL", Now: due})...)
	}
	r.t.Fatal("the state wants to be woken without end")
	return nil
}

func (r *rig) step(in *functions.Input) []streamflow.Alert {
	r.t.Helper()
	if err := r.state.step(in, &functions.Output{}); err != nil {
		r.t.Fatal(err)
	}
	return append([]streamflow.Alert(nil), r.state.raised...)
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// prices steps a tick a second and returns which of them fired: "..x." is the third.
func (r *rig) prices(prices ...float64) string {
	r.t.Helper()
	var b strings.Builder
	for _, p := range prices {
		r.clock = r.clock.Add(time.Second)
		if len(r.produced(r.clock.Sub(midday), r.clock, p, 100)) > 0 {
			b.WriteByte('x')
		} else {
			b.WriteByte('.')
		}
	}
	return b.String()
}

// timeOf spaces ticks so that candles of a second close.
func timeOf(i int) time.Duration { return time.Duration(i) * 700 * time.Millisecond }
