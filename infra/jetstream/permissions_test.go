package jetstream

import (
	"slices"
	"strings"
	"testing"

	"streamflow"
)

// Of what the topology shows, only who writes a stream may publish to it, and
// nobody may make, change or delete one.
func TestPermissionsFollowTheTopology(t *testing.T) {
	subjects := map[string]string{
		streamflow.StreamTicks: "ticks.AAPL", streamflow.StreamEvents: "events.events.purchase", streamflow.StreamCandles: "candles.1m.AAPL",
		streamflow.StreamIndicators: "indicators.AAPL", streamflow.StreamAlerts: "alerts.AAPL", streamflow.StreamDeadLetters: "dlq.stock_ticks",
	}
	writers := make(map[string]int)
	for _, s := range streamflow.Flow.Stages {
		publish, subscribe := Permissions(s, "_INBOX_"+s.Name)
		if !slices.Contains(subscribe, "_INBOX_"+s.Name+".>") {
			t.Errorf("%s hears no answers", s.Name)
		}
		for stream, subject := range subjects {
			writes := slices.Contains(s.Writes, streamflow.Place{Kind: streamflow.KindStream, Name: stream})
			may := slices.ContainsFunc(publish, func(allowed string) bool { return covers(allowed, subject) })
			if may != writes {
				t.Errorf("%s writes %s: %v, may publish %s: %v", s.Name, stream, writes, subject, may)
			}
			if writes {
				writers[stream]++
			}
		}
		for _, forbidden := range []string{"STREAM.CREATE.X", "STREAM.UPDATE.X", "STREAM.DELETE.X", "STREAM.RESTORE.X", "STREAM.MSG.DELETE.X", "STREAM.LEADER.STEPDOWN.X", "META.LEADER.STEPDOWN"} {
			for _, stream := range []string{streamflow.StreamTicks, streamflow.StreamCandles, "KV_rules"} {
				request := "$JS.API." + strings.Replace(forbidden, "X", stream, 1)
				if slices.ContainsFunc(publish, func(allowed string) bool { return covers(allowed, request) }) {
					t.Errorf("%s may %s", s.Name, request)
				}
			}
		}
	}
	if len(writers) != len(subjects) {
		t.Errorf("writers: %v, want one for each of %v", writers, subjects)
	}
}

// covers reports whether a subject with wildcards holds another without.
func covers(allowed, subject string) bool {
	a, s := strings.Split(allowed, "."), strings.Split(subject, ".")
	for i, token := range a {
		if token == ">" {
			return len(s) > i
		}
		if i >= len(s) || token != "*" && token != s[i] {
			return false
		}
	}
	return len(a) == len(s)
}
