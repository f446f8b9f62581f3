package functions_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"streamflow"
)

// spanLog traces everything, and keeps what is recorded.
type spanLog struct {
	streamflow.Sampler
	mu   sync.Mutex
	list []streamflow.Span
}

func (l *spanLog) Record(s streamflow.Span) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, s)
}

// byID returns the spans of a name; times is how often each was recorded.
func (l *spanLog) byID(name string) (spans map[streamflow.SpanID]streamflow.Span, times map[streamflow.SpanID]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	spans, times = make(map[streamflow.SpanID]streamflow.Span), make(map[streamflow.SpanID]int)
	for _, s := range l.list {
		if s.Name == name {
			spans[s.ID] = s
			times[s.ID]++
		}
	}
	return spans, times
}

// Each message is traced by the shard that steps it. What is published is traced
// once, however often it is stepped again in silence; what a dead worker had
// stepped and not written down is done, and traced, again. Every fact hangs at
// the span of its cause.
func TestTraceSteps(t *testing.T) {
	for seed := range seeds(5) {
		synctest.Test(t, func(t *testing.T) { traceSteps(t, seed, false) })
		synctest.Test(t, func(t *testing.T) { traceSteps(t, seed, true) })
	}
}

func traceSteps(t *testing.T, seed uint64, kill bool) {
	log := &spanLog{Sampler: streamflow.NewSampler(1)}
	w := newWorld(t, seed)
	w.chaos, w.poison, w.tracer = 0, false, log
	c := w.crew(newQuiet("tally", 3), 1, 2) // which time does not wake
	w.grow(200)
	time.Sleep(3 * time.Second)
	for i := range c.workers { // before there is a snapshot of all of it: who comes next steps again
		w.grow(20)
		time.Sleep(time.Second)
		if kill {
			c.workers[i].kill()
		} else {
			c.workers[i].stop()
		}
		c.workers[i] = w.start(c.f, c.workers[i].at, 2)
	}
	c.finish()
	c.verify()
	causes := make(map[streamflow.Position]bool)
	for _, m := range w.facts {
		causes[m.Cause] = true
	}
	spans, times := log.byID("tally")
	for _, m := range w.stream {
		trace, _ := log.Trace(&m)
		span, ok := spans[trace.Taker("tally", &m)]
		if n := times[span.ID]; !ok || n > 1 && (!kill || causes[m.Position]) {
			t.Fatalf("seed %d: %v is traced %d times", seed, m.Position, n)
		}
		if span.Parent != trace.Maker(&m) || span.Trace != trace.ID || span.Fault != "" {
			t.Errorf("%v: %+v", m.Position, span)
		}
	}
	if len(spans) != len(w.stream) {
		t.Errorf("%d spans of %d messages", len(spans), len(w.stream))
	}
	facts := 0
	for _, m := range w.facts {
		if trace, ok := log.Trace(&m); ok {
			facts++
			if _, ok := spans[trace.Maker(&m)]; !ok {
				t.Errorf("the fact %v hangs at a span that nobody has recorded", m.Position)
			}
		}
	}
	if facts == 0 {
		t.Error("no fact is traced")
	}
}

// A message whose step fails is one that has failed.
func TestTracePoison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &spanLog{Sampler: streamflow.NewSampler(1)}
		w := newPeace(t)
		w.tracer, w.poison = log, true
		c := w.crew(newTally("tally", 3), 1, 1)
		w.grow(300)
		c.finish()
		spans, _ := log.byID("tally")
		if len(w.letters) == 0 {
			t.Fatal("nothing failed")
		}
		for _, m := range w.stream {
			trace, _ := log.Trace(&m)
			_, bad := w.letters[m.Position]
			if span := spans[trace.Taker("tally", &m)]; (span.Fault != "") != bad {
				t.Errorf("%v, set aside %v: fault %q", m.Position, bad, span.Fault)
			}
		}
	})
}
