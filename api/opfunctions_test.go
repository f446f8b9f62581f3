package api

import (
	"strings"
	"testing"
	"time"

	"streamflow"
)

func TestFunctions(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	var list FunctionList
	if status, text := g.call(t, "GET", "/api/functions", "", &list); status != 200 || len(list.Functions) != 3 {
		t.Fatal(status, text)
	}
	f := list.Functions[0]
	if f.Rate != 15 || *f.Lag != 5 || *f.StepP50 != 3 || *f.StepP99 != 9 || *f.CheckpointAge < 10 || *f.CheckpointAge > 20 || f.Kind != "step" || len(f.Shards) != 2 {
		t.Errorf("%+v", f)
	}
	if s := list.Functions[1]; s.Kind != "sink" || s.Lag != nil || s.StepP50 != nil || s.CheckpointAge != nil || s.Shards == nil {
		t.Errorf("%+v", s)
	}
	for _, c := range []struct {
		path, body, says string
		status           int
	}{
		{"candles", `{"state":"paused","shards":4,"params":{"grace":"2s"}}`, `"params":{"grace":"2s"}`, 200},
		{"candles", `{"params":null}`, `"state":"paused","shards":4,"params":null`, 200},
		{"candles", `{}`, "nothing is to be changed", 422},
		{"candles", `{"state":"happy"}`, "body.state", 422},
		{"candles", `{"shards":65}`, "body.shards", 422},
		{"candles", `{"params":[1]}`, "body.params", 422},
		{"candles", `{"replay":{}}`, "body", 422},
		{"archive", `{"shards":2}`, "it is a sink", 422},
		{"nobody", `{"shards":2}`, "there are: candles, archive", 404},
	} {
		if status, text := g.call(t, "PATCH", "/api/functions/"+c.path, c.body, nil); status != c.status || !strings.Contains(text, c.says) {
			t.Errorf("PATCH %s %s: %d %s", c.path, c.body, status, text)
		}
	}
	w.fail(errAway)
	if status, text := g.call(t, "GET", "/api/functions/candles", "", nil); status != 503 || !strings.Contains(text, "NATS") {
		t.Errorf("away: %d %s", status, text)
	}
}

func TestReplayFunction(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	var r FunctionReplayed
	if status, text := g.call(t, "POST", "/api/functions/candles/replay", `{"from":"2h"}`, &r); status != 202 || r.Function != "candles" {
		t.Fatal(status, text)
	}
	if got := w.desired["candles"].Replay; got == nil || got.ID != r.ID || !got.From.Equal(r.From) || time.Since(r.From).Round(time.Minute) != 2*time.Hour {
		t.Errorf("%+v, %+v", got, r)
	}
	for body, want := range map[string]int{`{"from":"24h"}`: 202, `{"from":"-2h"}`: 422, `{"from":""}`: 422, `{}`: 422} {
		if status, text := g.call(t, "POST", "/api/functions/candles/replay", body, nil); status != want {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	if status, _ := g.call(t, "POST", "/api/functions/archive/replay", `{"from":"2h"}`, nil); status != 422 {
		t.Errorf("a sink: %d", status)
	}
}

func TestEventsAndResults(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	p := streamflow.Position{Topic: "user-events"}
	for i := range 3 {
		p.Offset = int64(i)
		w.put(streamflow.StreamEvents, Entry{Message: streamflow.Message{Subject: "events.user-events.login", Data: []byte(`{"i":1}`), Cause: p}})
		w.put(streamflow.StreamEvents, Entry{Message: streamflow.Message{Subject: "events.events.view", Data: []byte("broken{"), Cause: p}})
		w.put(streamflow.StreamResults, Entry{Message: streamflow.Message{Subject: "results.logins.u%2E" + string(rune('a'+i)), Data: []byte(`1`), Cause: p}})
		w.put(streamflow.StreamResults, Entry{Output: "logins.x/0/1", Message: streamflow.Message{Subject: "results.logins.all", Data: []byte(`2`), Cause: p}})
	}
	for query, n := range map[string]int{"": 6, "?topic=user-events": 3, "?type=view": 3, "?topic=events&type=view": 3, "?topic=events&type=login": 0, "?limit=2": 2} {
		var page EventPage
		if status, text := g.call(t, "GET", "/api/events"+query, "", &page); status != 200 || len(page.Events) != n || (page.Next != nil) != (query == "?limit=2") {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
	var results ResultList
	g.call(t, "GET", "/api/results/logins?limit=2", "", &results)
	if len(results.Results) != 2 || results.Results[0].Key != "all" || results.Results[0].Kind != "fact" || results.Results[1].Key != "u.a" || results.Next == nil {
		t.Fatalf("%+v", results)
	}
	var rest ResultList
	if g.call(t, "GET", "/api/results/logins?limit=2&cursor="+*results.Next, "", &rest); len(rest.Results) != 2 || rest.Results[1].Key != "u.c" || rest.Next != nil {
		t.Errorf("%+v", rest)
	}
	for path, want := range map[string]int{"/api/results/archive": 404, "/api/results/nobody": 404, "/api/results/candles": 200, "/api/events?cursor=!": 422} {
		if status, text := g.call(t, "GET", path, "", nil); status != want {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}

func TestPartsThatAreNotJoined(t *testing.T) {
	g := newRig(t, nil)
	for path, body := range map[string]string{
		"GET /api/functions": "", "PATCH /api/functions/candles": `{"shards":2}`, "GET /api/deadletters": "", "POST /api/deadletters/replay": `{"ids":[1]}`,
		"POST /api/deadletters/discard": `{"ids":[1],"reason":"x"}`, "GET /api/events": "", "GET /api/results/logins": "", "POST /api/ticks": `{}`, "GET /api/journey/t/0/0": "",
	} {
		method, path, _ := strings.Cut(path, " ")
		if status, text := g.call(t, method, path, body, nil); status != 503 {
			t.Errorf("%s %s: %d %s", method, path, status, text)
		}
	}
	if status, text := g.call(t, "GET", "/api/pipeline", "", nil); status != 200 {
		t.Errorf("pipeline: %d %s", status, text)
	}
}
