package window

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

// counted is a state as an author writes it.
type counted struct {
	Name    string
	Windows Windows[map[string]int]
}

func TestJSON(t *testing.T) {
	plan, err := NewPlan(Default, tumbling(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	s := &counted{Name: "A", Windows: New[map[string]int](plan)}
	add := func(s *counted, seconds float64, kind string) (done []map[string]int) {
		s.Windows.Add(at(seconds), at(seconds), func(v *map[string]int) {
			if *v == nil {
				*v = make(map[string]int)
			}
			(*v)[kind]++
		}, func(_ int, w *Window[map[string]int]) { done = append(done, w.Value) })
		return done
	}
	add(s, 0, "a")
	add(s, 0.5, "b")
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	read := &counted{Windows: New[map[string]int](plan)}
	if err := json.Unmarshal(text, read); err != nil {
		t.Fatal(err)
	}
	add(read, 0.7, "b")
	if done := add(read, 1, "a"); len(done) != 1 || done[0]["a"] != 1 || done[0]["b"] != 2 || read.Name != "A" {
		t.Errorf("%s reads back and counts %v of %q", text, done, read.Name)
	}
	for text, want := range map[string]string{`{"Windows":"AAA="}`: "ends too early", `{"Windows":7}`: "windows"} {
		if err := json.Unmarshal([]byte(text), read); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v: want %q in it", text, err, want)
		}
	}
	if err := json.Unmarshal(text, &counted{}); err == nil || !strings.Contains(err.Error(), "plan") {
		t.Errorf("%v: want that there is no plan", err)
	}
	bad := New[float64](plan)
	bad.Add(noon, noon, func(v *float64) { *v = math.NaN() }, nil)
	if _, err := json.Marshal(bad); err == nil {
		t.Error("NaN is written")
	}
}
