package functions_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamflow"
	"streamflow/functions"
)

func newPeace(t *testing.T) *world {
	w := newWorld(t, 1)
	w.chaos, w.poison = 0, false
	return w
}

// More facts than fit one write, from messages and from wake-ups, and a worker
// that dies among them.
func TestBulk(t *testing.T) {
	for seed := range seeds(2) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, seed)
			w.symbols, w.limit, w.piece = 2500, 5000, 100_000
			c := w.crew(newTally("tally", 1), 1, 1)
			for range 4 {
				w.grow(2500)
				time.Sleep(time.Duration(w.pick(6000)) * time.Millisecond)
				i := w.pick(2)
				c.workers[i].kill()
				c.workers[i] = w.start(c.f, c.workers[i].at, 1)
			}
			c.finish()
			c.verify()
		})
	}
}

// A snapshot that is not what it should be is made anew from the stream.
func TestTornSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPeace(t)
		c := w.crew(newQuiet("tally", 3), 1, 1)
		w.grow(500)
		c.finish()
		at := place{1, 0}
		p, _ := w.pageOf(at)
		w.book(at).slots[p.Slot][0][20] ^= 1
		c = w.crew(c.f, 1, 1)
		w.grow(300)
		c.finish()
		c.verify()
	})
}

// States of another version are dropped, once; what was published stays.
func TestOtherVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPeace(t)
		w.symbols = 1
		c := w.crew(newQuiet("tally", 1), 1, 1)
		w.grow(50)
		c.finish()
		f := tallyFunc("tally", 1)
		f.Wake, f.Version = nil, "2"
		c = &crew{w: w, f: f.Build(), generation: 1, shards: 1}
		for range 3 {
			k := w.start(c.f, place{1, 0}, 1)
			w.grow(10)
			time.Sleep(200 * time.Millisecond)
			k.kill()
		}
		c.finish()
		w.numbered()
		var counts []string
		for _, m := range w.facts {
			var f fact
			if err := json.Unmarshal(m.Data, &f); err != nil {
				t.Fatal(err)
			}
			counts = append(counts, fmt.Sprint(f.N))
		}
		if n := len(counts); n != 80 || counts[49] != "50" || counts[50] != "1" || counts[79] != "30" {
			t.Error(n, strings.Join(counts, " "))
		}
	})
}

// A view of a key comes every 250 ms while it changes, each second while
// messages wait, and not at all when nothing changes.
func TestViews(t *testing.T) {
	for _, c := range []struct {
		old  time.Duration // how long ago the ticks were produced
		want time.Duration
	}{{0, 250 * time.Millisecond}, {time.Hour, time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			w := newPeace(t)
			k := w.start(newQuiet("tally", 1000), place{1, 0}, 1)
			for i := range int64(500) {
				w.mu.Lock()
				w.mirror(tick("A", 0, i, 1, time.Now().Add(-c.old)))
				w.mu.Unlock()
				time.Sleep(10 * time.Millisecond)
			}
			time.Sleep(time.Minute)
			k.stop()
			for i := range w.shown[1:] {
				if apart := w.shown[i+1].Sub(w.shown[i]); apart < c.want || apart > c.want+50*time.Millisecond && i+2 < len(w.shown) {
					t.Errorf("view %d came %s after the one before", i+1, apart)
				}
			}
			last := w.views[len(w.views)-1]
			if string(last.Data) != "500" || last.Position.Topic != "" || last.Cause.Offset != 499 || !strings.Contains(last.Hops, ";tally=") {
				t.Errorf("the last view is %q %+v", last.Data, last)
			}
			if want := int(5 * time.Second / c.want); len(w.views) < want-2 || len(w.views) > want+2 {
				t.Errorf("%d views, want about %d", len(w.views), want)
			}
		})
	}
}

