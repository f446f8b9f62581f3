package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"streamflow"
)

func FuzzClientMessage(f *testing.F) {
	for _, s := range []string{
		`{"subscribe":["ticks.AAPL","ticks.*"]}`, `{"unsubscribe":[">"]}`, `{"subscribe":["ticks.BTC%2FUSD"],"unsubscribe":["ticks.>"]}`,
		`{"subscribe":[""]}`, `{"subscribe":[1]}`, `{"x":[]}`, "[]", "\xff", `{"subscribe":["\ud800"]}`, `{"Subscribe":["ticks.A"]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, s := newHub(newWSMetrics()), newSession()
		h.join(s)
		h.receive(s, data)
		for _, m := range s.answers {
			if !json.Valid(m) {
				t.Errorf("%q is answered with %q", data, m)
			}
		}
		if len(s.answers) == 0 {
			t.Errorf("%q has no answer", data)
		}
		r, err := parseRequest(data)
		if err != nil && (err.Message == "" || err.Code == "" || len(err.Message) > 1000) {
			t.Errorf("%q: error %+v", data, err)
		}
		for _, p := range r.subscribe {
			if _, err := parsePattern(p.text); err != nil {
				t.Errorf("%q was accepted: %v", p.text, err)
			}
		}
		h.leave(s)
		if len(h.index.exact)+len(h.index.wild) != 0 {
			t.Errorf("%q leaves groups behind", data)
		}
	})
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern string
		yes, no string
	}{
		{"ticks.AAPL", "ticks.AAPL", "ticks.AAP"}, {"ticks.*", "ticks.BRK%2EB", "ticks"}, {"ticks.*", "ticks.A", "candles.A"},
		{"ticks.>", "ticks.A", "ticks"}, {">", "ticks.A", ""}, {"ticks.*", "ticks.A", "ticks.A.B"},
	} {
		p, err := parsePattern(c.pattern)
		if err != nil || !p.matches(c.yes) || p.matches(c.no) {
			t.Errorf("%s: %v, matches %s: %v, %s: %v", c.pattern, err, c.yes, p.matches(c.yes), c.no, p.matches(c.no))
		}
	}
	for _, s := range []string{"", ".", "*", "*.A", "ticks", "ticks.", "ticks.*.*", "ticks.>.>", "candles.1m.A", "ticks.%", "ticks.%41", "TICKS.A", "ticks. ", "> "} {
		if _, err := parsePattern(s); err == nil || !strings.Contains(err.Error(), accepted) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestSubscriptionLimitCountsTheOutcome(t *testing.T) {
	h, s := newHub(newWSMetrics()), newSession()
	h.join(s)
	list := func(prefix string, n int) (ps []pattern) {
		for i := range n {
			p, _ := parsePattern("ticks." + prefix + strings.Repeat("X", i%30) + string(rune('A'+i/30%26)) + string(rune('A'+i/780)))
			ps = append(ps, p)
		}
		return ps
	}
	if err := h.change(s, request{subscribe: list("A", maxSubscriptions)}); err != nil {
		t.Fatal(err)
	}
	n := len(s.subs)
	more := list("B", maxSubscriptions)
	if err := h.change(s, request{subscribe: more}); err == nil || err.Code != codeTooMany || len(s.subs) != n {
		t.Fatalf("got %v with %d subscriptions", err, len(s.subs))
	}
	if err := h.change(s, request{subscribe: more, unsubscribe: list("A", maxSubscriptions)}); err != nil {
		t.Fatal(err)
	}
}

func TestEncodedTick(t *testing.T) {
	at := time.Unix(1_763_690_000, 123_400_000)
	m := streamflow.Mirrored{
		Tick:     streamflow.Tick{Symbol: "A", Price: 1.5, Volume: 2, Time: at, ID: `a"b\c`, Extra: []byte(`"x":[1]`)},
		Sequence: 7, Stored: at.Add(1234 * time.Microsecond),
		Hops: []streamflow.Hop{{Name: "kafka", At: at}, {Name: `e"vil`, At: at}, {Name: "api", At: at}},
	}
	const want = `{"subject":"ticks.A","seq":7,"data":{"symbol":"A","price":1.5,"volume":2,"timestamp":"2025-11-21T01:53:20.1234Z",` +
		`"id":"a\"b\\c","x":[1]},"hops":{"kafka":1763690000123.400,"stream":1763690000124.634,"api":1763690001123.400}}`
	if got := string(appendData(nil, "ticks.A", &m, at.Add(time.Second))); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}
