package alerts

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"streamflow"
)

// Which tick of a course of prices fires.
func TestEdges(t *testing.T) {
	for _, c := range []struct {
		name, when string
		hysteresis float64
		prices     []float64
		want       string
	}{
		{"above fires once, then re-arms", "price above 200", 0, []float64{199, 201, 202, 200, 201, 199, 203}, ".x..x.x"},
		{"above fires if it is true from the start", "price above 200", 0, []float64{201, 202}, "x."},
		{"at the bound is not above", "price > 200", 0, []float64{200, 200, 200.01}, "..x"},
		{"at the bound is at least", "price >= 200", 0, []float64{199.99, 200, 200, 199, 200}, ".x..x"},
		{"below", "price below 100", 0, []float64{101, 99, 98, 100, 99}, ".x..x"},
		{"at most", "price <= 100", 0, []float64{101, 100, 100.5, 99}, ".x.x"},
		{"hysteresis of above", "price above 200", 2, []float64{201, 199, 201, 198.01, 201, 198, 201}, "x.....x"},
		{"hysteresis of below", "price below 200", 2, []float64{199, 201.9, 199, 202, 199}, "x...x"},
		{"crossing needs both sides", "price crosses above 200", 0, []float64{201, 202, 199, 201}, "...x"},
		{"to touch is not to cross", "price crosses above 200", 0, []float64{199, 200, 199, 200, 201}, "....x"},
		{"from the bound is not a crossing", "price crosses above 200", 0, []float64{200, 201}, ".."},
		{"crosses above only", "price crosses above 200", 0, []float64{201, 199, 201, 199}, "..x."},
		{"crosses below only", "price crosses below 200", 0, []float64{201, 199, 201, 199}, ".x.x"},
		{"crosses either way", "price crosses 200", 0, []float64{201, 199, 201, 200, 199, 198}, ".xx.x."},
		{"hysteresis of a crossing", "price crosses above 200", 1, []float64{199.9, 200.1, 199.9, 200.1, 199, 200.1}, ".x...x"},
		{"hysteresis counts from the first crossing on", "price crosses 200", 1, []float64{199.9, 200.1, 199.9, 200.1, 201, 199.9}, ".x...x"},
		{"both of and", "price > 100 and price < 110", 0, []float64{99, 105, 111, 105, 106, 99, 101}, ".x.x..x"},
		{"a crossing and a level", "price crosses above 100 and price < 110", 0, []float64{99, 115, 99, 105}, "...x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule := streamflow.Rule{ID: "r", Symbol: "AAPL", When: c.when, Hysteresis: c.hysteresis}
			if got := newRig(t, rule).prices(c.prices...); got != c.want {
				t.Errorf("%s of %v: %s, want %s", c.when, c.prices, got, c.want)
			}
		})
	}
}

func TestCooldownAndExpiryByEventTime(t *testing.T) {
	r := newRig(t, streamflow.Rule{ID: "r", Symbol: "AAPL", When: "price > 200", Cooldown: "10s", Expires: midday.Add(30 * time.Second)})
	for _, c := range []struct {
		at    time.Duration
		price float64
		fires bool
	}{
		{0, 199, false}, {1 * time.Second, 201, true}, {2 * time.Second, 199, false},
		{3 * time.Second, 201, false},  // cooling down
		{12 * time.Second, 201, false}, // what became true meanwhile is not told later
		{13 * time.Second, 199, false}, {14 * time.Second, 201, true},
		{23 * time.Second, 199, false}, {24 * time.Second, 201, true}, // to the second
		{29 * time.Second, 199, false}, {35 * time.Second, 201, false}, // expired
	} {
		if got := len(r.tick(c.at, c.price, 1)) > 0; got != c.fires {
			t.Errorf("at %s, price %v: fires %v, want %v", c.at, c.price, got, c.fires)
		}
	}
}

func TestChange(t *testing.T) {
	r := newRig(t, rules("change over 5% in 10m", "change up over 5% in 10m", "change down over 5% in 10m")...)
	fired := func(alerts []streamflow.Alert) (ids string) {
		for _, a := range alerts {
			ids += a.Rule[1:]
		}
		return ids
	}
	for _, c := range []struct {
		at    time.Duration
		price float64
		want  string
	}{
		{0, 100, ""},
		{5 * time.Minute, 105, ""},   // exactly 5 %
		{6 * time.Minute, 106, "ab"}, // over it
		{7 * time.Minute, 107, ""},   // still
		{20 * time.Minute, 107, ""},  // the window has forgotten
		{21 * time.Minute, 101, "ac"},
		{29 * time.Minute, 107, "b"}, // a is true all the time
	} {
		if got := fired(r.tick(c.at, c.price, 1)); got != c.want {
			t.Errorf("at %s, price %v: %q fire, want %q", c.at, c.price, got, c.want)
		}
	}
}

