package alerts

import (
	"errors"
	"os"
	"strings"
	"testing"

	"streamflow"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ when, canonical, judged string }{
		{"price above 200", "price above 200", "on each tick"},
		{"price>200", "price above 200", "on each tick"},
		{"  Price   OVER 200.50 ", "price above 200.5", "on each tick"},
		{"price crosses 200", "price crosses 200", "on each tick"},
		{"price crosses under -0.5", "price crosses below -0.5", "on each tick"},
		{"price >= .5", "price >= 0.5", "on each tick"},
		{"volume > 10000", "volume above 10000", "on each tick"},
		{"change over 5% in 10m", "change over 5% in 10m", "on each tick"},
		{"change either over 5 % in 600s", "change over 5% in 10m", "on each tick"},
		{"change down > 0.25% in 1h30m", "change down over 0.25% in 1h30m", "on each tick"},
		{"volume over 3x average(20, 1m)", "volume(1m) above 3x average(20, 1m)", "when a 1m candle closes"},
		{"volume(5m) > 2.5 x average(20,5m)", "volume(5m) above 2.5x average(20, 5m)", "when a 5m candle closes"},
		{"rsi(14, 1m) > 70", "rsi(14, 1m) above 70", "when a 1m candle closes"},
		{"rsi > 70", "rsi(14) above 70", "on each tick"},
		{"rsi(1m) > 70", "rsi(14, 1m) above 70", "when a 1m candle closes"},
		{"sma(20, 1m) crosses above ema(50, 1m)", "sma(20, 1m) crosses above ema(50, 1m)", "when a 1m candle closes"},
		{"sma(20, 1m) crosses sma(20, 1h)", "sma(20, 1m) crosses sma(20, 1h)", "when a 1m or 1h candle closes"},
		{"macd(12,26,9, 5m).histogram < 0", "macd(12, 26, 9, 5m).histogram below 0", "when a 5m candle closes"},
		{"close(1d) below bollinger(1d).lower", "close(1d) below bollinger(20, 2, 1d).lower", "when a 1d candle closes"},
		{"price > vwap(1m) and rsi(14, 1m) < 30", "price above vwap(1m) and rsi(14, 1m) below 30", "on each tick"},
		{"stale 30s", "stale 30s", "by the clock"},
		{"stale 7d", "stale 168h", "by the clock"},
	} {
		rule := streamflow.Rule{ID: "r", Symbol: "*", When: c.when}
		got, err := Parse(rule)
		if err != nil {
			t.Errorf("%q: %v", c.when, err)
			continue
		}
		if got.Condition() != c.canonical || got.Judged() != c.judged {
			t.Errorf("%q reads as %q, %s; want %q, %s", c.when, got.Condition(), got.Judged(), c.canonical, c.judged)
		}
		rule.When = got.Condition()
		if again, err := Parse(rule); err != nil || again.hash != got.hash {
			t.Errorf("%q: its canonical form %q reads as another one (%v)", c.when, rule.When, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		when   string
		column int
		text   string // within the error
	}{
		{"", 1, "found the end, expected a quantity: price"},
		{"price", 6, "expected above, below, crosses"},
		{"price abov 200", 7, `found "abov", expected above, below, crosses, crosses above, crosses below, >, <, >= or <= (did you mean "above"?)`},
		{"price above", 12, "found the end"},
		{"price above 200 foo", 17, `found "foo", expected "and" or the end`},
		{"price above 200 ant rsi > 3", 17, `(did you mean "and"?)`},
		{"price above 5m", 13, "a number without a unit"},
		{"price above 1.2.3", 13, `found "1.2.3"`},
		{"price above 0x sma(5)", 13, "a factor above 0"},
		{"200 < price", 1, "a quantity"},
		{"prise > 3", 1, `(did you mean "price"?)`},
		{"µ > 3", 1, `found "µ"`},
		{"price > 3\nprice > 4", 10, `found "\n"`},
		{"close > 5", 1, "close(1m): the interval of the candle"},
		{"rsi(14, 2m) > 70", 9, `found "2m", expected a number, or an interval: one of [1s 1m 5m 15m 1h 1d]`},
		{"rsi(14 1m) > 70", 8, `expected "," or ")"`},
		{"rsi(1m, 14) > 70", 7, `expected ")": the interval comes last`},
		{"rsi(0, 1m) > 70", 1, "whole number from 1"},
		{"rsi(14, 1m).high > 70", 12, "rsi has no parts"},
		{"macd(5m).histo > 70", 10, `expected a part of macd: signal or histogram`},
		{"average(0, 1m) > 70", 1, "a whole number of candles from 1 to 500"},
		{"average(20) > 70", 1, "average(20, 1m): how many candles, and their interval"},
		{"price > average(20, 1m)", 9, "what an average of volumes can be compared with"},
		{"volume(5m) > average(20, 1m)", 14, "the same interval as volume(5m)"},
		{"price > price", 9, "something else than what stands on the left"},
		{"change 5% in 10m", 8, "expected up, down, either or over"},
		{"change over 5 in 10m", 15, `expected "%"`},
		{"change over -5% in 10m", 13, "percent above 0"},
		{"change over 5% in 10", 19, "such as 10m"},
		{"change over 5% in 25h", 19, "from 1s to 24h"},
		{"stale", 6, "such as 30s"},
		{"stale 100ms", 7, "from 1s to 168h"},
		{"stale 30s and price > 3", 11, "stands alone"},
		{"price > 3 and stale 30s", 15, "stands alone"},
		{strings.Repeat("price > 1 and ", 9) + "price > 1", 113, "8 tests at most"},
	} {
		_, err := Parse(streamflow.Rule{ID: "r", Symbol: "*", When: c.when})
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%q: %v, want a syntax error", c.when, err)
			continue
		}
		if syntax.Column != c.column || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%q: %v\nwant column %d, %s", c.when, err, c.column, c.text)
		}
	}
}