// Where many keys change they are shown a few at a time, each in its turn.
func TestViewsOfManyKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPeace(t)
		k := w.start(newQuiet("tally", 1000), place{1, 0}, 1)
		const keys = 500
		for i := range int64(20 * keys) {
			w.mu.Lock()
			w.mirror(tick(fmt.Sprintf("S%d", i%keys), 0, i, 1, time.Now()))
			w.mu.Unlock()
			if i%10 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		time.Sleep(time.Minute)
		k.stop()
		last, n := make(map[string]time.Time), make(map[string]int)
		for i, m := range w.views {
			if apart := w.shown[i].Sub(last[m.Subject]); apart < 250*time.Millisecond {
				t.Fatalf("%s is shown again after %s", m.Subject, apart)
			}
			last[m.Subject], n[m.Subject] = w.shown[i], n[m.Subject]+1
			if count := string(m.Data); i >= len(w.views)-1 && count != "20" {
				t.Errorf("the last view is of message %s of 20", count)
			}
		}
		if len(n) != keys || w.atOnce > 128 {
			t.Errorf("%d keys of %d are shown, %d at once", len(n), keys, w.atOnce)
		}
		for subject, n := range n {
			if n < 4 || n > 6 {
				t.Errorf("%s is shown %d times in a second", subject, n)
			}
		}
	})
}

// A standby leaves the worker alone, whatever its snapshot covers.
func TestStandbyLeavesStepperAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPeace(t)
		c := w.crew(newTally("tally", 1000), 1, 1) // hardly any facts: the page is behind
		for range 2000 {
			w.grow(1)
			time.Sleep(70 * time.Millisecond)
		}
		time.Sleep(5 * time.Minute)
		w.grow(10)
		c.finish()
		if w.seeks > 1 {
			t.Errorf("the stream was read again %d times", w.seeks-1)
		}
		c.verify()
	})
}

// Who takes over from a worker that was killed has published within 5 s what it
// left, and does what the clock demands where no message comes.
func TestTakeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPeace(t)
		c := w.crew(newTally("tally", 1), 1, 1)
		w.grow(100)
		time.Sleep(time.Second)
		owner := c.workers[0]
		if !owner.s.Owner() {
			owner = c.workers[1]
		}
		if !owner.s.Owner() || !owner.s.Due() {
			t.Fatal("nobody is the owner, or nobody is due")
		}
		go owner.kill()
		time.Sleep(time.Millisecond)
		before := w.published()
		w.grow(100)
		time.Sleep(5 * time.Second)
		if n := w.published() - before; n < 100 {
			t.Errorf("5 s after the worker was killed, %d facts of 100 are there", n)
		}
		// The one that is left dies too, and its successor finds nothing to read.
		w.grow(50)
		time.Sleep(time.Second)
		other := c.workers[0]
		if other == owner {
			other = c.workers[1]
		}
		other.kill()
		c.workers = []*worker{w.start(c.f, place{1, 0}, 1)}
		time.Sleep(25 * time.Second)
		if k := c.workers[0]; !k.s.Owner() || k.s.Due() {
			t.Error("what was due was not done")
		}
		c.finish()
		c.verify()
	})
}

// A wake-up that fails mutes its key, no other, until its next message.
func TestWakeUpThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := tallyFunc("tally", 1)
		step := f.Step
		f.Step = func(s *tally, in *functions.Input, out *functions.Output) error {
			if in.Message == nil && in.Key == "S00" {
				s.N = -1000
				panic("not this one")
			}
			return step(s, in, out)
		}
		w := newPeace(t)
		w.symbols = 4
		k := w.start(f.Build(), place{1, 0}, 1)
		w.grow(80)
		time.Sleep(20 * time.Second)
		if st := k.s.Status(); !strings.Contains(st.LastError, "not this one") || st.Keys != 4 || st.DeadLetters != 0 || st.Facts < 80 {
			t.Errorf("status %+v", st)
		}
		k.kill()
		k = w.start(f.Build(), place{1, 0}, 1)
		w.grow(80)
		time.Sleep(20 * time.Second)
		k.stop()
		w.numbered()
		for _, m := range w.facts {
			if bytes.Contains(m.Data, []byte(`"N":-`)) {
				t.Errorf("%s: %s", m.Subject, m.Data)
			}
		}
	})
}

func (w *world) published() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.facts)
}

// A shard of a generation that is over says so.
func TestClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPeace(t)
		f := newTally("tally", 3)
		k := w.start(f, place{1, 0}, 1)
		w.grow(20)
		time.Sleep(10 * time.Second)
		l := &life{w: w}
		old, next := []functions.Ledger{&pen{l, place{1, 0}}}, []functions.Ledger{&pen{l, place{2, 0}}}
		if err := functions.Reshard(context.Background(), f, 2, old, next); err != nil {
			t.Fatal(err)
		}
		if err := functions.Reshard(context.Background(), f, 2, old, next); err != nil {
			t.Errorf("once more: %v", err)
		}
		w.grow(20)
		time.Sleep(10 * time.Second)
		select {
		case <-k.done:
		default:
			t.Fatal("the worker goes on")
		}
		if !errors.Is(k.err, functions.ErrClosed) || k.s.Owner() {
			t.Error(k.err)
		}
	})
}

