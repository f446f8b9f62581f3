package api

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"streamflow"
)

// However many symbols there are, few series tell how fresh they are, and those
// of the stalest.
func TestFreshnessIsBounded(t *testing.T) {
	b := newBoard()
	now := time.Now()
	var ticks []streamflow.Mirrored
	for i := range 1000 {
		ticks = append(ticks, streamflow.Mirrored{
			Tick:     streamflow.Tick{Symbol: fmt.Sprintf("S%d", i), Price: 1, Time: now.Add(-time.Duration(i) * time.Second)},
			Position: streamflow.Position{Topic: streamflow.TopicTicks, Offset: int64(i)}, Sequence: uint64(i + 1),
		})
	}
	b.apply(ticks)
	r := prometheus.NewRegistry()
	r.MustRegister(freshness{b})
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		switch f.GetName() {
		case "streamflow_feed_symbol_age_seconds":
			h := f.GetMetric()[0].GetHistogram()
			if h.GetSampleCount() != 1000 || h.GetBucket()[3].GetCumulativeCount() < 10 || h.GetBucket()[3].GetCumulativeCount() > 11 {
				t.Errorf("want 1,000 symbols, of which about 10 are at most 10 s old: %v", h)
			}
		case "streamflow_feed_stalest_symbol_age_seconds":
			if n := len(f.GetMetric()); n != stalest {
				t.Errorf("%d series by symbol, want %d", n, stalest)
			}
			for _, m := range f.GetMetric() {
				if m.GetGauge().GetValue() < 989 {
					t.Errorf("%v is not among the stalest", m)
				}
			}
		}
	}
	if len(families) != 2 {
		t.Errorf("%d families, want 2", len(families))
	}
}
