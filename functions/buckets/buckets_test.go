package buckets_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/buckets"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// event makes the n-th message of topic events.
func event(n int, price, currency string) streamflow.Message {
	text := fmt.Sprintf(`{"event_id":"e-%d","type":"view","price":%s,"currency":%q,"timestamp":%d}`, n, price, currency, noon.Unix())
	return streamflow.Message{
		Subject: streamflow.EventSubject(streamflow.TopicEvents, "view"), Data: []byte(text),
		Position: streamflow.Position{Topic: streamflow.TopicEvents, Partition: int32(n % 3), Offset: int64(n / 3)},
		Hops:     string(streamflow.AppendHop(nil, streamflow.HopKafka, noon)),
	}
}

func results(t *testing.T, facts []streamflow.Message) (all []buckets.Result) {
	t.Helper()
	for _, f := range facts {
		var r buckets.Result
		if err := json.Unmarshal(f.Data, &r); err != nil {
			t.Fatal(err)
		}
		if f.Subject != streamflow.ResultSubject("buckets", string(r.Class)) {
			t.Errorf("%s is on %s", f.Data, f.Subject)
		}
		all = append(all, r)
	}
	return all
}

func TestEventsAreClassed(t *testing.T) {
	login := event(9, "1", "EUR")
	login.Subject = streamflow.EventSubject(streamflow.TopicUserEvents, "login")
	facts, err := buckets.New(buckets.Params{}).Try(event(0, "19.99", "EUR"), event(1, "20", "EUR"), event(2, "0", "USD"),
		login, event(3, "99.99", "EUR"), event(4, "100", "EUR"), event(5, "0.01", "EUR"))
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		class buckets.Class
		count int64
		sum   float64
	}{{buckets.Low, 1, 19.99}, {buckets.Medium, 1, 20}, {buckets.Low, 2, 0}, {buckets.Medium, 2, 119.99}, {buckets.High, 1, 100}, {buckets.Low, 3, 20}}
	got := results(t, facts)
	if len(got) != len(want) {
		t.Fatalf("%d facts, want %d", len(got), len(want))
	}
	for i, w := range want {
		if r := got[i]; r.Class != w.class || r.Count != w.count || r.Sum != w.sum || !strings.HasPrefix(r.Event, "e-") || !r.Time.Equal(noon) || r.Type != "view" {
			t.Errorf("fact %d is %+v, want %+v", i, r, w)
		}
	}
	// Each fact knows the sums of all currencies, not only of its own.
	if !maps.Equal(got[5].Sums, map[string]float64{"EUR": 20, "USD": 0}) || !maps.Equal(got[0].Sums, map[string]float64{"EUR": 19.99}) {
		t.Errorf("sums %v, then %v", got[0].Sums, got[5].Sums)
	}
	if got[5].Position != "events/2/1" || got[5].Event != "e-5" || got[5].Currency != "EUR" {
		t.Errorf("%+v", got[5])
	}
}

// A producer of currencies that nobody uses does not make the facts large.
func TestManyCurrenciesAreLeftOut(t *testing.T) {
	var events []streamflow.Message
	for i := range buckets.MostSums + 1 {
		events = append(events, event(i, "1", string([]byte{'A', byte('A' + i/26), byte('A' + i%26)})))
	}
	facts, err := buckets.New(buckets.Params{}).Try(events...)
	if err != nil {
		t.Fatal(err)
	}
	got := results(t, facts)
	if n := len(got[buckets.MostSums-1].Sums); n != buckets.MostSums {
		t.Errorf("%d sums, want %d", n, buckets.MostSums)
	}
	if last := got[buckets.MostSums]; last.Sums != nil || last.Sum != 1 {
		t.Errorf("%+v", last)
	}
}

func TestBounds(t *testing.T) {
	for text, want := range map[string]map[float64]buckets.Class{
		``:                         {0: "low", 19.99: "low", 20: "medium", 99.99: "medium", 100: "high"},
		`{}`:                       {20: "medium"},
		`{"medium":5}`:             {4: "low", 5: "medium", 100: "high"},
		`{"medium":500}`:           {499: "low", 500: "high"},
		`{"medium":1,"high":1}`:    {0.5: "low", 1: "high"},
		`{"medium":10,"high":1e6}`: {999999: "medium", 1e6: "high"},
	} {
		p, err := buckets.ParseParams(json.RawMessage(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		for price, class := range want {
			if got := p.Class(price); got != class {
				t.Errorf("%s: %v is %s, want %s", text, price, got, class)
			}
		}
	}
	for _, text := range []string{`{"medium":-1}`, `{"high":1}`, `{"medium":30,"high":20}`, `{"low":1}`, `[]`, `{"medium":"1"}`} {
		if p, err := buckets.ParseParams(json.RawMessage(text)); err == nil || !strings.Contains(err.Error(), "params of buckets") {
			t.Errorf("%s became %v, %v", text, p, err)
		}
	}
}

// A message that is no event is set aside, and harms nothing.
func TestForeignMessage(t *testing.T) {
	b := functions.NewBatch(buckets.New(buckets.Params{}))
	for n, m := range []streamflow.Message{event(0, "1", "EUR"), event(1, `"x"`, "EUR"), event(2, "2", "EUR")} {
		facts, err := b.Step(&m)
		if (err != nil) != (n == 1) {
			t.Fatalf("message %d: %v", n, err)
		}
		if n == 2 {
			if r := results(t, facts); len(r) != 1 || r[0].Count != 2 || r[0].Sum != 3 {
				t.Errorf("%+v", r)
			}
		}
	}
}

// Whenever it is stopped and restored it publishes what it would have, and its
// sums do not drift.
func TestRestoredEqualsUndisturbed(t *testing.T) {
	f := buckets.New(buckets.Params{})
	a, b := functions.NewBatch(f), functions.NewBatch(f)
	var last buckets.Result
	const n = 4_000
	for i := range n {
		m := event(i, []string{"0.1", "0.01", "33.33", "1e9"}[i%4], []string{"EUR", "USD"}[i/4%2])
		want, err := a.Step(&m)
		if err != nil {
			t.Fatal(err)
		}
		if i%97 == 0 {
			state, err := b.Save()
			if err != nil {
				t.Fatal(err)
			}
			b = functions.NewBatch(f)
			if err := b.Restore(state); err != nil {
				t.Fatal(err)
			}
		}
		got, err := b.Step(&m)
		if err != nil || len(got) != 1 || string(got[0].Data) != string(want[0].Data) {
			t.Fatalf("message %d: %s, want %s (%v)", i, got[0].Data, want[0].Data, err)
		}
		if r := results(t, got)[0]; r.Class == buckets.Low && r.Currency == "EUR" {
			last = r
		}
	}
	if want := 0.11 * n / 8; last.Count != n/2-2 || math.Abs(last.Sum-want) > 1e-9 {
		t.Errorf("the last of class low is %+v, want a sum of %v", last, want)
	}
}
