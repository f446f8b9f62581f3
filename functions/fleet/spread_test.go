package fleet

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"streamflow"
)

func TestOrderSpreadsAndIsStable(t *testing.T) {
	workers := []string{"host-1-abcd", "host-2-abce", "host-3-abcf"}
	first := make(map[string]int)
	for shard := range 300 {
		list := order(workers, "candles", shard)
		first[list[0]]++
		shuffled := []string{workers[2], workers[0], workers[1]}
		if !slices.Equal(list, order(shuffled, "candles", shard)) {
			t.Fatalf("shard %d: the order depends on who asks", shard)
		}
		// A worker that goes leaves the order of the others as it was.
		rest := slices.DeleteFunc(slices.Clone(list), func(id string) bool { return id == workers[1] })
		if !slices.Equal(rest, order([]string{workers[2], workers[0]}, "candles", shard)) {
			t.Fatalf("shard %d: the others have changed places", shard)
		}
	}
	for id, n := range first {
		if n < 70 || n > 130 {
			t.Errorf("%s is the first of %d of 300 shards", id, n)
		}
	}
}

func TestParseDesired(t *testing.T) {
	plain := Function{Name: "candles"}
	archive := Function{Name: "archive", Sink: true}
	stopped := Function{Name: "spread", Default: streamflow.Desired{State: streamflow.StateStopped, Shards: 2}}
	for _, c := range []struct {
		fn    Function
		value string
		want  string
		fails bool
	}{
		{plain, "", "running 1", false},
		{plain, `{}`, "running 1", false},
		{stopped, "", "stopped 2", false},
		{stopped, `{"state":"running"}`, "running 2", false},
		{plain, `{"state":"paused","shards":64}`, "paused 64", false},
		{plain, `{"shards":65}`, "", true},
		{plain, `{"shards":-1}`, "", true},
		{plain, `{"state":"asleep"}`, "", true},
		{plain, `{"sharps":2}`, "", true},
		{plain, `{"replay":{"from":"2026-01-01T00:00:00Z"}}`, "", true},
		{archive, `{"shards":2}`, "", true},
		{archive, `{"replay":{"id":"x"}}`, "", true},
		{plain, `nonsense`, "", true},
	} {
		var value []byte
		if c.value != "" {
			value = []byte(c.value)
		}
		d, err := c.fn.Parse(value)
		if got := fmt.Sprint(d.State, " ", d.Shards); (err != nil) != c.fails || err == nil && got != c.want {
			t.Errorf("%s %s: %s, %v, want %s", c.fn.Name, c.value, got, err, c.want)
		}
	}
}

func TestWant(t *testing.T) {
	again := &streamflow.Replay{ID: "x"}
	for _, c := range []struct {
		d     streamflow.Desired
		now   streamflow.Layout
		next  streamflow.Layout
		moves bool
		again bool
	}{
		{streamflow.Desired{Shards: 1}, streamflow.Layout{}, streamflow.Layout{Generation: 1, Shards: 1}, true, false},
		{streamflow.Desired{Shards: 1, Replay: again}, streamflow.Layout{}, streamflow.Layout{Generation: 1, Shards: 1, Replay: "x"}, true, false},
		{streamflow.Desired{Shards: 2}, streamflow.Layout{Generation: 3, Shards: 2, Replay: "w"}, streamflow.Layout{Generation: 4, Shards: 2, Replay: "w"}, false, false},
		{streamflow.Desired{Shards: 4}, streamflow.Layout{Generation: 3, Shards: 2, Replay: "w"}, streamflow.Layout{Generation: 4, Shards: 4, Replay: "w"}, true, false},
		{streamflow.Desired{Shards: 2, Replay: again}, streamflow.Layout{Generation: 3, Shards: 2}, streamflow.Layout{Generation: 4, Shards: 2, Replay: "x"}, true, true},
		{streamflow.Desired{Shards: 2, Replay: again}, streamflow.Layout{Generation: 4, Shards: 2, Replay: "x"}, streamflow.Layout{Generation: 5, Shards: 2, Replay: "x"}, false, false},
	} {
		next, moves := want(c.d, c.now)
		if next.Layout != c.next || moves != c.moves || (next.Replay != nil) != c.again {
			t.Errorf("%+v at %+v: %+v, %v", c.d, c.now, next, moves)
		}
	}
}

func FuzzHearWorker(f *testing.F) {
	f.Add([]byte(`{"id":"a","functions":{"candles":{"phase":"running","asleep":3}}}`))
	f.Add([]byte(`{"id":"b"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := make(peers)
		p.hear("a", data, time.Unix(1, 0))
		if len(p) > 0 && (len(p) != 1 || p["a"] == nil || p["a"].ID != "a") {
			t.Errorf("heard %v", p)
		}
		_ = p.asleep("a", "candles", 1)
		_ = p.running("candles")
		fn := Function{Name: "candles"}
		if d, err := fn.Parse(data); err == nil && fn.Check(d) != nil {
			t.Errorf("Parse lets pass what Check refuses: %+v", d)
		}
	})
}
