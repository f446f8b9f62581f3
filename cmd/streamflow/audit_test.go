//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// envNumber reads a number that a tester may set.
func envNumber(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestCrashAudit kills every part of the system at random moments while ticks
// are written, and then counts: every good tick is in TICKS once, in the order
// of its partition, and in stock_ticks once; every bad one in DLQ once and in
// stock_ticks_dlq once.
//
//	STREAMFLOW_AUDIT_KILLS=200 go test -run TestCrashAudit ./cmd/streamflow
//	STREAMFLOW_AUDIT_SEED=...  repeats the choices of a run, not its timing
func TestCrashAudit(t *testing.T) {
	seed := envNumber(t, "STREAMFLOW_AUDIT_SEED", uint64(time.Now().UnixNano()))
	kills := int(envNumber(t, "STREAMFLOW_AUDIT_KILLS", 24))
	t.Logf("STREAMFLOW_AUDIT_SEED=%d", seed)
	began := time.Now()
	w := newWorld(t)
	k := &killer{w: w, r: rand.New(rand.NewPCG(seed, 1)), kinds: allKinds, children: w.everything(), by: make(map[string]int)}
	p := w.produce(seed, 2000)
	w.await("the first ticks", 2*time.Minute, func() bool { return p.count() > 500 })
	for k.done < kills {
		k.strike()
	}
	p.finish(t)
	written := time.Since(began)
	a := w.settled(p, fmt.Sprintf("after %d kills, STREAMFLOW_AUDIT_SEED=%d", k.done, seed))
	if slow := time.Since(began) - written; slow > 30*time.Second {
		t.Logf("it took %.0f s to catch up:\n%s", slow.Seconds(), w.logs())
	}
	t.Logf("%d kills (%s), of which %d two at once and %d within 300 ms of a start; %d ticks and %d dead letters (%d answers of Kafka lost), each once; %.0f s, of which %.0f s to catch up and check",
		k.done, k, k.twice, k.early, len(a.good), len(a.bad), p.failed, time.Since(began).Seconds(), (time.Since(began) - written).Seconds())
}

// killer chooses whom to kill, and when.
type killer struct {
	w           *world
	r           *rand.Rand
	kinds       []string
	children    map[string]*child // by kind
	deck        []string          // kinds that are still to come in this round
	by          map[string]int
	done        int
	twice       int
	early       int
	postmasters int
}

func (k *killer) String() string {
	var parts []string
	for _, kind := range k.kinds {
		parts = append(parts, fmt.Sprintf("%s %d", kind, k.by[kind]))
	}
	return strings.Join(parts, ", ") + fmt.Sprintf(", and %d postmasters", k.postmasters)
}

// next deals the kinds in rounds, so that none is forgotten.
func (k *killer) next() *child {
	if len(k.deck) == 0 {
		k.deck = append(k.deck, k.kinds...)
		k.r.Shuffle(len(k.deck), func(i, j int) { k.deck[i], k.deck[j] = k.deck[j], k.deck[i] })
	}
	kind := k.deck[0]
	k.deck = k.deck[1:]
	return k.children[kind]
}

// strike kills one process or two at once, in the midst of its work or right
// after it was started.
func (k *killer) strike() {
	victims := []*child{k.next()}
	if k.r.IntN(4) == 0 {
		if second := k.next(); second != victims[0] {
			victims = append(victims, second)
			k.twice++
		}
	}
	time.Sleep(time.Duration(k.r.IntN(1500)) * time.Millisecond)
	k.kill(victims)
	for again := 0; again < 2 && k.r.IntN(3) == 0; again++ { // and once more while it recovers
		time.Sleep(time.Duration(k.r.IntN(300)) * time.Millisecond)
		k.early += len(victims)
		k.kill(victims)
	}
}

// kill kills the victims at once, and waits until they have been started again.
func (k *killer) kill(victims []*child) {
	starts := make([]int, len(victims))
	for i, c := range victims {
		starts[i] = c.count()
		if c.kind == kindPostgres && k.r.IntN(2) == 0 && k.postmaster(c.pid()) {
			k.postmasters++ // its keeper ends by itself
		} else if !c.kill(time.Duration(k.r.IntN(500)) * time.Millisecond) {
			continue // it was just down by itself, because a server was
		}
		k.by[c.name]++
		k.done++
	}
	for i, c := range victims {
		if !c.awaitUp(starts[i]+1, 2*time.Minute) {
			k.w.t.Fatalf("%s does not come up again", c.name)
		}
	}
}

// postmaster kills PostgreSQL's own first process.
func (k *killer) postmaster(keeper int) bool {
	for _, pattern := range []string{"postmaster.pid", "*/postmaster.pid", "*/*/postmaster.pid"} {
		names, _ := filepath.Glob(filepath.Join(k.w.dir, "data", "postgres", pattern))
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				continue
			}
			first, _, _ := strings.Cut(string(text), "\n")
			// One of an earlier start may still be on its way out.
			if pid, err := strconv.Atoi(strings.TrimSpace(first)); err == nil && pid > 1 && slices.Contains(children(keeper), pid) {
				return syscall.Kill(pid, syscall.SIGKILL) == nil
			}
		}
	}
	return false
}
