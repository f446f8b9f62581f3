package api

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

func tickIn(symbol string, price float64) string {
	return fmt.Sprintf(`{"symbol":%q,"price":%v,"volume":1,"timestamp":%q}`, symbol, price, time.Now().UTC().Format(time.RFC3339Nano))
}

func TestTicksIn(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	var one TicksInAnswer
	value := tickIn("AAPL", 187.23)
	if status, text := g.call(t, "POST", "/api/ticks", " "+value+"\n", &one); status != 201 || one.Accepted != 1 || one.Results[0].Position != "stock_ticks/1/0" {
		t.Fatalf("%d %s", status, text)
	}
	if r := w.topics["stock_ticks"][1][0]; string(r.Key) != "AAPL" || string(r.Value) != value {
		t.Errorf("Kafka has %q %q", r.Key, r.Value)
	}
	var many TicksInAnswer
	batch := `{"ticks":[` + tickIn("A", 1) + `,` + tickIn("B", -1) + `,{"symbol":"C"},7,` + tickIn("D", 4) + `]}`
	if status, text := g.call(t, "POST", "/api/ticks", batch, &many); status != 201 || many.Accepted != 2 || many.Rejected != 3 {
		t.Fatalf("%d %s", status, text)
	}
	want := []string{"", "bad_price", "missing_field", "not_json", ""}
	for i, r := range many.Results {
		if r.Index != i || r.Reason != want[i] || (r.Position == "") != (r.Reason != "") || (r.Detail == "") != (r.Reason == "") {
			t.Errorf("result %d: %+v", i, r)
		}
	}
	for _, c := range []struct {
		body, says string
		status     int
	}{
		{`[1]`, "it is a JSON array", 400},
		{`[1]`, "not a JSON object: want one tick", 400},
		{`{"symbol":`, "not a JSON object", 400},
		{``, "", 400},
		{tickIn("A", 0), "bad_price", 422},
		{`{"ticks":[]}`, "1 to 1000", 422},
		{`{"ticks":{}}`, "list of ticks", 422},
		{`{"ticks":[` + strings.Repeat("1,", 1000) + `1]}`, "and not 1001", 422},
		{`{"ticks":[{},{}]}`, "body.ticks[1]", 422},
		{`{"ticks":["` + strings.Repeat("x", maxTicksInBody) + `"]}`, "", 413},
	} {
		if status, text := g.call(t, "POST", "/api/ticks", c.body, nil); status != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%.40s: %d %.300s", c.body, status, text)
		}
	}
	if status, text := g.call(t, "POST", "/api/ticks", tickIn("A", 1), nil, "Content-Type", "text/csv"); status != 415 {
		t.Errorf("CSV: %d %s", status, text)
	}
	if w.writes != 3 {
		t.Errorf("%d records were written, want 3", w.writes)
	}
}

