package streamflow_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"streamflow"
)

func tickAt(offset int64, hops string) *streamflow.Message {
	return &streamflow.Message{Subject: "ticks.AAPL", Position: streamflow.Position{Topic: "stock_ticks", Partition: 2, Offset: offset}, Hops: hops}
}

// result is what a function publishes of m.
func resultOf(m *streamflow.Message, function string, number int64) *streamflow.Message {
	return &streamflow.Message{
		Subject: "candles.1m.AAPL", Cause: m.Position, Position: streamflow.Position{Topic: function + ".k3x9", Offset: number},
		Hops: m.Hops + string(streamflow.AppendHop(nil, function, time.Now())),
	}
}

const someHops = "kafka=1763690000123000000;bridge=1763690000124000000;"

// About as many are taken as were asked for, and the greater share takes what
// the smaller one does.
func TestTraceShare(t *testing.T) {
	few, many := streamflow.NewSampler(0.001), streamflow.NewSampler(0.01)
	const n = 1_000_000
	counts := [2]int{}
	for offset := range int64(n) {
		m := tickAt(offset, someHops)
		_, a := few.Trace(m)
		_, b := many.Trace(m)
		if a {
			counts[0]++
		}
		if b {
			counts[1]++
		}
		if a && !b {
			t.Fatalf("offset %d is of the smaller share only", offset)
		}
	}
	for i, want := range []float64{n * 0.001, n * 0.01} {
		if got := float64(counts[i]); math.Abs(got-want) > 5*math.Sqrt(want) {
			t.Errorf("%v were traced, want about %v", got, want)
		}
	}
	for _, c := range []struct {
		share float64
		want  bool
	}{{0, false}, {-1, false}, {math.NaN(), false}, {1, true}, {2, true}} {
		s := streamflow.NewSampler(c.share)
		for offset := range int64(1000) {
			if _, got := s.Trace(tickAt(offset, someHops)); got != c.want {
				t.Fatalf("share %v, offset %d: traced %v", c.share, offset, got)
			}
		}
	}
}

// What comes of a message is of its trace, and names who has made it, though
// nobody was told.
func TestTraceFollowsResults(t *testing.T) {
	all := streamflow.NewSampler(1)
	tick := tickAt(7, someHops)
	a, _ := all.Trace(tick)
	r := resultOf(tick, "candles", 3)
	b, ok := all.Trace(r)
	if !ok || a.ID != b.ID || a.Origin != b.Origin {
		t.Fatalf("tick %v, result %v %v", a, b, ok)
	}
	if got, want := b.Maker(r), a.Taker("candles", tick); got != want {
		t.Errorf("the maker of the result is %x, the function's span is %x", got, want)
	}
	if got, want := a.Maker(tick), a.Span(streamflow.HopBridge, tick.Position); got != want {
		t.Errorf("the maker of the tick is %x, the bridge's span is %x", got, want)
	}
	if a.Taker("candles", tick) == a.Taker("alerts", tick) || b.Taker("reverse-candles", r) == b.Taker("reverse-candles", resultOf(tick, "candles", 4)) {
		t.Error("two hops, or two results, share a span")
	}
	later := tickAt(7, "kafka=1763690000124000000;bridge=1763690000124000000;")
	if c, _ := all.Trace(later); c.ID == a.ID {
		t.Error("another tick at the same position, of a topic made anew, has the same trace")
	}
	for name, m := range map[string]*streamflow.Message{
		"a fact that time has caused": {Subject: "candles.1m.AAPL", Position: streamflow.Position{Topic: "candles.k3x9"}, Hops: "candles=1763690000124000000;"},
		"a message of nobody":         {Subject: "ticks.AAPL"},
		"a tick without hops":         tickAt(1, ""),
	} {
		if _, ok := all.Trace(m); ok {
			t.Errorf("%s is traced", name)
		}
	}
}

// The trace of a producer is gone on with, whatever the share.
func TestTraceOfTheProducer(t *testing.T) {
	const value = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	id, parent, ok := streamflow.ParseTraceparent(value)
	if !ok {
		t.Fatal("the standard's own example is refused")
	}
	if got := (streamflow.Trace{ID: id}).Traceparent(parent); got != value {
		t.Errorf("written as %s", got)
	}
	tick := tickAt(7, streamflow.CarryTrace(id, someHops))
	for _, s := range []streamflow.Sampler{{}, streamflow.NewSampler(1)} {
		got, ok := s.Trace(resultOf(tick, "candles", 3))
		if !ok || got.ID != id || got.Origin != tick.Position {
			t.Errorf("%v %v, want trace %x", got, ok, id)
		}
	}
	if at, ok := streamflow.FindHop(tick.Hops, streamflow.HopBridge); !ok || at.UnixNano() != 1763690000124000000 {
		t.Errorf("the hops cannot be read any more: %v %v", at, ok)
	}
	if hops := streamflow.ParseHops(tick.Hops); len(hops) != 2 {
		t.Errorf("hops %v", hops)
	}
}

func TestTraceparent(t *testing.T) {
	const id, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for value, want := range map[string]bool{
		"00-" + id + "-" + span + "-01":                           true,
		"00-" + id + "-" + span + "-03":                           true,
		"00-" + id + "-" + span + "-00":                           false, // not sampled
		"cc-" + id + "-" + span + "-01-later":                     true,
		"cc-" + id + "-" + span + "-01later":                      false,
		"00-" + id + "-" + span + "-01-later":                     false,
		"ff-" + id + "-" + span + "-01":                           false,
		"0x-" + id + "-" + span + "-01":                           false,
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01": false,
		fmt.Sprintf("00-%032d-%s-01", 0, span):                    false,
		fmt.Sprintf("00-%s-%016d-01", id, 0):                      false,
		"":                                                        false,
		"00-" + id:                                                false,
	} {
		if _, _, ok := streamflow.ParseTraceparent(value); ok != want {
			t.Errorf("%q: %v, want %v", value, ok, want)
		}
	}
}

func FuzzParseTraceparent(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Fuzz(func(t *testing.T, s string) {
		id, parent, ok := streamflow.ParseTraceparent(s)
		if !ok {
			return
		}
		again, same, ok := streamflow.ParseTraceparent((streamflow.Trace{ID: id}).Traceparent(parent))
		if !ok || again != id || same != parent {
			t.Errorf("%q is not what is written of it", s)
		}
	})
}

// BenchmarkTrace is what a message costs that is not traced.
func BenchmarkTrace(b *testing.B) {
	s := streamflow.NewSampler(0.001)
	m := tickAt(0, someHops)
	for b.Loop() {
		m.Position.Offset++
		s.Trace(m)
	}
}
