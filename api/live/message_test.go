package live

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"streamflow"
)

func FuzzClientMessage(f *testing.F) {
	for _, s := range []string{
		`{"subscribe":["ticks.AAPL","ticks.*"]}`, `{"unsubscribe":[">"]}`, `{"subscribe":["ticks.BTC%2FUSD"],"unsubscribe":["ticks.>"]}`,
		`{"subscribe":[""]}`, `{"subscribe":[1]}`, `{"x":[]}`, "[]", "\xff", `{"subscribe":["\ud800"]}`, `{"Subscribe":["ticks.A"]}`,
		`{"subscribe":["candles.*.A"],"mode":"latest","maxRate":1e-3}`, `{"subscribe":["dlq.>"],"since":{"DLQ":18446744073709551615}}`,
		`{"ping":-9223372036854775808}`, `{"batch":true}`, `{"subscribe":["pipeline","*.*.*.*.>"],"maxRate":3}`, `{"subscribe":["*"],"since":{}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, s := newHub(newMetrics()), newSession(nil)
		h.replay.feed = newFakeFeed()
		h.join(s)
		h.receive(s, data)
		s.outbox.mu.Lock()
		for _, m := range s.answers {
			if !json.Valid(m) {
				t.Errorf("%q is answered with %q", data, m)
			}
		}
		if len(s.answers) == 0 {
			t.Errorf("%q has no answer", data)
		}
		s.outbox.mu.Unlock()
		r, err := parseRequest(data)
		if err != nil && (err.Message == "" || err.Code == "" || len(err.Message) > 1000) {
			t.Errorf("%q: error %+v", data, err)
		}
		for _, p := range r.subscribe {
			if _, err := parsePattern(p.text); err != nil || p.kinds == 0 {
				t.Errorf("%q was accepted: %v", p.text, err)
			}
		}
		h.leave(s)
		if n := len(h.index.top.kids); n != 0 {
			t.Errorf("%q leaves %d nodes behind", data, n)
		}
	})
}

// max_rate is maxRate.
func TestMaxRateHasTwoNames(t *testing.T) {
	want, err := parseRequest([]byte(`{"subscribe":["ticks.A"],"maxRate":5}`))
	if err != nil || want.class == 0 {
		t.Fatal(want, err)
	}
	for _, text := range []string{`{"subscribe":["ticks.A"],"max_rate":5}`, `{"subscribe":["ticks.A"],"max_rate":5,"maxRate":5}`} {
		if got, err := parseRequest([]byte(text)); err != nil || got.class != want.class {
			t.Errorf("%s: class %v, %v; want %v", text, got.class, err, want.class)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct{ pattern, yes, no string }{
		{"ticks.AAPL", "ticks.AAPL", "ticks.AAP"}, {"ticks.*", "ticks.BRK%2EB", "ticks"}, {"ticks.*", "ticks.A", "candles.A"},
		{"ticks.>", "ticks.A", "ticks"}, {">", "ticks.A", ""}, {"ticks.*", "ticks.A", "ticks.A.B"}, {"*.A", "alerts.A", "alerts.B"},
		{"candles.1m.*", "candles.1m.A", "candles.5m.A"}, {"candles.*.A", "candles.1d.A", "candles.1d.B"}, {"*", "pipeline", "ticks.A"},
		{"results.buckets.>", "results.buckets.low", "results.logins.x"}, {"dlq.>", "dlq.candles.x", "dlq"}, {"*.*.A", "candles.1s.A", "ticks.A"},
	} {
		p, err := parsePattern(c.pattern)
		if err != nil || !p.matches(c.yes) || p.matches(c.no) {
			t.Errorf("%s: %v, matches %s: %v, %s: %v", c.pattern, err, c.yes, p.matches(c.yes), c.no, p.matches(c.no))
		}
	}
	for _, s := range []string{
		"", ".", "ticks", "ticks.", "ticks.*.*", "ticks.>.>", "candles.1x.A", "ticks.%", "ticks.%41", "TICKS.A", "ticks. ", "> ",
		"pipeline.x", "pipeline.>.x", "candles.tick.A", "*.*.*.*", "a.b.c.d.e.f", "events.a", "results.a.b.c", "dlq",
	} {
		if p, err := parsePattern(s); err == nil || !strings.Contains(err.Error(), accepted) {
			t.Errorf("%q: %v %+v", s, err, p)
		}
	}
}

// TestIndexAgainstPatterns compares what the index finds with what the
// patterns say.
func TestIndexAgainstPatterns(t *testing.T) {
	h, s := newHub(newMetrics()), newSession(nil)
	h.join(s)
	texts := []string{">", "*", "*.A", "ticks.*", "ticks.A", "candles.>", "candles.*.A", "candles.1m.*", "*.*.A", "results.f.>", "dlq.>", "pipeline"}
	names := []string{"ticks.A", "ticks.B", "candles.1m.A", "candles.1m.B", "candles.1d.A", "results.f.A", "results.g.A", "dlq.t", "dlq.f.p", "pipeline", "alerts.A"}
	check := func(when string) {
		t.Helper()
		for _, name := range names {
			sub := h.subjectOf(name, kindOf(name))
			var got []string
			for _, g := range sub.groups {
				got = append(got, g.pattern.text)
			}
			for _, text := range texts {
				p, _ := parsePattern(text)
				if want := p.matches(name) && s.subs[text] != nil; want != strings.Contains(" "+strings.Join(got, " ")+" ", " "+text+" ") {
					t.Errorf("%s: %s finds %v, %s: %v", when, name, got, text, want)
				}
			}
		}
	}
	half := names
	names = names[:5]
	check("with nothing subscribed")
	for _, text := range texts {
		p, _ := parsePattern(text)
		_, _ = h.change(s, &request{subscribe: []pattern{p}, class: classAll})
	}
	names = half // the others are new now
	check("subscribed")
	for _, text := range texts[:6] {
		p, _ := parsePattern(text)
		_, _ = h.change(s, &request{unsubscribe: []pattern{p}})
	}
	check("with half unsubscribed")
}

func TestSubscriptionLimitCountsTheOutcome(t *testing.T) {
	h, s := newHub(newMetrics()), newSession(nil)
	h.join(s)
	list := func(prefix string, n int) (ps []pattern) {
		for i := range n {
			p, _ := parsePattern("ticks." + prefix + strings.Repeat("X", i%30) + string(rune('A'+i/30%26)) + string(rune('A'+i/780)))
			ps = append(ps, p)
		}
		return ps
	}
	change := func(r request) *clientError {
		_, err := h.change(s, &r)
		return err
	}
	if err := change(request{subscribe: list("A", maxSubscriptions)}); err != nil {
		t.Fatal(err)
	}
	n := len(s.subs)
	more := list("B", maxSubscriptions)
	if err := change(request{subscribe: more}); err == nil || err.Code != codeTooMany || len(s.subs) != n {
		t.Fatalf("got %v with %d subscriptions", err, len(s.subs))
	}
	if err := change(request{subscribe: more, unsubscribe: list("A", maxSubscriptions)}); err != nil {
		t.Fatal(err)
	}
	for i := range maxRates + 1 {
		p, _ := parsePattern(fmt.Sprintf("ticks.R%d", i))
		_ = change(request{unsubscribe: more[i : i+1]})
		if err := change(request{subscribe: []pattern{p}, class: class(i + 1)}); (err != nil) != (i == maxRates) {
			t.Errorf("rate %d: %v", i, err)
		}
	}
}

func TestEncodedTick(t *testing.T) {
	at := time.Unix(1_763_690_000, 123_400_000)
	m := streamflow.Message{
		Subject: "ticks.A", Data: []byte(` {"symbol":"A", "timestamp":1763690000123.4,"price":1.5,"volume":2,"id":"a\"b\\c","x":[1]} `),
		Sequence: 7, Stored: at.Add(1234 * time.Microsecond), Position: streamflow.Position{Topic: "stock_ticks", Partition: 2, Offset: 5},
		Hops: fmt.Sprintf("kafka=%d;e\"vil=1;api=2;x=y;", at.UnixNano()),
	}
	const want = `{"subject":"ticks.A","stream":"TICKS","seq":7,"prev":3,"position":"stock_ticks/2/5",` +
		`"data":{"symbol":"A","price":1.5,"volume":2,"timestamp":"2025-11-21T01:53:20.1234Z","id":"a\"b\\c","x":[1]},` +
		`"hops":{"kafka":1763690000123.400,"stream":1763690000124.634,"api":1763690001123.400}}`
	if got := string(appendMessage(nil, kindTicks, &m, 3, at.Add(time.Second))); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}
