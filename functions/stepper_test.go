package functions_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"streamflow"
	"streamflow/functions"
)

// worker runs one shard until it is killed or stopped.
type worker struct {
	*life
	at     place
	s      *functions.Stepper
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

func (w *world) config(l *life, f *functions.Function, at place, shards int) functions.StepConfig {
	c := functions.StepConfig{
		Function: f, Generation: at.generation, Shard: at.shard, Shards: shards,
		Source: &tap{life: l, at: at}, Ledger: &pen{life: l, at: at}, Limit: w.limit, Tracer: w.tracer,
	}
	if os.Getenv("STEPPER_LOG") != "" {
		c.Logger = slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})).With("generation", at.generation)
	}
	return c
}

func (w *world) start(f *functions.Function, at place, shards int) *worker {
	ctx, cancel := context.WithCancel(w.t.Context())
	k := &worker{life: &life{w: w}, at: at, cancel: cancel, done: make(chan struct{})}
	k.s = functions.NewStepper(w.config(k.life, f, at, shards))
	go func() {
		defer close(k.done)
		k.err = k.s.Run(ctx)
	}()
	return k
}

// kill ends a worker between two of its operations. What it owned is its own
// until the server has missed it for a while.
func (k *worker) kill() {
	k.w.mu.Lock()
	k.dead = true
	k.w.mu.Unlock()
	k.cancel()
	<-k.done
	time.Sleep(3 * time.Second)
	k.w.mu.Lock()
	defer k.w.mu.Unlock()
	if q := k.w.queue(k.at); q.owner != nil && q.owner.life == k.life {
		q.owner, q.next = nil, q.floor
	}
}

func (k *worker) stop() {
	k.cancel()
	<-k.done
}

// crew is the workers of a generation, some shards with a second one.
type crew struct {
	w          *world
	f          *functions.Function
	generation int
	shards     int
	workers    []*worker
}

func (w *world) crew(f *functions.Function, generation, shards int) *crew {
	c := &crew{w: w, f: f, generation: generation, shards: shards}
	for i := range shards {
		c.workers = append(c.workers, w.start(f, place{generation, i}, shards), w.start(f, place{generation, i}, shards))
	}
	return c
}

// live lets them work for n rounds, and some of them die.
func (c *crew) live(n int) {
	for range n {
		c.w.grow(1 + c.w.pick(60))
		time.Sleep(time.Duration(c.w.pick(2500)) * time.Millisecond)
		if c.w.pick(5) == 0 {
			c.w.disturb()
		}
		if c.w.pick(12) == 0 {
			c.w.loseTail()
		}
		if c.w.pick(3) == 0 {
			i := c.w.pick(len(c.workers))
			k := c.workers[i]
			if c.w.pick(4) == 0 {
				k.stop()
			} else {
				k.kill()
			}
			c.workers[i] = c.w.start(c.f, k.at, c.shards)
		}
	}
}

func (w *world) pick(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.r.IntN(n)
}

func (c *crew) end(kill bool) {
	var all sync.WaitGroup
	for _, k := range c.workers {
		all.Go(func() {
			if kill && c.w.pick(2) == 0 {
				k.kill()
			} else {
				k.stop()
			}
			if k.err != nil && !errors.Is(k.err, functions.ErrClosed) {
				c.w.t.Error(k.err)
			}
		})
	}
	all.Wait()
}

// await lets the workers go on in peace until all is published.
func (c *crew) await(atMost time.Duration) {
	c.w.t.Helper()
	c.w.mu.Lock()
	c.w.chaos = 0
	c.w.mu.Unlock()
	var missing string
	for start := time.Now(); time.Since(start) < atMost; time.Sleep(time.Second) {
		missing = ""
		for i := range c.shards {
			p, _ := c.w.pageOf(place{c.generation, i})
			if !maps.Equal(map[streamflow.Partition]int64(p.Positions), c.w.heads()) {
				missing += fmt.Sprintf("shard %d: %+v; ", i, p)
			}
		}
		if missing == "" {
			return
		}
	}
	c.w.t.Fatalf("after %s of peace: %s, heads %v", atMost, missing, c.w.heads())
}

// next makes another generation, two workers at once, while some of the old
// workers may not have heard of it.
func (c *crew) next(shards int, replay *streamflow.Replay) *crew {
	w := c.w
	c.end(true)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			l := &life{w: w}
			var old, next []functions.Ledger
			for i := range c.shards {
				old = append(old, &pen{life: l, at: place{c.generation, i}})
			}
			for i := range shards {
				next = append(next, &pen{life: l, at: place{c.generation + 1, i}})
			}
			for {
				var err error
				if replay != nil {
					err = functions.StartReplay(w.t.Context(), c.f, c.generation+1, old, next, *replay)
				} else {
					err = functions.Reshard(w.t.Context(), c.f, c.generation+1, old, next)
				}
				if err == nil {
					return
				}
				var unsettled *functions.UnsettledError
				if errors.As(err, &unsettled) {
					ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
					_ = functions.Settle(ctx, w.config(l, c.f, place{c.generation, unsettled.Shard}, c.shards))
					cancel()
				}
				time.Sleep(time.Duration(100+w.pick(900)) * time.Millisecond)
			}
		})
	}
	both.Wait()
	return w.crew(c.f, c.generation+1, shards)
}

