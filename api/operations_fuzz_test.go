package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"streamflow"
	"streamflow/api/guard"
)

// target is a server with something of everything in it.
type target struct {
	*Server
	doc    *huma.OpenAPI
	ops    []*huma.Operation
	world  *fakeWorld
	market *fakeMarket
	store  *fakeStore
}

// looseRules take every condition about a price.
type looseRules struct{ fakeRules }

func (l looseRules) Read(rule streamflow.Rule) (RuleMeaning, error) {
	if strings.HasPrefix(rule.When, "price crosses") {
		rule.When = "price above 1"
	}
	return l.fakeRules.Read(rule)
}

func newTarget(tb testing.TB) *target {
	tb.Helper()
	w, m, store := newFakeWorld(), newFakeMarket(), &fakeStore{}
	for n := range 30 {
		m.put(candle("AAPL", streamflow.Minute1, n, float64(n+1)))
		m.alerts = append(m.alerts, StoredAlert{Alert: streamflow.Alert{
			ID: strconv.Itoa(n), Rule: "a", Symbol: "AAPL", When: "price above 1", Severity: "info", Time: epoch, Values: map[string]float64{"price": 1}, Text: "it is",
		}})
		store.put((&maker{}).tick("AAPL", 1, 1, epoch.Add(time.Duration(n)*time.Second)))
		w.put(streamflow.StreamDeadLetters, Entry{Message: streamflow.Message{Subject: streamflow.DeadLetterSubject(streamflow.TopicTicks), Data: []byte("\xff{"), Position: streamflow.Position{Topic: streamflow.TopicTicks, Offset: int64(n)}}})
		w.put(streamflow.StreamEvents, Entry{Message: streamflow.Message{Subject: streamflow.EventSubject(streamflow.TopicUserEvents, "login"), Data: []byte(`{"user_id":"u"}`), Position: streamflow.Position{Topic: streamflow.TopicUserEvents, Offset: int64(n)}}})
		w.put(streamflow.StreamResults, Entry{Message: streamflow.Message{Subject: streamflow.ResultSubject(streamflow.FunctionLogins, "u"), Data: []byte(`{"logins":1}`)}})
	}
	for n := range 4712 {
		w.write(Record{Position: streamflow.Position{Topic: streamflow.TopicTicks}, Value: []byte(tickIn("AAPL", float64(n+1)))})
	}
	w.put(streamflow.StreamResults, Entry{Message: streamflow.Message{Subject: streamflow.ResultSubject(streamflow.FunctionBuckets, "low"), Data: []byte(`{"count":1}`)}})
	if _, err := (fakeRules{m}).Put(tb.Context(), streamflow.Rule{ID: "aapl-breakout", Symbol: "*", When: "price above 1"}, 0); err != nil {
		tb.Fatal(err)
	}
	c := Config{
		Feed: newFakeFeed(), Store: store, Market: m.market(), Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
		Guard: guard.Config{OpenWrites: true, Listener: loopbackAddr}, Checks: []Check{{Name: "kafka", Fn: okCheck}},
	}
	c.Market.Rules = looseRules{fakeRules{m}}
	w.join(&c)
	s, err := New(c)
	if err != nil {
		tb.Fatal(err)
	}
	s.board.seed([]streamflow.Mirrored{(&maker{}).tick("AAPL", 187.23, 100, time.Now())})
	s.board.seeded = true
	doc := newDocument(http.NewServeMux(), &Server{}).OpenAPI()
	return &target{s, doc, operations(doc), w, m, store}
}

