package live

import (
	"strings"
	"sync"
	"testing"
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

func (l *spanLog) named(name string) (found []streamflow.Span) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.list {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

func tracedTick(k *maker, symbol string) streamflow.Message {
	m := k.tick(symbol, 1, 0)
	now := time.Now()
	m.Hops = string(streamflow.AppendHop(streamflow.AppendHop(nil, streamflow.HopKafka, now), streamflow.HopBridge, now))
	return m
}

// A traced message is followed to the websockets, to a bounded number of them,
// and nothing of it is kept.
func TestTraceToSockets(t *testing.T) {
	log := &spanLog{Sampler: streamflow.NewSampler(1)}
	g := newRig(t, func(c *Config, _ *hub) { c.Tracer = log })
	const clients = tracedFrames + 4
	var all []*client
	for range clients {
		c := g.dial(t)
		c.send(`{"subscribe":["ticks.A"]}`)
		all = append(all, c)
	}
	eventually(t, "all have subscribed", func() bool { return g.metric(t, "streamflow_ws_subscriptions", "") == clients })
	tick := tracedTick(&g.maker, "A")
	g.put(t, tick, tracedTick(&g.maker, "B"))
	for _, c := range all {
		for c.next().Subject != "ticks.A" {
		}
	}
	eventually(t, "the spans", func() bool { return len(log.named("websocket")) >= tracedFrames })
	if n := len(log.named("websocket")); n != tracedFrames {
		t.Errorf("%d websockets are shown, want %d", n, tracedFrames)
	}
	api := log.named("api")
	if len(api) != 2 {
		t.Fatalf("%d spans of the API, want one for each tick", len(api))
	}
	trace, _ := log.Trace(&tick)
	if api[0].Trace != trace.ID || api[0].Parent != trace.Maker(&tick) {
		t.Errorf("span %x of trace %x, want below the bridge's %x of %x", api[0].Parent, api[0].Trace, trace.Maker(&tick), trace.ID)
	}
	for _, s := range log.named("websocket") {
		if s.Parent != api[0].ID || s.Trace != trace.ID || s.End.Before(s.Start) || !strings.Contains(s.Attributes[0].Value.(string), "ticks.A") {
			t.Errorf("websocket: %+v", s)
		}
	}
	eventually(t, "nothing is kept", func() bool { return g.hub.tracing.open.Load() == 0 })
}

// What is replaced before it is sent is let go of with the next one.
func TestTraceForgets(t *testing.T) {
	log := &spanLog{Sampler: streamflow.NewSampler(1)}
	tracing := newTracing(log)
	m := tracedTick(&maker{}, "A")
	trace, _ := log.Trace(&m)
	now := time.Now()
	tracing.expect(trace, &m, []byte("old"), 1, now)
	tracing.expect(trace, &m, []byte("new"), 1, now.Add(tracedFor+time.Second))
	if n := tracing.open.Load(); n != 1 {
		t.Errorf("%d messages are waited for, want the new one", n)
	}
	newTracing(nil).sent([]byte("frame")) // off
}