// finish ends the crew and has what a worker that died left unsettled settled.
func (c *crew) finish() {
	c.w.t.Helper()
	c.await(time.Hour)
	time.Sleep(time.Minute) // who is due is woken
	c.end(false)
	for i := range c.shards {
		at := place{c.generation, i}
		if err := functions.Settle(c.w.t.Context(), c.w.config(&life{w: c.w}, c.f, at, c.shards)); err != nil {
			c.w.t.Error(err)
		}
		if p, _ := c.w.pageOf(at); !p.Settled {
			c.w.t.Errorf("shard %d is not settled: %+v", i, p)
		}
	}
}

// result is a fact without its number.
type result struct {
	subject, data, cause string
}

// verify compares all facts, all states and all dead letters with those of an
// undisturbed run over the same messages, woken at the same times.
func (c *crew) verify() {
	w := c.w
	w.t.Helper()
	w.numbered()
	states := make(map[string]string)
	for i := range c.shards {
		_, entries := w.pageOf(place{c.generation, i})
		for key, text := range entries {
			if states[key] != "" {
				w.t.Errorf("key %s is in two shards", key)
			}
			states[key] = text
		}
	}
	got := make(map[string][]result)
	woken := make(map[string][]wake)
	for _, m := range w.facts {
		if len(m.Headers) > 0 {
			continue // repeated: see verifyReplay
		}
		key := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
		var f fact
		if err := json.Unmarshal(m.Data, &f); err != nil {
			w.t.Fatal(err)
		}
		woken[key] = append(woken[key], f.Woken...)
		got[key] = append(got[key], result{m.Subject, string(m.Data), m.Cause.String()})
	}
	for key, text := range states {
		var s tally
		_, data, _ := strings.Cut(text, "state ")
		if err := json.Unmarshal([]byte(data), &s); err != nil {
			w.t.Fatal(err)
		}
		woken[key] = append(woken[key], s.Woken...)
	}
	poison := 0
	for key, messages := range w.byKey() {
		facts, state, failed := undisturbed(w.t, c.f, key, messages, woken[key])
		if !slices.Equal(facts, got[key]) {
			i := 0
			for i < min(len(facts), len(got[key])) && facts[i] == got[key][i] {
				i++
			}
			w.t.Errorf("key %s: %d facts, want %d, the first %d are right; then\n%v\nwant\n%v", key, len(got[key]), len(facts), i,
				got[key][i:min(i+2, len(got[key]))], facts[i:min(i+2, len(facts))])
		}
		if states[key] != state {
			w.t.Errorf("key %s: the state is\n%s\nwant\n%s", key, states[key], state)
		}
		for _, p := range failed {
			poison++
			letter, ok := w.letters[p]
			if !ok || letter.Reason != functions.ReasonStepFailed || !bytes.Contains(letter.Value, []byte(`"volume":1`)) {
				w.t.Errorf("%v has dead letter %+v", p, letter)
			}
		}
	}
	if len(w.letters) != poison {
		w.t.Errorf("%d dead letters, want %d", len(w.letters), poison)
	}
}

// numbered checks that facts have numbers from 0 without gaps.
func (w *world) numbered() {
	next := make(map[streamflow.Partition]int64)
	for _, m := range w.facts {
		if m.Position.Offset != next[m.Position.In()] || m.Previous != m.Position.Offset-1 {
			w.t.Fatalf("fact %v follows number %d", m.Position, next[m.Position.In()]-1)
		}
		next[m.Position.In()]++
	}
}

func (w *world) byKey() map[string][]streamflow.Message {
	all := make(map[string][]streamflow.Message)
	for _, log := range w.kafka {
		for _, m := range log {
			symbol, _ := streamflow.TickSymbol(m.Subject)
			all[symbol] = append(all[symbol], m)
		}
	}
	return all
}

func undisturbed(t *testing.T, f *functions.Function, key string, messages []streamflow.Message, woken []wake) (facts []result, state string, failed []streamflow.Position) {
	b := functions.NewBatch(f)
	take := func(list []streamflow.Message, _ error) {
		for _, m := range list {
			facts = append(facts, result{m.Subject, string(m.Data), m.Cause.String()})
		}
	}
	n := int64(0)
	for i := range messages {
		for len(woken) > 0 && woken[0].N == n {
			take(b.Advance(time.Unix(0, woken[0].At)))
			woken = woken[1:]
		}
		list, err := b.Step(&messages[i])
		if err != nil {
			failed = append(failed, messages[i].Position)
		} else {
			n++
		}
		take(list, err)
	}
	for _, at := range woken {
		take(b.Advance(time.Unix(0, at.At)))
	}
	data, err := b.Save()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := functions.Entries(data)
	if err != nil {
		t.Fatal(err)
	}
	return facts, entries[key], failed
}

// Whatever happens, facts and states are those of an undisturbed run.
func TestStepperEqualsBatch(t *testing.T) {
	for seed := range seeds(25) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, seed)
				c := w.crew(newTally("tally", 3), 1, 1)
				c.live(25)
				c.finish()
				c.verify()
			})
		})
	}
}

// seeds returns how many runs there are.
func seeds(n uint64) uint64 {
	if testing.Short() {
		return max(n/10, 1)
	}
	return n
}
