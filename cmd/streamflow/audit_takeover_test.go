//go:build unix

package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// marks returns the newest good offset that Kafka has acknowledged in each
// partition.
func (p *producer) marks() map[int32]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	marks := make(map[int32]int64)
	for at, n := range p.acked {
		if p.specs[n].reason == "" {
			marks[at.partition] = max(marks[at.partition], at.offset)
		}
	}
	return marks
}

// flows waits until the archive has stored what Kafka has acknowledged up to
// now, and returns how long that took.
func (w *world) flows(p *producer, what string, atMost time.Duration) time.Duration {
	w.t.Helper()
	marks := p.marks()
	return w.await(what, atMost, func() bool {
		positions := w.positions()
		for partition, offset := range marks {
			if positions[partition] < offset {
				return false
			}
		}
		return true
	})
}

// logged counts the lines of a process's log that hold text.
func (c *child) logged(text string) int {
	log, _ := os.ReadFile(c.logName())
	return strings.Count(string(log), text)
}

// TestPausedBridgeWritesNothing pauses a bridge for so long that another takes
// its partitions over, and lets it go on in the middle of its work.
func TestPausedBridgeWritesNothing(t *testing.T) {
	w := newWorld(t)
	a := w.everything()[kindBridge]
	p := w.produce(1, 2000)
	w.flows(p, "the first ticks", 2*time.Minute)
	b := w.start(kindBridge, "bridge-2")
	w.await("the bridges share the partitions", 2*time.Minute, func() bool { return b.logged("partition assigned") > 0 })
	for _, paused := range []*child{a, b, a} {
		paused.signal(syscall.SIGSTOP)
		time.Sleep(100 * time.Millisecond) // what it has sent is there; what Kafka has acknowledged since is not mirrored
		took := w.flows(p, "the other bridge takes over", 2*time.Minute)
		assigned := paused.logged("partition assigned")
		paused.signal(syscall.SIGCONT)
		w.await("it takes its share again", 2*time.Minute, func() bool { return paused.logged("partition assigned") > assigned })
		t.Logf("%s paused: its partitions flow again after %.1f s", paused.name, took.Seconds())
		w.flows(p, "both go on", 2*time.Minute)
	}
	a.stop(syscall.SIGKILL)
	time.Sleep(100 * time.Millisecond)
	t.Logf("bridge killed: its partitions flow again after %.1f s", w.flows(p, "the other bridge takes over", 2*time.Minute).Seconds())
	p.finish(t)
	w.settled(p, "after the pauses")
	t.Logf("commits refused by the fence: %d and %d", a.logged("fenced: another bridge"), b.logged("fenced: another bridge"))
}

// TestStandbyArchiveTakesOver kills and pauses the archive that works while
// another stands by.
func TestStandbyArchiveTakesOver(t *testing.T) {
	w := newWorld(t)
	a := w.everything()[kindArchive]
	p := w.produce(2, 2000)
	w.flows(p, "the first ticks", 2*time.Minute)
	b := w.start(kindArchive, "archive-2")
	w.await("the standby", 2*time.Minute, func() bool { return b.logged("function runs") > 0 })
	for range 2 {
		a.kill(0) // it comes back, as a standby
		time.Sleep(50 * time.Millisecond)
		took := w.flows(p, "the standby takes over", 2*time.Minute)
		t.Logf("archive killed: ticks are stored again after %.1f s", took.Seconds())
		if took > takeOverAtMost {
			t.Errorf("the take-over took %s, want %s at most", took, takeOverAtMost)
		}
		a, b = b, a
	}
	for range 3 {
		for _, c := range []*child{a, b} { // one of them works, the other is the standby
			c.signal(syscall.SIGSTOP)
			time.Sleep(50 * time.Millisecond)
			took := w.flows(p, "the standby takes over", 2*time.Minute)
			c.signal(syscall.SIGCONT)
			t.Logf("%s paused: ticks are stored again after %.1f s", c.name, took.Seconds())
		}
	}
	p.finish(t)
	w.settled(p, "after the take-overs")
	t.Logf("commits refused by the fence: %d and %d", a.logged("another writer has moved"), b.logged("another writer has moved"))
}

// takeOverAtMost bounds how long the database waits when an archive dies. That is
// 5 s, and more where the machine has other work: what is to be noticed is a
// standby that waits until the server lets go by itself, after two minutes.
const takeOverAtMost = 30 * time.Second
