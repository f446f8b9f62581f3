package candles

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions/window"
)

func TestParams(t *testing.T) {
	p, err := ParseParams(json.RawMessage(`{"intervals":["1h","1m","1h"],"delay":"1.5s","lateness":"5m","grace":"500ms"}`))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := p.Plan()
	if err != nil {
		t.Fatal(err)
	}
	want := window.Default
	want.Delay, want.Lateness, want.Grace = 1500*time.Millisecond, 5*time.Minute, 500*time.Millisecond
	if plan.windows.Policy != want || !slices.Equal(plan.Intervals(), []streamflow.Interval{streamflow.Minute1, streamflow.Hour1}) {
		t.Errorf("the plan is %+v of %v", plan.windows.Policy, plan.Intervals())
	}
	if v, d := New(p).Version, New(Params{}).Version; v == d || d != "1:1s,1m,5m,15m,1h,1d" {
		t.Errorf("the versions are %q and %q", v, d)
	}
	for _, text := range []string{"", "{}"} {
		if p, err := ParseParams(json.RawMessage(text)); err != nil || New(p).Version != New(Params{}).Version {
			t.Errorf("%q: %+v, %v: want the defaults", text, p, err)
		}
	}
}

func TestParamsAreChecked(t *testing.T) {
	for text, field := range map[string]string{
		`[]`:                      "params of candles",
		`{"interval":"1m"}`:       `unknown field "interval"`,
		`{"intervals":["1m",""]}`: `intervals: ""`,
		`{"intervals":["tick"]}`:  `intervals: "tick"`,
		`{"delay":"soon"}`:        `delay "soon"`,
		`{"delay":"6m"}`:          `delay 6m0s`,
		`{"lateness":"-1s"}`:      `lateness -1s`,
		`{"grace":"0s"}`:          `grace 0s`,
		`{"grace":2}`:             `grace`,
	} {
		if _, err := ParseParams(json.RawMessage(text)); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v: want %q in it", text, err, field)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("New takes params that are wrong")
		}
	}()
	New(Params{Delay: "x"})
}
