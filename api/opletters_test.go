package api

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"streamflow"
)

// putLetter makes a dead letter of the bridge, or of a function, with its record
// in Kafka.
func (w *fakeWorld) putLetter(function string, reason streamflow.Reason, value string, cut string) uint64 {
	w.mu.Lock()
	at := time.Now().Truncate(time.Millisecond)
	p := w.write(Record{Position: streamflow.Position{Topic: streamflow.TopicTicks, Partition: 0}, Time: at, Key: []byte("AAPL"), Value: []byte(value)})
	w.mu.Unlock()
	e := Entry{Message: streamflow.Message{
		Subject: streamflow.DeadLetterSubject(p.Topic), Data: []byte(value), Position: p, Cause: p,
		Hops: string(streamflow.AppendHop(nil, streamflow.HopKafka, at)),
		Headers: []streamflow.Header{
			{Key: streamflow.HeaderReason, Value: []byte(reason)}, {Key: streamflow.HeaderDetail, Value: []byte("because")},
			{Key: streamflow.HeaderKey, Value: []byte("AAPL")}, {Key: streamflow.HeaderHeaders, Value: []byte("trace=a%26b")},
		},
	}}
	if cut != "" {
		e.Headers = append(e.Headers, streamflow.Header{Key: streamflow.HeaderCut, Value: []byte(cut)})
		e.Data = nil
	}
	if function != "" {
		e.Subject = streamflow.LetterSubject(function, p)
		e.Headers[3].Value = []byte("Stack=goroutine+1")
	}
	return w.put(streamflow.StreamDeadLetters, e)
}

// What a schema registry describes is shown as what it says, and as its bytes.
func TestFramedDeadLetters(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	const says = `{"symbol":"AAPL","price":-1}`
	known := w.putLetter("", streamflow.ReasonBadPrice, "\x00\x00\x00\x00\x01"+says, "")
	unknown := w.putLetter("", streamflow.ReasonNoSchema, "\x00\x00\x00\x00\x02"+says, "")
	huge := w.putLetter("", streamflow.ReasonBadPrice, "\x00\x00\x00\x00\x01"+strings.Repeat("a", listedValue+1), "")
	var page DeadLetterPage
	g.call(t, "GET", "/api/deadletters", "", &page)
	if len(page.Items) != 3 {
		t.Fatalf("%d items", len(page.Items))
	}
	for _, l := range page.Items {
		switch {
		case l.ValueText != nil || l.ValueBase64 == nil:
			t.Errorf("%d: the bytes are shown as a text: %+v", l.ID, l)
		case l.ID == known && (l.ValueJSON == nil || *l.ValueJSON != says || l.Truncated):
			t.Errorf("the known one: %+v", l)
		case l.ID == unknown && l.ValueJSON != nil:
			t.Errorf("the unknown one: %s", *l.ValueJSON)
		case l.ID == huge && (l.ValueJSON != nil || !l.Truncated):
			t.Errorf("the list shows %d bytes", len(*l.ValueJSON))
		}
	}
	var l DeadLetter
	g.call(t, "GET", fmt.Sprint("/api/deadletters/", huge), "", &l)
	if l.ValueJSON == nil || len(*l.ValueJSON) != listedValue+1 || l.Truncated {
		t.Errorf("one alone: %+v", l)
	}
}

