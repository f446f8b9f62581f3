package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions/fleet"
)

func TestSetParams(t *testing.T) {
	for _, c := range []struct {
		params  string
		changes []string
		want    string // or the error, after a !
	}{
		{``, []string{"delay=2s"}, `{"delay":"2s"}`},
		{`{"delay":"2s","n":1}`, []string{"n=2", "list=[1,2]", "on=true"}, `{"delay":"2s","list":[1,2],"n":2,"on":true}`},
		{`{"delay":"2s"}`, []string{"delay=null"}, ``},
		{`{"delay":"2s"}`, []string{`{"n":3}`}, `{"n":3}`},
		{`{}`, []string{"text=a=b"}, `{"text":"a=b"}`},
		{`{}`, []string{"delay"}, `!want key=value`},
		{`{}`, []string{"=2"}, `!want key=value`},
		{`[1]`, []string{"n=2"}, `!no object`},
	} {
		got, err := setParams(json.RawMessage(c.params), c.changes)
		if want, fails := strings.CutPrefix(c.want, "!"); fails {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s %q: got %s, %v, want error %q", c.params, c.changes, got, err, want)
			}
		} else if err != nil || string(got) != c.want {
			t.Errorf("%s %q: got %s, %v, want %s", c.params, c.changes, got, err, c.want)
		}
	}
}

func TestReplayFrom(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2h": "2026-03-02T10:00:00Z", "3d": "2026-02-27T12:00:00Z", "2026-03-01T00:00:00+01:00": "2026-02-28T23:00:00Z",
		"": "", "0": "", "-1h": "", "soon": "", "2026-03-03T00:00:00Z": "",
	} {
		got, err := replayFrom(text, now)
		if (err == nil) != (want != "") || err == nil && got.Format(time.RFC3339) != want {
			t.Errorf("%q: got %v, %v, want %q", text, got, err, want)
		}
	}
}

func TestRegistry(t *testing.T) {
	seen := make(map[string]bool)
	for _, e := range registry {
		if seen[e.name] || e.does == "" || e.reads == "" || e.writes == "" {
			t.Errorf("%s: twice in the registry, or something is missing: %+v", e.name, e)
		}
		seen[e.name] = true
		if err := e.check(nil); err != nil {
			t.Errorf("%s: its defaults are refused: %v", e.name, err)
		}
		if err := e.check(json.RawMessage(`{"no such thing":1}`)); err == nil {
			t.Errorf("%s takes any parameters", e.name)
		}
		fn := e.function(nil)
		if d, err := fn.Parse(nil); err != nil || d.Shards != 1 {
			t.Errorf("%s: default %+v, %v", e.name, d, err)
		}
	}
	_, err := lookUp("candle")
	if err == nil || !strings.Contains(err.Error(), "candles, indicators, alerts") {
		t.Errorf("the error does not list what there is: %v", err)
	}
	// Each function but the example, which people copy, has its stage in the flow.
	for _, s := range streamflow.Flow.Stages {
		if s.Durable != "" && !seen[s.Name] {
			t.Errorf("stage %s is not in the registry", s.Name)
		}
	}
}

func TestPrintFunctions(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	shard := func(n int, worker string, lag uint64, checkpoint time.Duration) fleet.ShardReport {
		return fleet.ShardReport{ShardStatus: streamflow.ShardStatus{
			Shard: n, Worker: worker, Lag: lag, Rate: 10, StepP50: 1.5, StepP99: 20, Checkpoint: now.Add(-checkpoint),
		}}
	}
	rows := []functionRow{
		{Name: "candles", Desired: streamflow.Desired{State: "running", Shards: 3}, Shards: []fleet.ShardReport{
			shard(0, "a", 5, time.Second), shard(1, "b", 6, 9*time.Second), shard(2, "a", 0, 3*time.Second),
		}},
		{Name: "spread", Desired: streamflow.Desired{State: "stopped", Shards: 1}, Fault: "parameters are no good"},
	}
	var out bytes.Buffer
	if err := printFunctions(&out, rows, now); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a:0,2 b:1", "  30  ", "  11  ", "1.5µs", "20µs", "9s ago", "stopped", "parameters are no good"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestParseRules(t *testing.T) {
	good := `{"id":"a","symbol":"AAPL","when":"price > 200"}`
	for text, want := range map[string]string{
		good: "", "[" + good + "]": "", "[]": "", "": "it is empty", "x": "want one rule",
		`{"id":"a","symbol":"AAPL","when":"price > 200","cooldwn":"1m"}`:   "cooldwn",
		`[` + good + `,{"id":"b","symbol":"AAPL","when":"price is high"}]`: "rule 2: ",
		`{"id":"A B","symbol":"AAPL","when":"price > 200"}`:                "a-z",
	} {
		if _, err := parseRules([]byte(text)); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