// A move that takes longer than the window never fires, however it is cut.
func TestChangeNeverReachesFurtherThanItsWindow(t *testing.T) {
	for shift := range 60 {
		r := newRig(t, rules("change over 5% in 10m")...)
		from := time.Duration(shift) * time.Second / 3
		r.tick(from, 100, 1)
		if got := r.tick(from+10*time.Minute+time.Millisecond, 110, 1); len(got) > 0 {
			t.Fatalf("from %s: %+v", from, got)
		}
		if got := r.tick(from+19*time.Minute+50*time.Second, 120, 1); len(got) != 1 {
			t.Fatalf("from %s: a move within 59/60 of the window is not seen", from)
		}
	}
}

func TestVolumeOverItsAverage(t *testing.T) {
	r := newRig(t, rules("volume over 3x average(3, 1m)")...)
	for minute, volume := range []int64{100, 90, 110, 300, 301, 5, 5, 5, 5, 16} {
		got := r.tick(time.Duration(minute)*time.Minute, 10, volume)
		// The volume of a minute is judged when the next one begins: 300 is not over
		// 3 x 100, 301 not over 3 x 166.7, and 16 is in the minute that is open.
		if len(got) > 0 {
			t.Fatalf("minute %d: %+v", minute, got)
		}
	}
	got := r.tick(10*time.Minute, 10, 1)
	if len(got) != 1 || got[0].Values["volume(1m)"] != 16 || got[0].Values["average(3, 1m)"] != 5 || !got[0].Time.Equal(midday.Add(10*time.Minute)) {
		t.Fatalf("16 is over 3x 5: %+v", got)
	}
	if want := "AAPL: volume(1m) 16 is above 3x average(3, 1m) (15)."; got[0].Text != want {
		t.Errorf("text %q, want %q", got[0].Text, want)
	}
}

