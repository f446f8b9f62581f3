package api

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestReady(t *testing.T) {
	var broken error
	g := newRig(t, func(c *Config) {
		c.Checks = []Check{
			{"kafka", func(context.Context) (string, error) { return "1 broker", nil }},
			{"postgres", func(context.Context) (string, error) { return "", broken }},
		}
	})
	resp, body := g.do(t, "GET", "/ready")
	if resp.StatusCode != 200 || !strings.Contains(body, `"ready":true`) || !strings.Contains(body, `"detail":"1 broker"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	broken = errors.New("connection refused")
	resp, body = g.do(t, "GET", "/ready")
	if resp.StatusCode != 503 || !strings.Contains(body, `"error":"connection refused"`) || !strings.Contains(body, `"name":"kafka","ok":true`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp, body = g.do(t, "GET", "/health"); resp.StatusCode != 200 || !strings.Contains(body, `"status":"ok","version":"test"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestChecksRunTogetherAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(context.Context) (string, error) { time.Sleep(2 * time.Second); return "fine", nil }
		deaf := func(context.Context) (string, error) { time.Sleep(time.Hour); return "", nil }
		began := time.Now()
		r := runChecks(t.Context(), []Check{{"a", slow}, {"b", slow}, {"c", deaf}, {"d", func(context.Context) (string, error) { panic("oh") }}})
		if took := time.Since(began); took != checkTimeout {
			t.Errorf("took %s", took)
		}
		if r.Ready || !r.Checks[0].OK || r.Checks[1].Latency != 2000 || !strings.Contains(r.Checks[2].Error, "no answer") || !strings.Contains(r.Checks[3].Error, "oh") {
			t.Errorf("%+v", r)
		}
		time.Sleep(2 * time.Hour) // let the deaf one end
	})
}
