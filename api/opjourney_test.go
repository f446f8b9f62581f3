package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"streamflow"
)

// putTick makes a tick in Kafka and in the stream.
func (w *fakeWorld) putTick(symbol string, at time.Time) streamflow.Position {
	value := tickIn(symbol, 5)
	w.mu.Lock()
	p := w.write(Record{Position: streamflow.Position{Topic: streamflow.TopicTicks, Partition: 0}, Time: at, Key: []byte(symbol), Value: []byte(value)})
	w.mu.Unlock()
	hops := streamflow.AppendHop(streamflow.AppendHop(nil, streamflow.HopKafka, at), streamflow.HopBridge, at.Add(2*time.Millisecond))
	w.put(streamflow.StreamTicks, Entry{Message: streamflow.Message{
		Subject: streamflow.TickSubject(symbol), Data: []byte(value), Position: p, Cause: p, Hops: string(hops), Stored: at.Add(3 * time.Millisecond),
	}})
	return p
}

func TestJourney(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	at := time.Now().Add(-time.Minute).Truncate(time.Millisecond).UTC()
	p := w.putTick("BTC/USD", at)
	later := w.putTick("BTC/USD", at.Add(time.Second))
	hops := func(name string, after time.Duration) string {
		return fmt.Sprintf("kafka=%d;bridge=%d;%s=%d;", at.UnixNano(), at.Add(2*time.Millisecond).UnixNano(), name, at.Add(after).UnixNano())
	}
	w.put(streamflow.StreamCandles, Entry{Message: streamflow.Message{Subject: "candles.1m.BTC%2FUSD", Data: []byte(`{"a":1}`), Cause: p, Hops: hops("candles", 5*time.Millisecond), Stored: at.Add(6 * time.Millisecond)}})
	w.put(streamflow.StreamCandles, Entry{Message: streamflow.Message{Subject: "candles.1h.BTC%2FUSD", Data: []byte(`{"b":1}`), Cause: later, Stored: at.Add(time.Second)}})
	w.put(streamflow.StreamAlerts, Entry{Output: "alerts.x/0/1", Message: streamflow.Message{Subject: "alerts.BTC%2FUSD", Data: []byte(`{}`), Cause: p, Hops: hops("alerts", 7*time.Millisecond), Stored: at.Add(9 * time.Millisecond)}})
	tick, err := streamflow.DecodeTick([]byte(tickIn("BTC/USD", 5)), nil, streamflow.AnyTime)
	if err != nil {
		t.Fatal(err)
	}
	w.rows = append(w.rows, streamflow.Mirrored{Tick: tick, Position: p, Stored: at.Add(50 * time.Millisecond)})
	var j Journey
	if status, text := g.call(t, "GET", "/api/journey/stock_ticks/0/0", "", &j); status != 200 {
		t.Fatal(status, text)
	}
	var names []string
	for _, h := range j.Hops {
		after := "-"
		if h.After != nil {
			after = fmt.Sprint(*h.After)
		}
		names = append(names, fmt.Sprintf("%s<%s %s %v", h.Name, h.Since, after, h.Total))
	}
	want := "kafka< - 0|bridge<kafka 2 2|stream<bridge 1 3|candles<stream 2 5|candles.published<candles 1 6|alerts<stream 4 7|alerts.published<alerts 2 9|archive<stream 47 50"
	if got := strings.Join(names, "|"); got != want {
		t.Errorf("hops\n%s, want\n%s", got, want)
	}
	if j.Symbol != "BTC/USD" || j.Subject != "ticks.BTC%2FUSD" || j.Sequence != 1 || len(j.Missing) != 0 || j.Letter != nil {
		t.Errorf("%+v", j)
	}
	if len(j.Results) != 3 || !j.Results[0].Exact || j.Results[0].Kind != "view" || j.Results[1].Kind != "fact" || j.Results[2].Exact || *j.Results[0].After != 6 {
		t.Errorf("results %+v", j.Results)
	}
}

func TestJourneyOfWhatWasRefused(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	w.putLetter("", streamflow.ReasonMissing, `{"symbol":"A"}`, "")
	var j Journey
	if status, text := g.call(t, "GET", "/api/journey/stock_ticks/0/0", "", &j); status != 200 || j.Letter == nil || j.Letter.Reason != "missing_field" || j.Hops[len(j.Hops)-1].Name != "refused" {
		t.Errorf("%d %s", status, text)
	}
	if status, text := g.call(t, "GET", "/api/journey/stock_ticks/0/7", "", nil); status != 404 || !strings.Contains(text, "kafka: ") {
		t.Errorf("%d %s", status, text)
	}
	for _, path := range []string{"stock_ticks/-1/0", "stock_ticks/0/x", "stock%20ticks/0/0"} {
		if status, _ := g.call(t, "GET", "/api/journey/"+path, "", nil); status != 422 {
			t.Errorf("%s: %d", path, status)
		}
	}
	w.fail(errAway)
	if status, text := g.call(t, "GET", "/api/journey/stock_ticks/0/0", "", nil); status != 503 {
		t.Errorf("away: %d %s", status, text)
	}
}

func TestJourneyShowsNoUnmaskedRecord(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	w.mu.Lock()
	w.write(Record{Position: streamflow.Position{Topic: streamflow.TopicUserEvents}, Value: []byte(`{"type":"login","user_email":"ada@example.com"}`)})
	w.mu.Unlock()
	if status, text := g.call(t, "GET", "/api/journey/user-events/0/0", "", nil); status != 200 || strings.Contains(text, "ada@") {
		t.Errorf("%d %s", status, text)
	}
	p := streamflow.Position{Topic: streamflow.TopicUserEvents}
	w.put(streamflow.StreamEvents, Entry{Message: streamflow.Message{Subject: "events.user-events.login", Data: []byte(`{"user_email":"masked"}`), Cause: p}})
	w.put(streamflow.StreamResults, Entry{Message: streamflow.Message{Subject: "results.logins.all", Data: []byte(`{"n":1}`), Cause: p}})
	w.put(streamflow.StreamResults, Entry{Message: streamflow.Message{Subject: "results.buckets.low", Data: []byte(`{"n":1}`), Cause: p}})
	var j Journey
	g.call(t, "GET", "/api/journey/user-events/0/0", "", &j)
	if j.Subject != "events.user-events.login" || len(j.Results) != 1 || j.Results[0].Subject != "results.logins.all" {
		t.Errorf("%+v", j)
	}
}
