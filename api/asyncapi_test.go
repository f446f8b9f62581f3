package api

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/websocket"

	"streamflow"
)

// What is said on the websocket is what the document says.
func TestWebsocketSaysWhatIsDocumented(t *testing.T) {
	g := newRig(t, nil)
	at := time.Now()
	g.feed.put(g.tick("AAPL", 187.23, 100, at))
	eventually(t, "the tick is known", func() bool { _, ok := g.live.Newest("ticks.AAPL"); return ok })
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(g.url, "http")+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
	for _, m := range []string{`{"ping":7}`, `{"subscribe":["ticks.AAPL"],"mode":"all"}`, `{"subscribe":["tocks.AAPL"]}`} {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	heard := map[string]bool{}
	want := []string{"pong", "subscribed", "message", "snapshotDone", "error", "unsubscribed", "heartbeat"}
	for len(heard) < len(want) {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			t.Fatalf("%v; heard %v", err, heard)
		}
		var v map[string]any
		if err := json.Unmarshal(frame, &v); err != nil {
			t.Fatalf("%v: %s", err, frame)
		}
		matching := ""
		for _, m := range wireMessages {
			result := &huma.ValidateResult{}
			huma.Validate(registry, registry.Schema(m.payload, true, ""), huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, result)
			if !m.ofClient && len(result.Errors) == 0 {
				matching = m.name
			}
		}
		if matching == "" {
			t.Fatalf("no message of the document is like %s", frame)
		}
		if matching == "message" && !heard[matching] { // not before: what is unsubscribed is not sent any more
			if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"unsubscribe":["ticks.AAPL"]}`)); err != nil {
				t.Fatal(err)
			}
		}
		heard[matching] = true
	}
	for _, name := range want {
		if !heard[name] {
			t.Errorf("%s was not heard", name)
		}
	}
}

// Every subject of the address book that carries what others may read is in the
// document, and the payloads are what the root writes.
func TestSubjectsOfAsyncAPI(t *testing.T) {
	listed := map[string]bool{}
	for _, s := range subjects {
		listed[s.listed] = true
		if meaning(s.listed) == "" {
			t.Errorf("%s: %q is not in the address book", s.id, s.listed)
		}
	}
	for _, a := range streamflow.Flow.Addresses {
		if a.Kind == streamflow.KindRequest && !slices.ContainsFunc(services, func(s service) bool { return s.listed == a.Name }) {
			t.Errorf("request %s of the address book is not in the document", a.Name)
		}
		if a.Kind == streamflow.KindSubject && !strings.HasPrefix(a.Name, "cursor.") && !listed[a.Name] {
			t.Errorf("subject %s of the address book is not in the document", a.Name)
		}
	}
	p := streamflow.Position{Topic: streamflow.TopicTicks, Offset: 7}
	candle := streamflow.Candle{Symbol: "A", Interval: streamflow.Minute1, Start: epoch, Amended: 1, Last: p}
	indicators := streamflow.Indicators{Symbol: "A", Interval: streamflow.Minute1, Time: epoch, Trend: streamflow.TrendUp, Amended: true, Last: p, Values: []streamflow.Value{{Name: "sma_20", Value: 1}}}
	alert := streamflow.Alert{ID: "1", Rule: "a", Name: "n", Symbol: "A", When: "w", Severity: streamflow.SeverityInfo, Time: epoch, Values: map[string]float64{}, Text: "t", Position: p.String()}
	for id, v := range map[string]any{"candle": candle, "indicators": indicators, "alert": alert} {
		i := slices.IndexFunc(subjects, func(s subject) bool { return s.id == id })
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var wire any
		_ = json.Unmarshal(data, &wire)
		registry, result := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer), &huma.ValidateResult{}
		huma.Validate(registry, registry.Schema(subjects[i].payload, true, ""), huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, wire, result)
		if len(result.Errors) > 0 {
			t.Errorf("%s: %v in %s", id, result.Errors, data)
		}
	}
}
