package logins_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/logins"
)

var (
	noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	mask = strings.Repeat("0a", 32)
)

// login makes the n-th message of topic user-events, which happened and was
// produced that long after noon.
func login(n int, happened, produced time.Duration) streamflow.Message {
	text := fmt.Sprintf(`{"user_id":"u-%d","user_email":%q,"type":"login","timestamp":%q}`, n, mask, noon.Add(happened).Format(time.RFC3339Nano))
	return streamflow.Message{
		Subject: streamflow.EventSubject(streamflow.TopicUserEvents, streamflow.TypeLogin), Data: []byte(text),
		Position: streamflow.Position{Topic: streamflow.TopicUserEvents, Partition: int32(n % 3), Offset: int64(n / 3)},
		Hops:     string(streamflow.AppendHop(nil, streamflow.HopKafka, noon.Add(produced))),
	}
}

// read parts the facts.
func read(t *testing.T, facts []streamflow.Message) (counts []logins.Count, told []logins.Notification) {
	t.Helper()
	for _, f := range facts {
		var err error
		switch f.Subject {
		case "results.logins.count":
			var c logins.Count
			err = json.Unmarshal(f.Data, &c)
			counts = append(counts, c)
		case "results.logins.login":
			var n logins.Notification
			err = json.Unmarshal(f.Data, &n)
			told = append(told, n)
		default:
			t.Errorf("a fact on %s", f.Subject)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return counts, told
}

func TestLoginsAreCounted(t *testing.T) {
	other := login(9, 0, 0)
	other.Subject = streamflow.EventSubject(streamflow.TopicUserEvents, "logout")
	shop := login(9, 0, 0)
	shop.Subject = streamflow.EventSubject(streamflow.TopicEvents, "login")
	at := func(n int, s float64) streamflow.Message {
		d := time.Duration(s * float64(time.Second))
		return login(n, d, d)
	}
	facts, err := logins.New(logins.Params{}).Try(at(0, 0), at(1, 9.999), other, shop, at(2, 10), at(3, 35),
		login(4, 3*time.Second, 36*time.Second),  // late: it amends
		at(5, 300), login(6, 0, 300*time.Second)) // too late for its window
	if err != nil {
		t.Fatal(err)
	}
	counts, told := read(t, facts)
	after := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	want := []logins.Count{
		{Start: after(0), End: after(10), Logins: 2}, {Start: after(10), End: after(20), Logins: 1},
		{Start: after(0), End: after(10), Logins: 3, Amended: 1}, {Start: after(30), End: after(40), Logins: 1},
	}
	if !slices.Equal(counts, want) {
		t.Errorf("counts %+v, want %+v", counts, want)
	}
	if len(told) != 7 {
		t.Fatalf("%d notifications, want one for each login", len(told))
	}
	if n := told[3]; n.User != "u-3" || n.Email != mask || !n.Time.Equal(after(35)) || n.Position != "user-events/0/1" || n.Text != "User u-3 logged in at 2026-03-02 12:00:35 UTC." {
		t.Errorf("%+v", n)
	}
}

// When nobody logs in any more the last window is published all the same.
func TestSilenceClosesTheWindow(t *testing.T) {
	b := functions.NewBatch(logins.New(logins.Params{Grace: "1s"}))
	m := login(0, 4*time.Second, 4*time.Second)
	if _, err := b.Step(&m); err != nil {
		t.Fatal(err)
	}
	if facts, err := b.Advance(noon.Add(10500 * time.Millisecond)); err != nil || len(facts) != 0 {
		t.Errorf("half a second after its end: %d facts, %v", len(facts), err)
	}
	facts, err := b.Advance(noon.Add(11 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if counts, _ := read(t, facts); len(counts) != 1 || counts[0].Logins != 1 {
		t.Errorf("%+v", counts)
	}
}

// Whatever the order, and however often it is restored, the last word on each
// window is the number of its logins.
func TestAnyOrderCountsTheSame(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := logins.New(logins.Params{})
		b := functions.NewBatch(f)
		want, got := make(map[time.Time]int64), make(map[time.Time]int64)
		note := func(facts []streamflow.Message, err error) {
			if err != nil {
				t.Fatal(err)
			}
			counts, _ := read(t, facts)
			for _, c := range counts {
				got[c.Start] = c.Logins
			}
		}
		now := time.Duration(0)
		for i := range 500 {
			now += time.Duration(r.Int64N(int64(2 * time.Second)))
			happened := now - time.Duration(r.Int64N(int64(60*time.Second)))
			m := login(i, happened, now)
			want[noon.Add(happened).Truncate(10*time.Second)]++
			note(b.Step(&m))
			if r.IntN(20) == 0 {
				state, err := b.Save()
				if err != nil {
					t.Fatal(err)
				}
				b = functions.NewBatch(f)
				if err := b.Restore(state); err != nil {
					t.Fatal(err)
				}
			}
		}
		note(b.Advance(noon.Add(now + time.Hour)))
		if len(got) != len(want) {
			t.Fatalf("seed %d: %d windows, want %d", seed, len(got), len(want))
		}
		for start, n := range want {
			if got[start] != n {
				t.Errorf("seed %d: %d logins from %s on, want %d", seed, got[start], start, n)
			}
		}
	}
}

func TestParams(t *testing.T) {
	for _, text := range []string{``, `{}`, `{"window":"1m","delay":"1s","lateness":"0s","grace":"500ms"}`} {
		if _, err := logins.ParseParams(json.RawMessage(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{`{"window":"10"}`, `{"window":"10ms"}`, `{"window":"-1s"}`, `{"delay":"1h"}`, `{"size":"10s"}`, `7`, `{"grace":"0s"}`} {
		if p, err := logins.ParseParams(json.RawMessage(text)); err == nil || !strings.Contains(err.Error(), "params of logins") {
			t.Errorf("%s became %+v, %v", text, p, err)
		}
	}
}
