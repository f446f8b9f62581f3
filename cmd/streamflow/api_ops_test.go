package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/api"
	"streamflow/infra/kafka"
)

// opsRig is all of `streamflow up` without the simulator, in this process.
type opsRig struct {
	t      *testing.T
	s      servers
	v      *vault // with --secure
	url    string
	key    string
	client *http.Client
}

func newOpsRig(t *testing.T, args ...string) *opsRig {
	t.Helper()
	return newLoggedOpsRig(t, slog.New(slog.DiscardHandler), args...)
}

func newLoggedOpsRig(t *testing.T, log *slog.Logger, args ...string) *opsRig {
	t.Helper()
	dir, err := os.MkdirTemp("", "streamflow-ops-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL, which is never root, must be able to go in
		t.Fatal(err)
	}
	c := parse(t, append([]string{"up", "--no-simulate", "--data-dir", dir, "--kafka-addr", "127.0.0.1:0", "--nats-addr", "127.0.0.1:0", "--postgres-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0"}, args...)...)
	v, err := c.Up.vault()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s, _, stop, err := c.Up.servers(ctx, v, log)
	t.Cleanup(func() { cancel(); _ = stop() })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Up.ensure(ctx, v.as(s, partAdmin), log); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(v.grant(ctx, s, log), v.write(s)); err != nil {
		t.Fatal(err)
	}
	registry := newRegistry()
	parts, err := c.Up.parts(ctx, s, v, 0, log, registry)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := c.Up.listen()
	if err != nil {
		t.Fatal(err)
	}
	p, err := newAPI(ctx, v.as(s, "api"), c.Up.httpFlags, ln, registry, log)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- runParts(ctx, log, append(parts, p)...) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &opsRig{t: t, s: v.as(s, partAdmin), v: v, url: c.Up.url(ln), client: http.DefaultClient}
}

// call sends a request and reads the answer into out.
func (r *opsRig) call(method, path, body string, out any) (status int, text string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if r.key != "" {
		req.Header.Set("X-Api-Key", r.key)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if out != nil && resp.StatusCode < 300 {
		if err := json.Unmarshal(data, out); err != nil {
			r.t.Fatalf("%s %s: %v in %s", method, path, err, data)
		}
	}
	return resp.StatusCode, string(data)
}

// until calls again and again until ok.
func (r *opsRig) until(what, path string, out any, ok func() bool) {
	r.t.Helper()
	last := ""
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		status, text := r.call("GET", path, "", out)
		if last = fmt.Sprint(status, " ", text); status == 200 && ok() {
			return
		}
	}
	r.t.Fatalf("%s: not within 2 minutes: %.3000s", what, last)
}

// A tick comes in by the API, and its journey is told; a record that is refused
// is mended, sent again and stored; the pipeline and the functions are measured.
func TestOperationsEndToEnd(t *testing.T) { newOpsRig(t).endToEnd() }

func (r *opsRig) endToEnd() {
	t := r.t
	tick := func(price float64) string {
		return fmt.Sprintf(`{"symbol":"BTC/USD","price":%v,"volume":1,"timestamp":%q}`, price, time.Now().UTC().Format(time.RFC3339Nano))
	}
	var in api.TicksInAnswer
	if status, text := r.call("POST", "/api/ticks", `{"ticks":[`+tick(1)+`,`+tick(2)+`]}`, &in); status != 201 || in.Accepted != 2 {
		t.Fatal(status, text)
	}
	var j api.Journey
	r.until("the journey", "/api/journey/"+in.Results[0].Position, &j, func() bool {
		names := make(map[string]bool)
		for _, h := range j.Hops {
			names[h.Name] = true
		}
		return names["kafka"] && names["bridge"] && names["stream"] && names["archive"] && len(j.Results) > 0
	})
	if j.Symbol != "BTC/USD" || j.Subject != "ticks.BTC%2FUSD" || len(j.Missing) != 0 {
		t.Errorf("%+v", j)
	}
	r.letters(tick)
	r.measured()
}

// letters has a record refused, and mends it.
func (r *opsRig) letters(tick func(float64) string) {
	t := r.t
	client, err := kafka.Connect(t.Context(), r.s.config("test", slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	bad := &kgo.Record{Topic: r.s.Topic, Key: []byte("BTC/USD"), Value: []byte(tick(-1))}
	if err := client.ProduceSync(t.Context(), bad).FirstErr(); err != nil {
		t.Fatal(err)
	}
	var page api.DeadLetterPage
	r.until("the dead letter", "/api/deadletters?reason=bad_price", &page, func() bool { return len(page.Items) == 1 })
	id := page.Items[0].ID
	var done api.DeadLetterResults
	body := fmt.Sprintf(`{"ids":[%d],"value":%q}`, id, tick(7))
	if status, text := r.call("POST", "/api/deadletters/replay", body, &done); status != 200 || done.Done != 1 || done.Results[0].Position == "" {
		t.Fatal(status, text)
	}
	var j api.Journey
	r.until("the mended tick", "/api/journey/"+done.Results[0].Position, &j, func() bool { return strings.Contains(string(j.Tick), `"price":7`) && j.Sequence > 0 })
	var l api.DeadLetter
	if r.call("GET", fmt.Sprintf("/api/deadletters/%d", id), "", &l); l.State != "replayed" || !l.History[1].Corrected {
		t.Errorf("%+v", l)
	}
	if status, text := r.call("POST", "/api/deadletters/discard", fmt.Sprintf(`{"ids":[%d],"reason":"x"}`, id), &done); status != 200 || done.Results[0].Code != "already_replayed" {
		t.Error(status, text)
	}
}

// measured looks at the pipeline and at a function, and changes it.
func (r *opsRig) measured() {
	t := r.t
	var v api.Pipeline
	r.until("the pipeline", "/api/pipeline", &v, func() bool {
		lag := false
		for _, h := range v.Hops {
			lag = lag || h.Name == "bridge" && h.Lag != nil && h.Rate != nil
		}
		return lag && v.Database != nil && v.Database.RowsPerSecond != nil && *v.Database.Stored > 0 && len(v.Health) == 4
	})
	for _, c := range v.Health {
		if !c.OK {
			t.Errorf("%+v", c)
		}
	}
	if len(v.Faults) != 0 || len(v.Streams) < 7 || len(v.Kafka.Topics) != 7 {
		t.Errorf("%+v, %d streams, %d topics", v.Faults, len(v.Streams), len(v.Kafka.Topics))
	}
	var f api.Function
	if status, text := r.call("PATCH", "/api/functions/candles", `{"params":{"nonsense":1}}`, nil); status != 422 || !strings.Contains(text, "nonsense") {
		t.Error(status, text)
	}
	if status, text := r.call("PATCH", "/api/functions/candles", `{"state":"paused"}`, &f); status != 200 || f.Desired.State != streamflow.StatePaused || f.Lag == nil {
		t.Error(status, text)
	}
	r.until("candles rest", "/api/functions/candles", &f, func() bool { return len(f.Workers) == 1 && f.Workers[0].Phase == "paused" })
	if status, text := r.call("POST", "/api/functions/archive/replay", `{"from":"1h"}`, nil); status != 422 {
		t.Error(status, text)
	}
	if status, text := r.call("POST", "/api/functions/candles/replay", `{"from":"soon"}`, nil); status != 422 || strings.Contains(text, "--from") {
		t.Error(status, text)
	}
}