// The trace of a request goes on in its ticks, if it is sampled; one that is no
// good is left alone, and the ticks are taken all the same.
func TestTicksInGoOnInTheTrace(t *testing.T) {
	const ids = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
	for sent, want := range map[string]string{
		"":                        "",
		"00-" + ids + "-01":       "00-" + ids + "-01",
		"00-" + ids + "-00":       "", // not sampled
		"00-" + ids + "-03":       "00-" + ids + "-01",
		"cc-" + ids + "-01-later": "00-" + ids + "-01", // a version to come may have more
		"00-" + ids + "-01-later": "",
		"what is this?":           "",
	} {
		w := newFakeWorld()
		g := newRig(t, w.join)
		body := `{"ticks":[` + tickIn("AAPL", 1) + `,` + tickIn("AAPL", -1) + `,` + tickIn("AAPL", 2) + `]}`
		if status, text := g.call(t, "POST", "/api/ticks", body, nil, "traceparent", sent); status != 201 {
			t.Fatalf("%q: %d %s", sent, status, text)
		}
		records := w.topics["stock_ticks"][1]
		if len(records) != 2 {
			t.Fatalf("%q: Kafka has %d records, want 2", sent, len(records))
		}
		for _, r := range records {
			got := ""
			for _, h := range r.Headers {
				got += h.Key + "=" + string(h.Value)
			}
			if want != "" && got != "traceparent="+want || want == "" && got != "" {
				t.Errorf("%q: a record has %q, want %q", sent, got, want)
			}
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	w := newFakeWorld()
	w.hold = make(chan struct{})
	g := newRig(t, w.join)
	body := tickIn("AAPL", 1)
	var wg sync.WaitGroup
	answers := make([]string, 8)
	for i := range answers {
		wg.Go(func() { _, answers[i] = g.call(t, "POST", "/api/ticks", body, nil, "Idempotency-Key", "k1") })
	}
	eventually(t, "the job is there", func() bool { g.keys.mu.Lock(); defer g.keys.mu.Unlock(); return g.keys.jobs["k1"] != nil })
	if status, text := g.call(t, "POST", "/api/ticks", tickIn("AAPL", 2), nil, "Idempotency-Key", "k1"); status != 422 || !strings.Contains(text, "Idempotency-Key") {
		t.Errorf("another body: %d %s", status, text)
	}
	close(w.hold)
	wg.Wait()
	for _, a := range answers {
		if a != answers[0] || !strings.Contains(a, "stock_ticks/1/0") {
			t.Errorf("answer %s, want %s", a, answers[0])
		}
	}
	if status, text := g.call(t, "POST", "/api/ticks", body, nil, "Idempotency-Key", "k1"); status != 201 || text != answers[0] {
		t.Errorf("later: %d %s", status, text)
	}
	if w.writes != 1 {
		t.Errorf("%d records were written, want 1", w.writes)
	}
}

func TestTicksInWithoutKafka(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	body := tickIn("AAPL", 1)
	w.fail(errAway)
	if status, text := g.call(t, "POST", "/api/ticks", body, nil, "Idempotency-Key", "k"); status != 503 || !strings.Contains(text, "Kafka") {
		t.Errorf("away: %d %s", status, text)
	}
	w.fail(nil)
	w.mu.Lock()
	w.refuse = errAway
	w.mu.Unlock()
	if status, text := g.call(t, "POST", "/api/ticks", body, nil, "Idempotency-Key", "k"); status != 503 || !strings.Contains(text, "Kafka") {
		t.Errorf("refused: %d %s", status, text)
	}
	w.mu.Lock()
	w.refuse = nil
	w.mu.Unlock()
	// Nothing was written, so the same key is good for a new try.
	if status, text := g.call(t, "POST", "/api/ticks", body, nil, "Idempotency-Key", "k"); status != 201 {
		t.Errorf("back: %d %s", status, text)
	}
}

func TestKeyringIsBounded(t *testing.T) {
	k, now := newKeyring(), time.Now()
	for i := range maxKeys + 10 {
		j, mine, err := k.enter(fmt.Sprint(i), [32]byte{}, now)
		if err != nil || !mine {
			t.Fatal(i, mine, err)
		}
		j.answer.Results = make([]TickInResult, 1)
		k.keep(j)
	}
	if len(k.jobs) != maxKeys || k.results != maxKeys || k.jobs["9"] != nil || k.jobs["10"] == nil {
		t.Errorf("%d keys, %d results", len(k.jobs), k.results)
	}
	for i := range 10 {
		j, _, _ := k.enter(fmt.Sprint("large", i), [32]byte{}, now)
		j.answer.Results = make([]TickInResult, maxResults/4)
		k.keep(j)
	}
	if k.results > maxResults || len(k.jobs) != 4 {
		t.Errorf("%d keys, %d results", len(k.jobs), k.results)
	}
	if _, mine, _ := k.enter("large9", [32]byte{}, now.Add(keyMemory+time.Minute)); !mine || len(k.jobs) != 1 {
		t.Errorf("after a while %d keys are left", len(k.jobs))
	}
}