// Indicators on candles are judged when a candle closes, by a tick or the clock.
func TestIndicatorsOnCandles(t *testing.T) {
	r := newRig(t, rules("sma(2, 1m) crosses above sma(4, 1m)")...)
	closes := []float64{10, 9, 8, 7, 6, 12}
	for minute, price := range closes {
		if got := r.tick(time.Duration(minute)*time.Minute, price, 1); len(got) > 0 {
			t.Fatalf("minute %d: %+v", minute, got)
		}
	}
	got := r.wake(10 * time.Minute) // no tick comes: the clock closes the candle
	if len(got) != 1 || got[0].Values["sma(2, 1m)"] != 9 || got[0].Values["sma(4, 1m)"] != 8.25 {
		t.Fatalf("%+v", got)
	}
	if want := midday.Add(6 * time.Minute); !got[0].Time.Equal(want) || got[0].Price != 12 || got[0].Position != "stock_ticks/0/6" {
		t.Errorf("%+v: want the end of the candle %s, and the last tick", got[0], want)
	}
	if got := r.wake(time.Hour); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

// What is equal to a rule on candles, on ticks: the same indicator there.
func TestIndicatorsOnTicks(t *testing.T) {
	r := newRig(t, rules("sma(3) > 10")...)
	if got := r.prices(20, 20, 20, 1, 1, 1, 40); got != "..x...x" {
		t.Errorf("%s: no value before there are three ticks, then edges", got)
	}
}

func TestStale(t *testing.T) {
	r := newRig(t, streamflow.Rule{ID: "r", Symbol: "*", When: "stale 30s", Severity: streamflow.SeverityCritical})
	if due := r.state.wake(); !due.IsZero() {
		t.Fatalf("a symbol of which nothing came wants to be woken at %s", due)
	}
	r.tick(0, 100, 1)
	r.tick(10*time.Second, 101, 1)
	if got := r.wake(39 * time.Second); len(got) > 0 {
		t.Fatalf("%+v", got)
	}
	got := r.wake(time.Hour)
	if len(got) != 1 || !got[0].Time.Equal(midday.Add(40*time.Second)) || got[0].Price != 101 || got[0].Severity != streamflow.SeverityCritical || got[0].Text != "AAPL: no tick for 30s." {
		t.Fatalf("one silence, one alert: %+v", got)
	}
	r.tick(time.Hour, 102, 1)
	if got := r.wake(2 * time.Hour); len(got) != 1 {
		t.Fatalf("a tick re-arms it: %+v", got)
	}
}

// A late tick is no news of the price; it does count where it belongs.
func TestLateTicks(t *testing.T) {
	r := newRig(t, rules("price > 200", "close(1m) < 100", "change over 50% in 10m", "stale 30s")...)
	r.tick(30*time.Second, 150, 1)
	if got := r.tick(10*time.Second, 250, 1); len(got) > 0 {
		t.Errorf("a late price fires: %+v", got)
	}
	if got := r.tick(31*time.Second, 150, 1); len(got) > 0 {
		t.Errorf("40 %% below a late high are no 50 %%: %+v", got)
	}
	if got := r.tick(32*time.Second, 120, 1); len(got) != 1 || got[0].Rule != "rc" {
		t.Errorf("52 %% below a late high: %+v", got)
	}
	r.tick(70*time.Second, 120, 1) // closes the minute at 120
	// An amendment: its last tick was 99, as comes out now. The rule was judged.
	if got := r.tick(59*time.Second, 99, 1); len(got) > 0 {
		t.Errorf("an amendment fires: %+v", got)
	}
	if got := r.tick(130*time.Second, 120, 1); len(got) > 0 {
		t.Errorf("the next minute closes at 120: %+v", got)
	}
	r.clock = midday.Add(150 * time.Second)
	r.produced(100*time.Second, r.clock, 120, 1) // late, and a sign of life
	if got := r.wake(179 * time.Second); len(got) > 0 {
		t.Errorf("30 s have not passed since a tick came: %+v", got)
	}
	if got := r.wake(181 * time.Second); len(got) != 1 || got[0].Rule != "rd" {
		t.Errorf("30 s have passed: %+v", got)
	}
}

// A tick whose clock is ahead does not make those that follow late.
func TestTickAheadOfItsTime(t *testing.T) {
	r := newRig(t, rules("price crosses above 200")...)
	r.tick(0, 199, 1)
	r.produced(4*time.Minute, midday.Add(time.Second), 199, 1)
	if got := r.tick(2*time.Second, 201, 1); len(got) != 1 {
		t.Errorf("the tick behind one of four minutes ahead does not count: %+v", got)
	}
}

func TestAlertSaysWhatFired(t *testing.T) {
	rule := streamflow.Rule{
		ID: "r-1", Name: "Apple breaks out", Symbol: "AAPL", When: "price crosses above 1.01x sma(2)", Severity: streamflow.SeverityWarning,
	}
	r := newRig(t, rule)
	r.prices(100, 100)
	got := r.tick(3*time.Second, 110, 7)
	want := streamflow.Alert{
		ID: alertID("r-1", "AAPL", "stock_ticks/0/3"), Rule: "r-1", Name: "Apple breaks out", Symbol: "AAPL",
		When: rule.When, Severity: streamflow.SeverityWarning, Time: midday.Add(3 * time.Second), Price: 110,
		Values: map[string]float64{"price": 110, "sma(2)": 105}, Position: "stock_ticks/0/3",
		Text: "AAPL: price 110.00 crossed above 1.01x sma(2) (106.05).",
	}
	if len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Fatalf("%+v\nwant %+v", got, want)
	}
	if len(want.ID) != 32 {
		t.Errorf("ID %q", want.ID)
	}
	if data, err := json.Marshal(got[0]); err != nil || !json.Valid(data) {
		t.Error(string(data), err)
	}
}

// Several candles that one tick closes are judged in the order of their ends.
func TestCandlesOfOneStepInOrder(t *testing.T) {
	r := newRig(t, rules("close(1s) > 0 and close(1m) > 0", "close(1s) crosses 15")...)
	r.tick(58*time.Second, 10, 1)
	r.tick(59*time.Second, 20, 1)
	got := r.tick(2*time.Minute, 10, 1) // ends 12:01:00 of both intervals, at once
	if len(got) != 2 || !got[0].Time.Equal(midday.Add(time.Minute)) || got[0].Rule != "ra" || got[1].Rule != "rb" {
		t.Fatalf("%+v", got)
	}
	if got[0].ID == got[1].ID {
		t.Error("two alerts of one ID")
	}
}
