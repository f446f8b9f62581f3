package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"streamflow"
	"streamflow/api/guard"
)

func TestAlertPages(t *testing.T) {
	g := newMarketRig(t)
	for n := range 12 { // three at each time
		g.market.alerts = append(g.market.alerts, StoredAlert{Alert: streamflow.Alert{
			ID: fmt.Sprintf("%032x", 100-n), Rule: []string{"a", "b"}[n%2], Symbol: "AAPL", Severity: streamflow.SeverityInfo, Time: epoch.Add(time.Duration(n/3) * time.Minute),
		}})
	}
	for query, want := range map[string]int{
		"": 12, "rule=a": 6, "rule=c": 0, "severity=info": 12, "severity=critical": 0, "symbol=AAPL": 12, "acknowledged=false": 12, "acknowledged=true": 0,
		"from=2025-11-21T12:01:00Z&to=2025-11-21T12:02:00Z": 3, "symbol=" + url.QueryEscape("'; DROP TABLE alerts; --"): 0,
	} {
		seen, last := map[string]bool{}, ""
		for cursor := ""; ; {
			var p AlertPage
			g.get(t, "/api/alerts?limit=2&"+query+cursor, &p)
			for _, a := range p.Alerts {
				at := a.Time.Format(time.RFC3339) + a.ID
				if seen[a.ID] || last != "" && at >= last {
					t.Errorf("%s: %s comes twice or late", query, at)
				}
				seen[a.ID], last = true, at
			}
			if p.Next == nil {
				break
			}
			cursor = "&cursor=" + *p.Next
		}
		if len(seen) != want {
			t.Errorf("%s: %d alerts, want %d", query, len(seen), want)
		}
	}
	for _, cursor := range []string{"x", opaque("1"), opaque("1,"), opaque("x,a"), opaque("01,a")} {
		g.problem(t, "GET", "/api/alerts?cursor="+cursor, 422, "query.cursor")
	}
	g.problem(t, "GET", "/api/alerts?severity=dire", 422, "query.severity")
	g.problem(t, "GET", "/api/alerts?acknowledged=maybe", 422, "query.acknowledged")
}

func TestAcknowledge(t *testing.T) {
	g := newMarketRig(t)
	g.market.alerts = []StoredAlert{{Alert: streamflow.Alert{ID: "1", Severity: "info"}}, {Alert: streamflow.Alert{ID: "2", Severity: "info"}}}
	const path = "/api/alerts/acknowledge"
	var done Acknowledged
	for _, by := range []string{"ada", "bob"} { // who was first is kept
		_, body := g.want(t, 200, "POST", path, `{"ids":["1","3","3"],"by":"`+by+`"}`, nil)
		if err := json.Unmarshal([]byte(body), &done); err != nil || len(done.Alerts) != 1 || *done.Alerts[0].AcknowledgedBy != "ada" ||
			done.Alerts[0].AcknowledgedAt == nil || fmt.Sprint(done.Missing) != "[3]" {
			t.Errorf("%v: %s", err, body)
		}
	}
	_, body := g.do(t, "GET", "/api/alerts?acknowledged=false")
	if !strings.Contains(body, `"acknowledgedAt":null`) || strings.Contains(body, `"id":"1"`) {
		t.Errorf("what is open: %s", body)
	}
	g.want(t, 422, "POST", path, `{"ids":[],"by":"ada"}`, nil, "body.ids")
	g.want(t, 422, "POST", path, `{"ids":null,"by":"ada"}`, nil, "body.ids")
	g.want(t, 422, "POST", path, `{"ids":["1"],"by":" "}`, nil, "body.by")
	g.want(t, 422, "POST", path, `{"ids":["1"]}`, nil, "body.by")
	g.market.mu.Lock()
	g.market.err = errors.New("connection refused")
	g.market.mu.Unlock()
	g.want(t, 503, "POST", path, `{"ids":["1"],"by":"ada"}`, nil, "connection refused")
	g.want(t, 503, "GET", "/api/alerts", "", nil, "connection refused")
}

// A key names who has done something, whatever they call themselves.
func TestSigned(t *testing.T) {
	key := guard.Principal{KeyID: "00ff00ff00", Name: "desk", Address: "192.0.2.7"}
	for _, c := range []struct {
		said string
		by   guard.Principal
		want string
	}{
		{"ada", guard.Principal{Address: "127.0.0.1"}, "ada"},
		{" ", guard.Principal{Address: "127.0.0.1"}, ""},
		{"", key, "desk (00ff00ff00)"},
		{" desk", key, "desk (00ff00ff00)"},
		{"ada", key, "ada, with key desk (00ff00ff00)"},
	} {
		if got := signed(c.said, c.by); got != c.want {
			t.Errorf("signed(%q, %+v) = %q, want %q", c.said, c.by, got, c.want)
		}
	}
}