// fire sends a request and says what is wrong with the answer.
func (g *target) fire(op *huma.Operation, r *http.Request, away bool) (status int, fault error) {
	_, pattern := g.mux.Handler(r)
	own := pattern == op.Method+" "+op.Path
	rec := httptest.NewRecorder()
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			status, fault = rec.Code, nil // an export that was cut off, as documented
		} else if p != nil {
			fault = fmt.Errorf("it panics: %v", p)
		}
	}()
	g.Handler().ServeHTTP(rec, r)
	switch {
	case rec.Code == 500:
		return rec.Code, errors.New("500: " + rec.Body.String())
	case rec.Code > 500 && !away:
		return rec.Code, fmt.Errorf("%d, and nothing is away: %s", rec.Code, rec.Body)
	case !own:
		return rec.Code, nil // the path is another one than was meant
	}
	answer := op.Responses[strconv.Itoa(rec.Code)]
	if answer == nil {
		return rec.Code, fmt.Errorf("%d is not documented: %s", rec.Code, rec.Body)
	}
	if answer.Ref != "" {
		answer = g.doc.Components.Responses[answer.Ref[strings.LastIndexByte(answer.Ref, '/')+1:]]
	}
	return rec.Code, g.body(answer, rec)
}

// body holds an answer against its schema.
func (g *target) body(answer *huma.Response, rec *httptest.ResponseRecorder) error {
	if rec.Body.Len() == 0 {
		return nil
	}
	if rec.Header().Get("Content-Encoding") != "" {
		return nil // the guard's tests read those
	}
	media, _, err := mime.ParseMediaType(rec.Header().Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("Content-Type %q: %w", rec.Header().Get("Content-Type"), err)
	}
	content := answer.Content[media]
	if content == nil {
		return fmt.Errorf("%d with %s, which is not documented", rec.Code, media)
	}
	if !strings.HasSuffix(media, "json") || media == "application/x-ndjson" {
		return nil
	}
	var v any
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
		return fmt.Errorf("%d: %w in %.300s", rec.Code, err, rec.Body)
	}
	result := &huma.ValidateResult{}
	huma.Validate(g.doc.Components.Schemas, content.Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, result)
	if len(result.Errors) > 0 {
		return fmt.Errorf("%d does not match its schema: %v in %.500s", rec.Code, result.Errors, rec.Body)
	}
	return nil
}

// attack sends one request of a seed to one operation.
func (g *target) attack(tb testing.TB, op *huma.Operation, seed uint64, away bool) int {
	a := &attacker{Rand: rand.New(rand.NewPCG(seed, 1)), schemas: g.doc.Components.Schemas}
	r, text := a.request(op)
	if r == nil {
		return 0
	}
	status, err := g.fire(op, r, away)
	if err != nil {
		tb.Errorf("seed %d: %s\n  %v", seed, text, err)
	}
	return status
}

// rounds is how many requests each operation gets; FUZZ_ROUNDS asks for more.
func rounds(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("FUZZ_ROUNDS"))
	if err != nil && os.Getenv("FUZZ_ROUNDS") != "" {
		t.Fatal(err)
	}
	return max(n, 40)
}

// Whatever is sent to whichever operation, the answer is one that the document
// has, of the form that it has there, and never a fault of the server.
func TestOperationsAnswerAsDocumented(t *testing.T) {
	g := newTarget(t)
	if len(g.ops) < 30 {
		t.Errorf("only %d operations are there", len(g.ops))
	}
	for _, op := range g.ops {
		g.market.mu.Lock() // what was attacked before may have made or deleted it
		delete(g.market.rules, "aapl-breakout")
		g.market.mu.Unlock()
		if strings.Contains(op.Path, "{id}") {
			_, _ = (fakeRules{g.market}).Put(t.Context(), streamflow.Rule{ID: "aapl-breakout", Symbol: "*", When: "price above 1"}, 0)
		}
		done := 0
		for seed := range rounds(t) {
			if status := g.attack(t, op, uint64(seed), false); status/100 == 2 {
				done++
			}
		}
		if done == 0 && op.Path != "/ws" { // which needs a connection: package live has its own fuzzers
			t.Errorf("%s was never done: what comes behind its checks is not tried", op.OperationID)
		}
	}
}

