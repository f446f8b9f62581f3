package api

import (
	"testing"
	"time"
)

// Who looks at the functions for the first time is told how they did before.
func TestFunctionsAreMeasuredWhileNobodyLooks(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	var list FunctionList
	eventually(t, "there is a sample", func() bool {
		list = FunctionList{}
		g.call(t, "GET", "/api/functions?history=true", "", &list)
		return len(list.Functions) == 3 && len(list.Functions[0].History) > 0
	})
	if s := list.Functions[0].History[0]; s.Rate != 15 || s.Lag == nil || *s.Lag != 5 || time.Since(s.At) > time.Minute {
		t.Errorf("%+v", s)
	}
	if s := list.Functions[1].History[0]; s.Rate != 0 || s.Lag != nil {
		t.Errorf("nobody knows the lag of a function without a worker: %+v", s)
	}
	g.pipeline.kafka.mu.Lock()
	defer g.pipeline.kafka.mu.Unlock()
	if !g.pipeline.kafka.when.IsZero() {
		t.Error("the other servers are measured though nobody looks")
	}
	list = FunctionList{}
	if g.call(t, "GET", "/api/functions", "", &list); len(list.Functions) != 3 || list.Functions[0].History != nil {
		t.Errorf("history that nobody asked for: %+v", list.Functions)
	}
}

func TestTrails(t *testing.T) {
	var tr trails
	began := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	state := func(rate float64) []FunctionState {
		f := FunctionState{Name: "candles", Shards: []ShardState{{}}}
		f.Shards[0].Rate = rate
		return []FunctionState{f}
	}
	now := began
	for n := range 600 { // ten minutes, looked at each second
		now = began.Add(time.Duration(n) * time.Second)
		if due := n%5 == 0; tr.due(now) != due {
			t.Fatalf("%s: due %v", now, !due)
		}
		tr.add(now, state(float64(n)))
	}
	got := tr.last("candles", now)
	if len(got) != 60 || got[59].Rate != 595 || got[0].Rate != 300 {
		t.Fatalf("%d samples, from %+v", len(got), got[0])
	}
	now = now.Add(time.Minute) // in which nothing could be measured
	tr.add(now, state(1))
	if after := tr.last("candles", now); len(after) != 49 || after[47].Rate != 595 || after[48].Rate != 1 {
		t.Errorf("%d samples after a gap: %+v", len(after), after[len(after)-2:])
	}
	if got[0].Rate != 300 || got[59].Rate != 595 {
		t.Error("samples that were handed out have changed")
	}
	if late := tr.last("candles", now.Add(time.Hour)); len(late) != 0 {
		t.Errorf("%d samples of an hour ago", len(late))
	}
	tr.add(now.Add(time.Hour), nil)
	if len(tr.of) != 0 {
		t.Error("a function that is gone is still known")
	}
}

// What waits for a function is the same on the pipeline and in the list, also
// where its consumers have names and not numbers, and only its workers can tell.
func TestLagOfConsumersWithNames(t *testing.T) {
	streams := []PipelineStream{{Name: "ALERTS", Consumers: []PipelineConsumer{{Name: "notify-ops", Pending: 7}}}}
	st := FunctionState{Name: "notify", Shards: []ShardState{{}, {}}}
	st.Shards[0].Lag, st.Shards[1].Lag = 3, 4
	_, _, lag := functionHop(&st, streams)
	if f := viewFunction(&st, time.Now()); lag == nil || *lag != 7 || f.Lag == nil || *f.Lag != 7 {
		t.Errorf("pipeline %v, list %v", lag, f.Lag)
	}
	if _, _, lag := functionHop(&FunctionState{Name: "notify"}, streams); lag != nil {
		t.Errorf("lag %d that nobody has told", *lag)
	}
}
