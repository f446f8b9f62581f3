package functions_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamflow"
)

// The number of shards changes while everything goes wrong that can.
func TestReshardEqualsBatch(t *testing.T) {
	for seed := range seeds(15) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, seed)
				c := w.crew(newTally("tally", 3), 1, 1)
				c.live(8)
				for _, shards := range []int{4, 2, 3} {
					c = c.next(shards, nil)
					c.live(8)
				}
				c.finish()
				c.verify()
			})
		})
	}
}

// A replay publishes again, marked, what was published from a time on, goes on
// with what is new, and ends in the states of a run that was not disturbed.
func TestReplayEqualsBatch(t *testing.T) {
	for seed := range seeds(15) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, seed)
				c := w.crew(newQuiet("tally", 3), 1, 1+int(seed%3))
				c.live(8)
				from := time.Now()
				c.live(8)
				c = c.next(1+int(seed%2), &streamflow.Replay{ID: "r1", From: from})
				if seed%4 == 3 {
					c.live(3)
					c = c.next(3, nil)
				}
				c.live(8)
				c.finish()
				c.verify()
				c.verifyReplay(from)
			})
		})
	}
}

// verifyReplay checks that what is repeated is what was published, from a time
// on, each once.
func (c *crew) verifyReplay(from time.Time) {
	var repeated, want []string
	until := make(map[string]int)
	for i, m := range c.w.facts {
		if len(m.Headers) > 0 {
			if m.Headers[0].Key != streamflow.HeaderReplay || string(m.Headers[0].Value) != "r1" {
				c.w.t.Errorf("headers %+v", m.Headers)
			}
			repeated = append(repeated, line(m))
			until[m.Position.Topic]++
		}
		_ = i
	}
	for _, m := range c.w.facts {
		if at, _ := streamflow.FindHop(m.Hops, streamflow.HopKafka); len(m.Headers) == 0 && !at.Before(from) && m.Position.Topic == c.w.facts[0].Position.Topic {
			want = append(want, line(m))
		}
	}
	if c.w.firstShards() == 1 {
		slices.Sort(repeated)
		slices.Sort(want)
		if !slices.Equal(repeated, want) {
			c.w.t.Errorf("%d facts are repeated, want %d:\n%s\nwant\n%s", len(repeated), len(want), strings.Join(repeated, "\n"), strings.Join(want, "\n"))
		}
	}
}

func line(m streamflow.Message) string {
	var f fact
	_ = json.Unmarshal(m.Data, &f)
	return fmt.Sprint(m.Subject, " ", m.Cause, " ", f.N, " ", f.Hash)
}

// firstShards returns how many shards the first generation had.
func (w *world) firstShards() int {
	n := 0
	for at := range w.books {
		if at.generation == 1 {
			n++
		}
	}
	return n
}
