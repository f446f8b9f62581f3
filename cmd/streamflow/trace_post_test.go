//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"streamflow"
	"streamflow/api"
)

// posted sends a tick by the API in a request that is traced, and checks that the
// tick's trace is that of the request.
func (w *tracedWorld) posted() {
	w.t.Helper()
	const parent = "00-6bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	out, code := w.run("keys", "create", "tracer", "--scope", "write")
	if code != 0 {
		w.t.Fatalf("keys create: %s", out)
	}
	words := strings.Fields(out) // the key is the last word
	tick := fmt.Sprintf(`{"symbol":"POSTED","price":1,"volume":1,"timestamp":%d}`, time.Now().Unix())
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.api+"/api/ticks", strings.NewReader(tick))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Api-Key", words[len(words)-1])
	request.Header.Set(streamflow.HeaderTraceparent, parent)
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	var answer api.TicksInAnswer
	if err != nil || resp.StatusCode != http.StatusCreated || json.Unmarshal(text, &answer) != nil {
		w.t.Fatalf("%d %s, %v", resp.StatusCode, text, err)
	}
	id, span, ok := streamflow.ParseTraceparent(parent)
	if !ok {
		w.t.Fatal("the test's own traceparent is no good")
	}
	var list []gotSpan
	want := []string{"kafka", "bridge", "candles", "indicators", "archive"} // there is no rule for the symbol
	w.await("the spans of a tick that was posted", 2*time.Minute, func() bool {
		list = w.collector.of(id)
		return has(list, want...) == ""
	}, func() string { return "missing: " + has(list, want...) })
	kafka := named(list, "kafka")[0]
	if at := kafka.text("streamflow.position"); !kafka.of(span) || at != answer.Results[0].Position {
		w.t.Errorf("the first span hangs at %x and is of %s, want %x and %s", kafka.parent(), at, span, answer.Results[0].Position)
	}
}
