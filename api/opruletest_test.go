package api

import (
	"encoding/json"
	"errors"
	"iter"
	"testing"
	"time"

	"streamflow"
)

func TestRuleIsTested(t *testing.T) {
	g := newMarketRig(t)
	for n := range 300 {
		for i, symbol := range []string{"AAPL", "MSFT", "BTC/USD"} {
			g.store.put(g.tick(symbol, float64(n+1), 1, epoch.Add(time.Duration(3*n+i)*time.Second)))
		}
	}
	g.feed.put(g.store.ticks[:3]...)
	eventually(t, "the stocks are known", func() bool { s, _, _ := g.board.stocks(epoch); return len(s) == 3 })
	test := func(symbol, when string, more string) (r RuleTest) {
		t.Helper()
		_, body := g.want(t, 200, "POST", "/api/rules/test", `{"rule":{"symbol":"`+symbol+`","when":"`+when+`"},"from":"2025-11-21T12:00:00Z"`+more+`}`, nil)
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := test("AAPL", "price above 99", `,"to":"2025-11-21T12:05:00Z"`); r.Count != 1 || len(r.Alerts) != 1 || r.Ticks != 100 || !r.Complete || !r.To.Equal(epoch.Add(5*time.Minute)) || !r.From.Equal(epoch) {
		t.Errorf("one symbol: %+v", r)
	}
	r := test("*", "price above 100", "")
	if r.Count != 600 || len(r.Alerts) != 100 || r.Ticks != 900 || !r.Complete || time.Since(r.To) > time.Minute {
		t.Errorf("all symbols: %d alerts, %d ticks, %+v", r.Count, r.Ticks, r.To)
	}
	for i := 1; i < len(r.Alerts); i++ {
		if !r.Alerts[i].Time.After(r.Alerts[i-1].Time) {
			t.Fatalf("alert %d is not in order", i)
		}
	}
	if len(g.market.rules) != 0 || g.market.tests[0].ID != "test" {
		t.Errorf("a test stores nothing: %v, %+v", g.market.rules, g.market.tests)
	}
	const path = "/api/rules/test"
	g.want(t, 422, "POST", path, `{"rule":{"symbol":"AAPL","when":"price abov 1"},"from":"2025-11-21T12:00:00Z"}`, nil, "body.rule.when", `"column":7`)
	g.want(t, 422, "POST", path, `{"rule":{"symbol":"AAPL","when":"price above 1"},"from":"2025-11-21T12:00:00Z","to":"2025-11-21T12:00:00Z"}`, nil, "body.from")
	g.want(t, 422, "POST", path, `{"rule":{"symbol":"AAPL","when":"price above 1"}}`, nil, "from")
	g.store.fail(errors.New("connection refused"))
	g.want(t, 503, "POST", path, `{"rule":{"symbol":"*","when":"price above 1"},"from":"2025-11-21T12:00:00Z"}`, nil, "connection refused")
}

// TestRuleTestEnds at the first tick of a time when it has taken long enough, so
// that a second test can go on from there.
func TestRuleTestEnds(t *testing.T) {
	var ticks iter.Seq2[streamflow.Mirrored, error] = func(yield func(streamflow.Mirrored, error) bool) {
		for n := range 5000 { // 30 at each time
			if !yield(streamflow.Mirrored{Tick: streamflow.Tick{Time: epoch.Add(time.Duration(n/30) * time.Second)}}, nil) {
				return
			}
		}
	}
	r := RuleTest{Complete: true}
	var last error
	for _, last = range r.bounded(ticks, time.Now()) {
	}
	if !errors.Is(last, errEnough) || r.Complete || r.Ticks != 1020 || !r.To.Equal(epoch.Add(34*time.Second)) {
		t.Errorf("%v, %+v", last, r)
	}
}