func TestListDeadLetters(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	for i := range 7 {
		reason := streamflow.ReasonBadPrice
		if i%2 == 1 {
			reason = streamflow.ReasonMissing
		}
		w.putLetter("", reason, fmt.Sprintf(`{"n":%d}`, i), "")
		w.put(streamflow.StreamDeadLetters, Entry{Message: streamflow.Message{Subject: "cursor.dlq.stock_ticks.0"}})
	}
	w.putLetter("candles", "step_failed", "\xff\x00", "")
	var ids []uint64
	cursor := ""
	for pages := 0; ; pages++ {
		var page DeadLetterPage
		if status, text := g.call(t, "GET", "/api/deadletters?limit=3&reason=bad_price"+cursor, "", &page); status != 200 {
			t.Fatal(status, text)
		}
		for _, l := range page.Items {
			ids = append(ids, l.ID)
		}
		if page.Next == nil {
			if pages != 1 {
				t.Errorf("%d pages", pages+1)
			}
			break
		}
		cursor = "&cursor=" + *page.Next
	}
	if fmt.Sprint(ids) != "[13 9 5 1]" {
		t.Errorf("IDs %v", ids)
	}
	var all DeadLetterPage
	g.call(t, "GET", "/api/deadletters", "", &all)
	if len(all.Items) != 8 {
		t.Fatalf("%d items", len(all.Items))
	}
	if l := all.Items[0]; l.Function != "candles" || l.Reason != "step_failed" || l.Stack != "goroutine 1" || *l.ValueBase64 != base64.StdEncoding.EncodeToString([]byte("\xff\x00")) || l.ValueText != nil || l.State != "open" {
		t.Errorf("%+v", l)
	}
	if l := all.Items[1]; *l.ValueText != `{"n":6}` || *l.Key != "AAPL" || len(l.Headers) != 1 || l.Headers[0] != (LetterField{"trace", "a&b"}) || l.Produced == nil || l.Offset != 6 {
		t.Errorf("%+v", l)
	}
	for query, n := range map[string]int{"function=candles": 1, "function=bridge": 7, "topic=stock_ticks": 8, "topic=events": 0, "state=open": 8, "state=discarded": 0} {
		var page DeadLetterPage
		if g.call(t, "GET", "/api/deadletters?"+query, "", &page); len(page.Items) != n {
			t.Errorf("%s: %d items, want %d", query, len(page.Items), n)
		}
	}
	for path, want := range map[string]int{"/api/deadletters/1": 200, "/api/deadletters/2": 404, "/api/deadletters/99": 404, "/api/deadletters/0": 422, "/api/deadletters?cursor=x": 422} {
		if status, text := g.call(t, "GET", path, "", nil); status != want {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	w.fail(errAway)
	if status, text := g.call(t, "GET", "/api/deadletters", "", nil); status != 503 || !strings.Contains(text, "NATS") {
		t.Errorf("away: %d %s", status, text)
	}
}

func TestLargeValuesAreCutInLists(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	id := w.putLetter("", streamflow.ReasonMissing, strings.Repeat("x", listedValue-1)+"ü", "")
	var page DeadLetterPage
	g.call(t, "GET", "/api/deadletters", "", &page)
	if l := page.Items[0]; !l.Truncated || *l.ValueText != strings.Repeat("x", listedValue-1) || l.ValueBytes != listedValue+1 {
		t.Errorf("truncated %v, %d bytes", l.Truncated, len(*l.ValueText))
	}
	var l DeadLetter
	if g.call(t, "GET", fmt.Sprintf("/api/deadletters/%d", id), "", &l); l.Truncated || !strings.HasSuffix(*l.ValueText, "xü") {
		t.Errorf("one: %v", l.Truncated)
	}
}

func TestReplayDeadLetters(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	id := w.putLetter("", streamflow.ReasonFuture, `{"old":1}`, "")
	replay := func(body string) (r DeadLetterResults) {
		t.Helper()
		if status, text := g.call(t, "POST", "/api/deadletters/replay", body, &r); status != 200 {
			t.Fatalf("%s: %d %s", body, status, text)
		}
		return r
	}
	// Many clicks at once: one record.
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			r := replay(`{"ids":[1]}`)
			if r.Done != 1 && r.Results[0].Code != codeInProgress {
				t.Errorf("%+v", r)
			}
		})
	}
	wg.Wait()
	r := replay(`{"ids":[1,1]}`)
	if r.Done != 2 || !r.Results[0].Already || r.Results[1].Position != "stock_ticks/1/0" {
		t.Errorf("%+v", r)
	}
	if n := len(w.topics["stock_ticks"][1]); n != 1 {
		t.Fatalf("%d records were sent again, want 1", n)
	}
	sent := w.topics["stock_ticks"][1][0]
	if string(sent.Value) != `{"old":1}` || string(sent.Key) != "AAPL" || fmt.Sprintf("%s", sent.Headers) != "[{trace a&b} {Dead-Letter bridge/stock_ticks/0/0}]" {
		t.Errorf("sent %s %s", sent.Value, sent.Headers)
	}
	var l DeadLetter
	g.call(t, "GET", fmt.Sprintf("/api/deadletters/%d", id), "", &l)
	if l.State != "replayed" || len(l.History) != 2 || l.History[1].Position != "stock_ticks/1/0" || l.History[1].By != "tester" {
		t.Errorf("%+v", l)
	}
	if r := replay(fmt.Sprintf(`{"ids":[1],"value":%q}`, tickIn("AAPL", 2))); r.Results[0].Code != codeAlreadyReplayed || r.Results[0].Position == "" {
		t.Errorf("another value: %+v", r)
	}
	if r := replay(`{"ids":[99]}`); r.Results[0].Code != codeNotFound {
		t.Errorf("%+v", r)
	}
	if status, _ := g.call(t, "POST", "/api/deadletters/replay", `{"ids":[1,2],"value":"x"}`, nil); status != 422 {
		t.Errorf("a value for two: %d", status)
	}
}

