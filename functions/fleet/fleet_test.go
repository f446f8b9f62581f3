package fleet_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"streamflow"
	"streamflow/functions/fleet"
)

func TestOneWorkerRunsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		stop := w.worker(t, "a", 0, "candles", "archive")
		time.Sleep(3 * time.Second)
		expect(t, w.owners("candles", 1), "a")
		expect(t, w.owners("archive", 1), "a")
		if got := w.report("candles", 0); got.Worker != "a" || got.Generation != 1 {
			t.Errorf("report of the shard: %+v", got)
		}
		if fmt.Sprint(w.moves) != "[0/0->1/1 false]" {
			t.Errorf("moves %v", w.moves)
		}
		stop()
		expect(t, w.owners("candles", 1), "")
		if got := w.place("a", "candles"); got.Phase != "" {
			t.Errorf("the worker has not said goodbye: %+v", got)
		}
	})
}

func TestShardsAreSpreadAndHandedBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.functions.put("candles", streamflow.Desired{Shards: 16})
		defer w.worker(t, "a", 0, "candles")()
		time.Sleep(3 * time.Second)
		expect(t, w.owners("candles", 16), slices.Repeat([]string{"a"}, 16)...)

		stop := w.worker(t, "b", 0, "candles")
		time.Sleep(8 * time.Second)
		owners := w.owners("candles", 16)
		if n := count(owners, "b"); n < 3 || n > 13 || n+count(owners, "a") != 16 {
			t.Fatalf("not spread: %v", owners)
		}
		time.Sleep(time.Minute)
		expect(t, w.owners("candles", 16), owners...)

		stop() // gracefully: a has everything at once
		time.Sleep(time.Second)
		expect(t, w.owners("candles", 16), slices.Repeat([]string{"a"}, 16)...)
	})
}

func TestStandbyTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.functions.put("candles", streamflow.Desired{Shards: 3})
		for _, id := range []string{"a", "b", "c"} {
			defer w.worker(t, id, 0, "candles")()
		}
		time.Sleep(30 * time.Second)
		dead := w.owners("candles", 3)[0]
		w.kill(dead)
		time.Sleep(5*time.Second - pinTTL)
		if owners := w.owners("candles", 3); slices.Contains(owners, "") || slices.Contains(owners, dead) {
			t.Fatalf("%s is dead, the owners are %v", dead, owners)
		}
		time.Sleep(time.Minute)
		for i, owner := range w.owners("candles", 3) {
			if got := w.report("candles", i).Worker; got != owner {
				t.Errorf("shard %d is %s's, its report says %s", i, owner, got)
			}
		}
	})
}

func TestPauseAndStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		defer w.worker(t, "a", 0, "candles", "archive")()
		time.Sleep(3 * time.Second)
		for _, state := range []streamflow.DesiredState{streamflow.StatePaused, streamflow.StateStopped} {
			for _, name := range []string{"candles", "archive"} {
				revision := w.functions.put(name, streamflow.Desired{State: state, Shards: 1})
				time.Sleep(2 * time.Second)
				expect(t, w.owners(name, 1), "")
				if got := w.place("a", name); got.Phase != fleet.Phase(state) || got.Revision != revision {
					t.Errorf("%s: %+v, want %s at %d", name, got, state, revision)
				}
				w.functions.put(name, streamflow.Desired{State: streamflow.StateRunning, Shards: 1})
				time.Sleep(2 * time.Second)
				expect(t, w.owners(name, 1), "a")
			}
		}
		if len(w.moves) != 1 {
			t.Errorf("layouts were changed: %v", w.moves)
		}
	})
}

func TestParamsAndRulesRebuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		defer w.worker(t, "a", 0, "alerts")()
		time.Sleep(3 * time.Second)
		set := func(params string) {
			w.functions.put("alerts", streamflow.Desired{Shards: 1, Params: json.RawMessage(params)})
			time.Sleep(2 * time.Second)
		}
		check := func(built string, phase fleet.Phase) {
			t.Helper()
			w.mu.Lock()
			got := w.built["a"]
			w.mu.Unlock()
			if got != built || w.place("a", "alerts").Phase != phase {
				t.Errorf("built %s and %+v, want %s and %s", got, w.place("a", "alerts"), built, phase)
			}
			expect(t, w.owners("alerts", 1), "a")
		}
		check("+0", fleet.PhaseRunning)
		set(`{"n":2}`)
		check(`{"n":2}+0`, fleet.PhaseRunning)
		set(`"bad"`) // the old ones go on
		check(`{"n":2}+0`, fleet.PhaseRefused)
		if got := w.report("alerts", 0).LastError; got != "bad parameters" {
			t.Errorf("last error %q", got)
		}
		set(`{"n":3}`)
		check(`{"n":3}+0`, fleet.PhaseRunning)
		for i := range 5 {
			id := fmt.Sprint("r", i)
			w.rules.put(id, streamflow.Rule{ID: id})
		}
		w.rules.put("x", streamflow.Rule{ID: "other"}) // left out
		time.Sleep(2 * time.Second)
		check(`{"n":3}+5`, fleet.PhaseRunning)
		w.functions.put("alerts", "no object")
		time.Sleep(2 * time.Second)
		check(`{"n":3}+5`, fleet.PhaseRefused)
	})
}

func TestLostStatusIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.functions.put("candles", streamflow.Desired{Shards: 8})
		for _, id := range []string{"a", "b"} {
			defer w.worker(t, id, 0, "candles")()
		}
		time.Sleep(time.Minute)
		before := w.owners("candles", 8)
		w.status.lose()
		time.Sleep(time.Minute)
		expect(t, w.owners("candles", 8), before...)
		w.kill(before[0])
		time.Sleep(5*time.Second - pinTTL)
		if owners := w.owners("candles", 8); slices.Contains(owners, before[0]) || slices.Contains(owners, "") {
			t.Errorf("%s is dead, the owners are %v", before[0], owners)
		}
	})
}

// What one worker cannot do, such as one of an older version, another one does.
func TestWhoRefusesHandsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		for _, id := range []string{"a", "b"} {
			defer w.worker(t, id, 0, "candles")()
		}
		time.Sleep(10 * time.Second)
		owner := w.owners("candles", 1)[0]
		other := map[string]string{"a": "b", "b": "a"}[owner]
		w.functions.put("candles", streamflow.Desired{Shards: 1, Params: json.RawMessage(`"bad for ` + owner + `"`)})
		time.Sleep(10 * time.Second)
		expect(t, w.owners("candles", 1), other)
		if got := w.place(owner, "candles").Phase; got != fleet.PhaseRefused {
			t.Errorf("%s is %s", owner, got)
		}
		w.functions.put("candles", streamflow.Desired{Shards: 1, Params: json.RawMessage(`"good"`)})
		time.Sleep(40 * time.Second)
		expect(t, w.owners("candles", 1), owner)
	})
}

func TestLayoutChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		for _, id := range []string{"a", "b"} {
			defer w.worker(t, id, 0, "candles")()
		}
		time.Sleep(5 * time.Second)
		w.mu.Lock()
		w.moveFails = 2
		w.mu.Unlock()
		w.functions.put("candles", streamflow.Desired{Shards: 4})
		time.Sleep(10 * time.Second)
		if owners := w.owners("candles", 4); slices.Contains(owners, "") {
			t.Errorf("owners %v", owners)
		}
		w.functions.put("candles", streamflow.Desired{Shards: 2, Replay: &streamflow.Replay{ID: "x"}})
		time.Sleep(20 * time.Second)
		if owners := w.owners("candles", 4); owners[2] != "" || owners[3] != "" || slices.Contains(owners[:2], "") {
			t.Errorf("owners %v", owners)
		}
		want := "[0/0->1/1 false 1/1->2/4 false 2/4->3/2 true]"
		if fmt.Sprint(w.moves) != want || fmt.Sprint(w.tidied) != "[2 3]" {
			t.Errorf("moves %v, want %s; tidied %v", w.moves, want, w.tidied)
		}
		var l streamflow.Layout
		if !w.functions.get("candles.layout", &l) || l != (streamflow.Layout{Generation: 3, Shards: 2, Replay: "x"}) {
			t.Errorf("layout %+v", l)
		}
	})
}

// What somebody has begun is finished as it was begun, by whoever is there.
func TestABegunMoveIsFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.functions.put("candles.layout", streamflow.Layout{Generation: 4, Shards: 2})
		w.functions.put("candles.next", fleet.Next{Layout: streamflow.Layout{Generation: 5, Shards: 8}})
		w.functions.put("candles", streamflow.Desired{Shards: 3})
		defer w.worker(t, "a", 0, "candles")()
		time.Sleep(10 * time.Second)
		expect(t, w.owners("candles", 3), "a", "a", "a")
		if want := "[4/2->5/8 false 5/8->6/3 false]"; fmt.Sprint(w.moves) != want {
			t.Errorf("moves %v, want %s", w.moves, want)
		}
	})
}

func TestScaleToZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.due = true
		for _, id := range []string{"a", "b"} {
			defer w.worker(t, id, 10*time.Second, "candles", "archive")()
		}
		pend := func(n uint64) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.pending["candles-0"], w.pending["archive-0"], w.due = n, n, false
		}
		time.Sleep(30 * time.Second)
		if w.owners("candles", 1)[0] == "" {
			t.Fatal("it sleeps although it waits for the clock")
		}
		for range 3 {
			pend(0)
			time.Sleep(15 * time.Second)
			for _, name := range []string{"candles", "archive"} {
				expect(t, w.owners(name, 1), "")
				if r := w.report(name, 0); !r.Asleep || r.Worker != "" {
					t.Errorf("report %+v", r)
				}
			}
			pend(5)
			time.Sleep(4 * time.Second)
			for _, name := range []string{"candles", "archive"} {
				if owner := w.owners(name, 1)[0]; owner == "" || w.report(name, 0).Worker != owner || w.report(name, 0).Asleep {
					t.Errorf("%s is worked on by %q: %+v", name, owner, w.report(name, 0))
				}
			}
			if d := w.durables["candles-0"]; len(d.waiting) != 2 {
				t.Errorf("%d workers are attached, want the owner and its standby", len(d.waiting))
			}
		}
	})
}

func count(list []string, of string) (n int) {
	for _, s := range list {
		if s == of {
			n++
		}
	}
	return n
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("owners are %v, want %v", got, want)
	}
}