// The same where everything that the API needs is away.
func TestOperationsAnswerAsDocumentedWhenAllIsAway(t *testing.T) {
	g := newTarget(t)
	g.world.fail(errAway)
	g.market.err = errAway
	g.store.fail(errAway)
	for _, op := range g.ops {
		for seed := range rounds(t) / 3 {
			g.attack(t, op, uint64(seed), true)
		}
	}
}

// The examples of the document are such as the API takes.
func TestExamplesAreTaken(t *testing.T) {
	g := newTarget(t)
	e := examples{g.doc.Components.Schemas}
	for _, op := range g.ops {
		for name, m := range requestContent(op) {
			if m.Example == nil {
				t.Errorf("%s: its body (%s) has no example", op.OperationID, name)
				continue
			}
			g.valid(t, op.OperationID+" body", m.Schema, m.Example, huma.ModeWriteToServer)
		}
		for _, p := range op.Parameters {
			if p.Example == nil && len(p.Schema.Examples) == 0 && p.Schema.Default == nil && p.Name != "cursor" && p.Name != "If-Match" && p.Name != "If-None-Match" {
				t.Errorf("%s: parameter %s has no example", op.OperationID, p.Name)
			}
		}
		for code, r := range op.Responses {
			if r.Ref != "" {
				continue
			}
			for media, m := range r.Content {
				if !strings.HasSuffix(media, "json") || media == "application/x-ndjson" {
					continue
				}
				if m.Example == nil {
					t.Errorf("%s: %s has no example", op.OperationID, code)
					continue
				}
				g.valid(t, op.OperationID+" "+code, m.Schema, m.Example, huma.ModeReadFromServer)
				for _, field := range e.lacking(m.Schema, "", 0) {
					t.Errorf("%s: %s: field %s has no example", op.OperationID, code, field)
				}
			}
		}
	}
}

func requestContent(op *huma.Operation) map[string]*huma.MediaType {
	if op.RequestBody == nil {
		return nil
	}
	return op.RequestBody.Content
}

func (g *target) valid(t *testing.T, what string, s *huma.Schema, example any, mode huma.ValidateMode) {
	t.Helper()
	data, err := json.Marshal(example)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	var v any
	_ = json.Unmarshal(data, &v)
	result := &huma.ValidateResult{}
	huma.Validate(g.doc.Components.Schemas, s, huma.NewPathBuffer(nil, 0), mode, v, result)
	if len(result.Errors) > 0 {
		t.Errorf("%s: its example does not match its schema: %v in %.300s", what, result.Errors, data)
	}
}

// lacking lists the texts of a schema for which somebody should think of an
// example: "text" helps nobody.
func (e examples) lacking(s *huma.Schema, path string, depth int) (fields []string) {
	for s.Ref != "" {
		if strings.HasSuffix(s.Ref, "/ErrorModel") || strings.HasSuffix(s.Ref, "/RuleProblem") {
			return nil
		}
		s = e.schemas.SchemaFromRef(s.Ref)
	}
	if len(s.Examples) > 0 || len(s.Enum) > 0 || s.Default != nil || depth > deepest {
		return nil
	}
	switch s.Type {
	case huma.TypeObject:
		for name, p := range s.Properties {
			fields = append(fields, e.lacking(p, path+"."+name, depth+1)...)
		}
	case huma.TypeArray:
		return e.lacking(s.Items, path+"[]", depth+1)
	case huma.TypeString:
		if s.Format == "" {
			return []string{path}
		}
	}
	slices.Sort(fields)
	return fields
}

// FuzzOperations lets the fuzzer choose.
func FuzzOperations(f *testing.F) {
	g := newTarget(f)
	for i := range g.ops {
		f.Add(uint16(i), uint64(i))
	}
	f.Fuzz(func(t *testing.T, op uint16, seed uint64) {
		g.attack(t, g.ops[int(op)%len(g.ops)], seed, false)
	})
}
