//go:build unix

package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"streamflow"
)

// fact is a result that was published once.
type fact struct {
	data   []byte
	output streamflow.Position
	replay bool // it repeats an earlier one
}

// facts reads those of a stream of results, in its order.
func (w *world) facts(stream string) (list []fact) {
	w.t.Helper()
	for _, m := range only(w.stream(stream), strings.ToLower(stream)+".") {
		text := m.header.Get(streamflow.HeaderOutput)
		if text == "" {
			continue // a view
		}
		at, err := streamflow.ParsePosition(text)
		if err != nil {
			w.t.Fatalf("stream %s, message %d: %v", stream, m.sequence, err)
		}
		list = append(list, fact{m.data, at, m.header.Get(streamflow.HeaderReplay) != ""})
	}
	return list
}

// faults gathers what differs.
type faults struct {
	list []string
	n    int
}

func (f *faults) add(format string, args ...any) {
	if f.n++; f.n <= fewWrongs {
		f.list = append(f.list, fmt.Sprintf(format, args...))
	}
}

func (f *faults) String() string {
	return fmt.Sprintf("%d differences:\n%s", f.n, strings.Join(f.list, "\n"))
}

// numbered checks that each shard of each epoch has counted its facts from 0
// on, without a gap and none twice.
func (f *faults) numbered(list []fact) {
	next := make(map[streamflow.Partition]int64)
	for _, x := range list {
		p := x.output.In()
		if x.output.Offset != next[p] {
			f.add("fact %s stands where number %d should", x.output, next[p])
		}
		next[p] = x.output.Offset + 1
	}
}

// candles checks that the last version of each candle is that of the batch, and
// that no version was published twice: once closed, it only ever grows. What a
// replay repeats is a history of its own.
func (f *faults) candles(t *testing.T, list []fact, w *wanted) (amended int) {
	// Computed anew, a candle may be closed later, by a tick in the place of the
	// clock, and fewer of its ticks count as late.
	replayed := slices.ContainsFunc(list, func(x fact) bool { return x.replay })
	type history struct {
		resultKey
		replay bool
	}
	last, before := make(map[resultKey]streamflow.Candle), make(map[history]streamflow.Candle)
	from := make(map[history]streamflow.Position)
	for _, x := range list {
		k, c := candleOf(t, x.data)
		old, again := before[history{k, x.replay}]
		if again && (c.Trades <= old.Trades || c.Amended <= old.Amended && !replayed) {
			f.add("candle %v: version %s (replay %v) follows one that is as full, %s: %+v, %+v", k, x.output, x.replay, from[history{k, x.replay}], old, c)
		}
		if !again && c.Amended != 0 && !x.replay && last[k].Trades == 0 {
			f.add("candle %v: the first version, %s, is an amendment: %+v", k, x.output, c)
		}
		if c.Amended > 0 {
			amended++
		}
		before[history{k, x.replay}], from[history{k, x.replay}], last[k] = c, x.output, c
	}
	for k, c := range last {
		if content(c) != content(w.candles[k]) {
			f.add("candle %v is %+v, want %+v", k, c, w.candles[k])
		}
	}
	for k := range w.candles {
		if _, ok := last[k]; !ok && k.over(w.newest) {
			f.add("candle %v is missing", k)
		}
	}
	return amended
}

// values checks the last indicators on each closed candle.
func (f *faults) values(t *testing.T, list []fact, w *wanted) {
	last, first := make(map[resultKey]streamflow.Indicators), make(map[resultKey]streamflow.Position)
	for _, x := range list {
		k, v := indicatorsOf(t, x.data)
		if !v.Amended && !x.replay {
			if at, twice := first[k]; twice {
				f.add("indicators %v are new in %s, and again in %s", k, at, x.output)
			}
			first[k] = x.output
		}
		last[k] = v
	}
	for k, v := range last {
		if !sameValues(v, w.values[k]) {
			f.add("indicators %v are %+v, want %+v", k, v, w.values[k])
		}
	}
	for k := range w.values {
		if _, ok := last[k]; !ok && k.over(w.newest) {
			f.add("indicators %v are missing", k)
		}
	}
}

// alerts checks that each alert was raised once, and repeated once at most.
func (f *faults) alerts(t *testing.T, list []fact, w *wanted) (repeated map[string]int) {
	raised, repeated := make(map[string]int), make(map[string]int)
	for _, x := range list {
		id := alertOf(t, x.data).ID
		if x.replay {
			repeated[id]++
		} else {
			raised[id]++
		}
		if raised[id] > 1 || repeated[id] > 1 {
			f.add("alert %s is raised again in %s", id, x.output)
		}
		if string(x.data) != w.alerts[id].data {
			f.add("alert %s in %s is %s, want %s", id, x.output, x.data, w.alerts[id].data)
		}
	}
	for id, a := range w.alerts {
		if raised[id] == 0 {
			f.add("alert %s is missing: %s", id, a.data)
		}
	}
	return repeated
}

// factsOfAll is what the three functions have published.
type factsOfAll struct{ candles, indicators, alerts []fact }

func (w *world) allFacts() factsOfAll {
	w.t.Helper()
	return factsOfAll{w.facts(streamflow.StreamCandles), w.facts(streamflow.StreamIndicators), w.facts(streamflow.StreamAlerts)}
}

// compare checks all of them against an undisturbed run.
func (a *factsOfAll) compare(t *testing.T, w *wanted) (f *faults, amended int, repeated map[string]int) {
	t.Helper()
	f = &faults{}
	for _, list := range [][]fact{a.candles, a.indicators, a.alerts} {
		f.numbered(list)
	}
	amended = f.candles(t, a.candles, w)
	f.values(t, a.indicators, w)
	return f, amended, f.alerts(t, a.alerts, w)
}