func TestReplayCorrected(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	w.putLetter("", streamflow.ReasonBadPrice, `{"price":-1}`, "")
	var r DeadLetterResults
	g.call(t, "POST", "/api/deadletters/replay", `{"ids":[1],"value":"{\"price\":-2}"}`, &r)
	if r.Failed != 1 || r.Results[0].Code != codeRefused || !strings.Contains(r.Results[0].Error, "missing_field") || r.Results[0].State != "open" {
		t.Errorf("%+v", r)
	}
	value := tickIn("BRK.B", 5)
	g.call(t, "POST", "/api/deadletters/replay", fmt.Sprintf(`{"ids":[1],"value":%q}`, value), &r)
	if r.Done != 1 || r.Results[0].State != "replayed" {
		t.Errorf("%+v", r)
	}
	sent := w.topics["stock_ticks"][5%3][0]
	if string(sent.Key) != "BRK.B" || string(sent.Value) != value || !strings.Contains(fmt.Sprintf("%s", sent.Headers), "{Dead-Letter-Corrected true}") {
		t.Errorf("sent %s %s %s", sent.Key, sent.Value, sent.Headers)
	}
	var l DeadLetter
	g.call(t, "GET", "/api/deadletters/1", "", &l)
	if h := l.History[1]; !h.Corrected || h.Value != value {
		t.Errorf("%+v", h)
	}
}

func TestReplayOfWhatIsNotHere(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	w.putLetter("", streamflow.ReasonTooLarge, "the whole value", "value")
	w.putLetter("", streamflow.ReasonTooLarge, "gone", "value")
	w.putLetter("candles", "step_failed", `{"tick":1}`, "")
	w.mu.Lock()
	w.topics["stock_ticks"][0][1].Time = time.Now().Add(time.Hour) // another record stands there now
	w.mu.Unlock()
	var r DeadLetterResults
	g.call(t, "POST", "/api/deadletters/replay", `{"ids":[1,2,3]}`, &r)
	if r.Done != 1 || r.Results[1].Code != codeIncomplete || r.Results[2].Code != codeWouldDuplicate {
		t.Errorf("%+v", r)
	}
	if sent := w.topics["stock_ticks"][1][0]; string(sent.Value) != "the whole value" {
		t.Errorf("sent %q", sent.Value)
	}
	g.call(t, "POST", "/api/deadletters/replay", `{"ids":[3],"allowDuplicate":true}`, &r)
	if r.Done != 1 || string(w.topics["stock_ticks"][1][1].Value) != `{"tick":1}` {
		t.Errorf("%+v", r)
	}
}