func TestParseNamesTheField(t *testing.T) {
	good := streamflow.Rule{ID: "r", Symbol: "*", When: "price > 3", Cooldown: "5m", Hysteresis: 1, Severity: "warning"}
	if c, err := Parse(good); err != nil || c.cooldown.Minutes() != 5 {
		t.Fatal(c, err)
	}
	for field, change := range map[string]func(r *streamflow.Rule){
		"id":         func(r *streamflow.Rule) { r.ID = "R 1" },
		"name":       func(r *streamflow.Rule) { r.Name = strings.Repeat("x", 201) },
		"symbol":     func(r *streamflow.Rule) { r.Symbol = "A*" },
		"when":       func(r *streamflow.Rule) { r.When = strings.Repeat(" ", 300) },
		"severity":   func(r *streamflow.Rule) { r.Severity = "fatal" },
		"cooldown":   func(r *streamflow.Rule) { r.Cooldown = "five minutes" },
		"hysteresis": func(r *streamflow.Rule) { r.Hysteresis = -1 },
	} {
		rule := good
		change(&rule)
		_, err := Parse(rule)
		var wrong *FieldError
		if !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, when := range []string{"stale 30s", "price > 3 and volume > 4", "change over 0.5% in 1m"} {
		rule := good
		rule.When = when
		if _, err := Parse(rule); err == nil {
			t.Errorf("%q has no use for a hysteresis of 1", when)
		}
	}
}

func TestMalformedRulesLeaveTheOthersAlone(t *testing.T) {
	f, errs := New([]streamflow.Rule{
		{ID: "good", Symbol: "AAPL", When: "price > 3"}, {ID: "bad", Symbol: "AAPL", When: "price > "},
		{ID: "off", Symbol: "AAPL", When: "nonsense", Disabled: true}, {ID: "good", Symbol: "*", When: "price > 4"},
	}, nil)
	if f == nil || len(errs) != 2 {
		t.Fatal(f, errs)
	}
	if f, errs = New(nil, []byte(`{"lateness":"long"}`)); f == nil || len(errs) != 1 || !strings.Contains(errs[0].Error(), "params of alerts: lateness") {
		t.Fatal(f, errs)
	}
	var many []streamflow.Rule
	for i := range maxRules + 1 {
		many = append(many, streamflow.Rule{ID: "r" + strings.Repeat("x", i/64) + string(rune('0'+i%10)) + string(rune('a'+i/10%26)), Symbol: "*", When: "price > 3"})
	}
	if f, errs = New(many, nil); f == nil || len(errs) == 0 {
		t.Fatal("more rules than one write can hold alerts of")
	}
}

func FuzzParse(f *testing.F) {
	for _, when := range conditions {
		f.Add(when)
	}
	f.Add("macd(12,26,9, 5m).histogram <= -.5 and change up over 1.5 % in 1h1m1s")
	f.Fuzz(func(t *testing.T, when string) {
		c, err := parseCondition(when)
		if err != nil {
			var syntax *SyntaxError
			if errors.As(err, &syntax) && (syntax.Column < 1 || syntax.Column > len(when)+1) {
				t.Errorf("%q: %v", when, err)
			}
			return
		}
		again, err := parseCondition(c.String())
		if err != nil && len(c.String()) <= MaxWhenBytes || err == nil && again.hash() != c.hash() {
			t.Errorf("%q reads as %q, which reads as %v (%v)", when, c, again, err)
		}
		newPlan([]*Checked{{condition: c}})
	})
}

func FuzzState(f *testing.F) {
	policy, _ := parseSettings(nil)
	var all []streamflow.Rule
	for i, when := range conditions {
		all = append(all, streamflow.Rule{ID: "r" + string(rune('a'+i)), Symbol: "*", When: when})
	}
	set, errs := newSet(all, policy)
	if len(errs) > 0 {
		f.Fatal(errs)
	}
	for _, n := range []int{0, 1, 5, 200} {
		state := newState(set, "AAPL")
		r := &rig{t: new(testing.T), set: set, state: &state, clock: midday}
		for i := range n {
			r.tick(timeOf(i), 100+float64(i%7), int64(i))
		}
		data, err := state.AppendBinary(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		state := newState(set, "AAPL")
		if state.UnmarshalBinary(data) != nil {
			return
		}
		r := &rig{t: t, set: set, state: &state, clock: midday}
		for i := range 5 {
			r.tick(timeOf(i), 100+float64(i), 10)
		}
		if _, err := state.AppendBinary(nil); err != nil {
			t.Error(err)
		}
	})
}

// What the documentation shows is what can be written.
func TestExamplesOfTheDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```rules\n")
	block, _, _ = strings.Cut(block, "```")
	lines := strings.Split(strings.TrimSpace(block), "\n")
	if len(lines) < 20 {
		t.Fatalf("%d examples", len(lines))
	}
	for _, when := range lines {
		if _, err := Parse(streamflow.Rule{ID: "r", Symbol: "*", When: when}); err != nil {
			t.Error(err)
		}
	}
	_, err = Parse(streamflow.Rule{ID: "aapl-breakout", Symbol: "AAPL", When: "price abov 200"})
	if err == nil || !strings.Contains(string(text), err.Error()) {
		t.Errorf("the error that is shown is not %q", err)
	}
}
