package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"streamflow"
)

// send sends a request with a body and headers, as pairs.
func (g *rig) send(t *testing.T, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close(); http.DefaultTransport.(*http.Transport).CloseIdleConnections() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// want sends a request and wants a status and words.
func (g *rig) want(t *testing.T, status int, method, path, body string, headers []string, says ...string) (*http.Response, string) {
	t.Helper()
	resp, got := g.send(t, method, path, body, headers...)
	if resp.StatusCode != status {
		t.Errorf("%s %s %s: %d, want %d: %s", method, path, body, resp.StatusCode, status, got)
	}
	for _, word := range says {
		if !strings.Contains(got, word) {
			t.Errorf("%s %s %s: does not say %q: %s", method, path, body, word, got)
		}
	}
	return resp, got
}

func TestRulesLife(t *testing.T) {
	g := newMarketRig(t)
	const one = "/api/rules/high"
	resp, body := g.want(t, 201, "POST", "/api/rules", `{"id":"high","symbol":"AAPL","when":"price above 200"}`, nil, `"severity":"info"`, `"condition":"price above 200"`, `"judged":"on each tick"`)
	tag := resp.Header.Get("ETag")
	if tag != `"1"` || resp.Header.Get("Location") != one {
		t.Errorf("headers: %v", resp.Header)
	}
	g.want(t, 409, "POST", "/api/rules", `{"id":"high","symbol":"AAPL","when":"price above 1"}`, nil, "PUT "+one)
	var made RuleView
	if err := json.Unmarshal([]byte(body), &made); err != nil || made.Created.IsZero() {
		t.Fatalf("%v: %s", err, body)
	}
	// What was read can be sent back as it is.
	if resp, _ = g.want(t, 200, "GET", one, "", nil); resp.Header.Get("ETag") != tag {
		t.Errorf("ETag: %v", resp.Header)
	}
	g.want(t, 304, "GET", one, "", []string{"If-None-Match", `"9", W/` + tag})
	resp, changed := g.want(t, 200, "PUT", one, strings.Replace(body, "200", "300", 1), []string{"If-Match", tag}, "price above 300")
	if resp.Header.Get("ETag") != `"2"` || !strings.Contains(changed, made.Created.Format("2006-01-02T15:04:05")) {
		t.Errorf("PUT: %v %s", resp.Header, changed)
	}
	g.want(t, 412, "PUT", one, body, []string{"If-Match", tag}, `\"2\"`, "header.If-Match")
	g.want(t, 412, "PUT", one, body, []string{"If-Match", "W/" + `"2"`})
	g.want(t, 412, "PUT", one, body, []string{"If-None-Match", "*"})
	g.want(t, 412, "PUT", "/api/rules/none", `{"symbol":"A","when":"price above 1"}`, []string{"If-Match", "*"}, "no such rule")
	g.want(t, 412, "DELETE", one, "", []string{"If-Match", tag})
	g.want(t, 204, "DELETE", one, "", []string{"If-Match", `"2"`})
	g.want(t, 404, "DELETE", one, "", nil, "GET /api/rules")
	g.want(t, 404, "GET", one, "", nil)
	g.want(t, 200, "PUT", one, body, []string{"If-None-Match", "*"})
	resp, body = g.want(t, 201, "POST", "/api/rules", `{"symbol":"AAPL","when":"price above 200"}`, nil)
	if !strings.HasPrefix(resp.Header.Get("Location"), "/api/rules/rule-") {
		t.Errorf("a rule without an id: %v %s", resp.Header, body)
	}
	if resp, _ = g.want(t, 405, "PATCH", one, "{}", nil); resp.Header.Get("Allow") != "GET, HEAD, PUT, DELETE" {
		t.Errorf("Allow: %q", resp.Header.Get("Allow"))
	}
}

func TestRuleProblems(t *testing.T) {
	g := newMarketRig(t)
	_, body := g.want(t, 422, "POST", "/api/rules", `{"id":"a","symbol":"AAPL","when":"price abov 200"}`, nil, "body.when", "column 7", "expected above")
	var p RuleProblem
	if err := json.Unmarshal([]byte(body), &p); err != nil || p.Column != 7 || p.Status != 422 || p.Errors[0].Value != "price abov 200" {
		t.Errorf("%v: %s", err, body)
	}
	g.want(t, 422, "PUT", "/api/rules/a", `{"id":"b","symbol":"AAPL","when":"price above 1"}`, nil, "body.id")
	g.want(t, 422, "PUT", "/api/rules/A", `{"symbol":"AAPL","when":"price above 1"}`, nil, "path.id")
	g.want(t, 422, "POST", "/api/rules", `{"symbol":"AAPL"}`, nil, "body", "when")
	g.want(t, 422, "POST", "/api/rules", `{"symbol":"AAPL","when":"price above 1","colour":"red"}`, nil, "body.colour")
	g.want(t, 422, "POST", "/api/rules", `{"symbol":"AAPL","when":"price above 1","severity":"dire"}`, nil, "body.severity")
	g.want(t, 400, "POST", "/api/rules", `{"symbol":`, nil)
	g.want(t, 413, "POST", "/api/rules", `{"name":"`+strings.Repeat("x", maxBody)+`"}`, nil)
	g.want(t, 415, "POST", "/api/rules", `<rule/>`, []string{"Content-Type", "application/xml"})
	g.market.mu.Lock()
	g.market.err = errors.New("nats: timeout")
	g.market.mu.Unlock()
	g.want(t, 503, "GET", "/api/rules", "", nil, "nats: timeout")
	g.want(t, 503, "DELETE", "/api/rules/a", "", nil, "nats: timeout")
}

// TestRulesRace changes a rule between the reading and the writing of another
// change: with If-Match that is told, without it the last one wins.
func TestRulesRace(t *testing.T) {
	g := newMarketRig(t)
	rules := fakeRules{g.market}
	rule := streamflow.Rule{ID: "a", Symbol: "AAPL", When: "price above 1"}
	if _, err := rules.Put(t.Context(), rule, 0); err != nil {
		t.Fatal(err)
	}
	other := func() {
		g.market.mu.Lock()
		k := g.market.rules["a"]
		g.market.mu.Unlock()
		k.When = "price above 2"
		if _, err := rules.Put(t.Context(), k.Rule, k.Revision); err != nil {
			t.Error(err)
		}
	}
	race := func() { g.market.mu.Lock(); g.market.race = other; g.market.mu.Unlock() }
	const mine = `{"symbol":"AAPL","when":"price above 3"}`
	race()
	g.want(t, 412, "PUT", "/api/rules/a", mine, []string{"If-Match", `"1"`})
	race()
	g.want(t, 200, "PUT", "/api/rules/a", mine, nil, "price above 3")
	race()
	g.want(t, 412, "DELETE", "/api/rules/a", "", []string{"If-Match", `"4"`})
	race()
	g.want(t, 204, "DELETE", "/api/rules/a", "", nil)
}

func TestRulePages(t *testing.T) {
	g := newMarketRig(t)
	for n := range 7 {
		symbol := []string{"AAPL", "*"}[n%2]
		if _, err := (fakeRules{g.market}).Put(t.Context(), streamflow.Rule{ID: fmt.Sprintf("r%d", n), Symbol: symbol, When: "price above 1"}, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := (fakeRules{g.market}).Put(t.Context(), streamflow.Rule{ID: "bad", Symbol: "A", When: "?"}, 0); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{"limit=3": "bad r0 r1 r2 r3 r4 r5 r6", "limit=2&symbol=*": "r1 r3 r5", "limit=8": "bad r0 r1 r2 r3 r4 r5 r6"} {
		var ids []string
		for cursor := ""; ; {
			var p RulePage
			g.get(t, "/api/rules?"+query+cursor, &p)
			for _, r := range p.Rules {
				if ids = append(ids, r.ID); (r.Fault != "") != (r.ID == "bad") {
					t.Errorf("%s: fault %q", r.ID, r.Fault)
				}
			}
			if p.Next == nil {
				break
			}
			cursor = "&cursor=" + *p.Next
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	g.problem(t, "GET", "/api/rules?cursor=%21", 422, "query.cursor")
}

func TestMatches(t *testing.T) {
	for list, want := range map[string][2]bool{ // strong, weak
		`"17"`: {true, true}, `"16", "17"`: {true, true}, `W/"17"`: {false, true}, `*`: {true, true}, `17`: {}, `"1"`: {}, ``: {}, `"017"`: {},
	} {
		if got := [2]bool{matches(list, 17, false), matches(list, 17, true)}; got != want {
			t.Errorf("%s: %v, want %v", list, got, want)
		}
	}
}