func TestReplayAfterADeath(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	w.putLetter("", streamflow.ReasonFuture, "one", "")
	w.putLetter("", streamflow.ReasonFuture, "two", "")
	w.putLetter("", streamflow.ReasonFuture, "three", "")
	old := []LetterAct{{State: letterSending, At: time.Now().Add(-time.Hour)}}
	w.mu.Lock()
	for i := range 3 {
		w.marks[fmt.Sprintf("bridge/stock_ticks/0/%d", i)] = LetterMark{State: letterSending, Since: map[int32]int64{0: 3, 1: 0, 2: 0}, History: old, Revision: 1}
	}
	// The first was written before its server died, the second was not, the third
	// is on its way right now.
	w.write(Record{Position: streamflow.Position{Topic: "stock_ticks", Partition: 2}, Headers: []streamflow.Header{{Key: streamflow.HeaderLetter, Value: []byte("bridge/stock_ticks/0/0")}}})
	w.marks["bridge/stock_ticks/0/2"] = LetterMark{State: letterSending, History: []LetterAct{{State: letterSending, At: time.Now()}}, Revision: 1}
	w.mu.Unlock()
	var r DeadLetterResults
	g.call(t, "POST", "/api/deadletters/replay", `{"ids":[1,2,3]}`, &r)
	if r.Done != 2 || !r.Results[0].Already || r.Results[0].Position != "stock_ticks/2/0" || r.Results[1].Already || r.Results[2].Code != codeInProgress {
		t.Errorf("%+v", r)
	}
	if n := len(w.topics["stock_ticks"][1]); n != 1 {
		t.Errorf("%d records were sent again, want the second only", n)
	}
}

func TestReplayWithoutKafka(t *testing.T) {
	w := newFakeWorld()
	w.refuse = errAway
	g := newRig(t, w.join)
	w.putLetter("", streamflow.ReasonFuture, "one", "")
	if status, text := g.call(t, "POST", "/api/deadletters/replay", `{"ids":[1]}`, nil); status != 503 || !strings.Contains(text, "Kafka") {
		t.Errorf("%d %s", status, text)
	}
	w.mu.Lock()
	w.refuse = nil
	w.mu.Unlock()
	var r DeadLetterResults
	if g.call(t, "POST", "/api/deadletters/replay", `{"ids":[1]}`, &r); r.Done != 1 {
		t.Errorf("%+v", r)
	}
	if h := w.marks["bridge/stock_ticks/0/0"].History; len(h) != 4 || h[1].State != letterFailed || h[1].Reason == "" {
		t.Errorf("history %+v", h)
	}
}

func TestDiscardDeadLetters(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	w.putLetter("", streamflow.ReasonFuture, "one", "")
	w.putLetter("", streamflow.ReasonFuture, "two", "")
	var r DeadLetterResults
	g.call(t, "POST", "/api/deadletters/discard", `{"ids":[1],"reason":"test data"}`, &r)
	if r.Done != 1 || r.Results[0].State != letterDiscarded || r.Results[0].Already {
		t.Errorf("%+v", r)
	}
	if g.call(t, "POST", "/api/deadletters/discard", `{"ids":[1],"reason":"again"}`, &r); !r.Results[0].Already {
		t.Errorf("%+v", r)
	}
	var page DeadLetterPage
	g.call(t, "GET", "/api/deadletters?state=discarded", "", &page)
	if len(page.Items) != 1 || page.Items[0].History[0].Reason != "test data" || page.Items[0].History[0].By != "tester" {
		t.Errorf("%+v", page)
	}
	// What was discarded by mistake can still be sent again, and not the other way round.
	g.call(t, "POST", "/api/deadletters/replay", `{"ids":[1]}`, &r)
	if r.Done != 1 || len(w.marks["bridge/stock_ticks/0/0"].History) != 3 {
		t.Errorf("%+v", r)
	}
	if g.call(t, "POST", "/api/deadletters/discard", `{"ids":[1],"reason":"x"}`, &r); r.Results[0].Code != codeAlreadyReplayed {
		t.Errorf("%+v", r)
	}
	if status, _ := g.call(t, "POST", "/api/deadletters/discard", `{"ids":[1]}`, nil); status != 422 {
		t.Errorf("without a reason: %d", status)
	}
}