// A shard whose messages retention has taken can be settled all the same.
func TestSettleWithoutMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPeace(t)
		f := newTally("tally", 1)
		k := w.start(f, place{1, 0}, 1)
		w.grow(100)
		time.Sleep(300 * time.Millisecond)
		k.kill()
		w.mu.Lock()
		w.stream = nil
		w.mu.Unlock()
		if p, _ := w.pageOf(place{1, 0}); p.Settled {
			t.Fatal("it is settled already")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		defer cancel()
		if err := functions.Settle(ctx, w.config(&life{w: w}, f, place{1, 0}, 1)); err != nil {
			t.Error(err)
		}
		if p, _ := w.pageOf(place{1, 0}); !p.Settled {
			t.Errorf("%+v", p)
		}
	})
}

// applied is a sink that keeps no checkpoint and fails now and then.
type applied struct {
	w     *world
	seen  []streamflow.Position
	views int
}

func (a *applied) Load(context.Context) (functions.Checkpoint, error) { return nil, nil }

func (a *applied) Commit(_ context.Context, messages []streamflow.Message, _, _ functions.Checkpoint) error {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	if a.w.r.IntN(4) == 0 {
		return errChaos
	}
	for _, m := range messages {
		if m.Position.Topic == "" {
			a.views++
			continue
		}
		a.seen = append(a.seen, m.Position)
	}
	return nil
}

// A sink without a checkpoint sees everything, in order, some of it again after
// a failure.
func TestIdempotentSink(t *testing.T) {
	for seed := range seeds(20) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, seed)
			a := &applied{w: w}
			r := functions.New(functions.Config{Function: "test", Source: &tap{life: &life{w: w}}, Sink: a, Limit: 20})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- r.Run(ctx) }()
			for range 10 {
				w.grow(30)
				w.mu.Lock()
				w.mirror(streamflow.Message{Subject: "results.x", Cause: streamflow.Position{Topic: "t"}})
				w.mu.Unlock()
				time.Sleep(3 * time.Second)
				w.disturb()
			}
			w.mu.Lock()
			w.chaos = 0
			w.mu.Unlock()
			time.Sleep(5 * time.Minute)
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			last := make(map[streamflow.Partition]int64)
			for _, p := range a.seen {
				if p.Offset > last[p.In()]+2 && last[p.In()] > 0 {
					t.Errorf("%v was applied after offset %d", p, last[p.In()])
				}
				last[p.In()] = p.Offset
			}
			if a.views < 10 {
				t.Errorf("%d views of 10", a.views)
			}
			if w.seeks > 0 {
				t.Errorf("the stream was read again %d times", w.seeks)
			}
			if fmt.Sprint(last) != fmt.Sprint(w.heads()) {
				t.Errorf("applied up to %v, want %v", last, w.heads())
			}
		})
	}
}

// What is told of a shard is what it does.
func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPeace(t)
		k := w.start(newQuiet("tally", 2), place{1, 0}, 1)
		for range 150 {
			w.grow(10)
			time.Sleep(100 * time.Millisecond)
		}
		st := k.s.Status()
		if st.Function != "tally" || st.Shard != 0 || st.Messages < 1490 || st.Keys != 12 || st.Facts < 700 || st.Errors != 0 {
			t.Errorf("%+v", st)
		}
		if st.Rate < 80 || st.Rate > 110 || time.Since(st.NewestInput) > time.Second || time.Since(st.Checkpoint) > 11*time.Second {
			t.Errorf("rate %v, newest input %s ago, checkpoint %s ago", st.Rate, time.Since(st.NewestInput), time.Since(st.Checkpoint))
		}
		if st.StepP50 > st.StepP99 {
			t.Errorf("p50 %v, p99 %v", st.StepP50, st.StepP99)
		}
		k.stop()
		if k.s.Owner() || k.s.Due() {
			t.Error("it has left, and says that it is the owner")
		}
	})
}
