package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"streamflow"
)

func TestPipeline(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, func(c *Config) {
		w.join(c)
		c.Checks = []Check{{"kafka", func(context.Context) (string, error) { return "fine", nil }}, {"nats", func(context.Context) (string, error) { return "", errAway }}}
	})
	at := time.Now()
	for i := range 20 {
		g.feed.put(g.tick("AAPL", float64(100+i), 1, at))
	}
	eventually(t, "the ticks are in", func() bool { return g.pipeline.taken.Load() > 0 })
	var v Pipeline
	if status, text := g.call(t, "GET", "/api/pipeline", "", &v); status != 200 {
		t.Fatal(status, text)
	}
	if len(v.Stages) != len(streamflow.Flow.Stages) || len(v.Edges) == 0 || len(v.Health) != 2 || !v.Health[0].OK || v.Health[1].OK || len(v.Faults) != 0 {
		t.Errorf("%+v", v)
	}
	if v.Database == nil || v.Database.Bytes != 1000 || *v.Database.Stored != 7 || v.Database.RowsPerSecond != nil || v.Kafka == nil || v.Streams == nil {
		t.Errorf("%+v", v.Database)
	}
	hops := map[string]PipelineHop{}
	for _, h := range v.Hops {
		hops[h.Name] = h
	}
	if h := hops["bridge"]; *h.Lag != 2 || h.Rate != nil || h.P50 == nil || *h.P50 != 1 || h.From != "kafka" || h.Samples == 0 {
		t.Errorf("bridge %+v", h)
	}
	if h := hops["archive"]; *h.Lag != 7 || h.Rate != nil {
		t.Errorf("archive %+v", h)
	}
	if h := hops["candles"]; *h.Lag != 2 || *h.Rate != 15 {
		t.Errorf("candles %+v", h)
	}
	w.fail(errAway)
	time.Sleep(gaugeEvery)
	if status, text := g.call(t, "GET", "/api/pipeline", "", &v); status != 200 || strings.Count(text, "connection refused") < 3 || strings.Contains(text, `"kafka":{`) {
		t.Errorf("away: %d %s", status, text)
	}
	var m PipelineMessage
	if err := json.Unmarshal(g.Pipeline(), &m); err != nil || len(m.Hops) < 4 || len(m.Faults) == 0 {
		t.Errorf("%v %+v", err, m)
	}
}

// Who subscribes to "pipeline" is told once a second.
func TestPipelineOnTheWebsocket(t *testing.T) {
	w := newFakeWorld()
	g := newRig(t, w.join)
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(g.url, "http")+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"subscribe":["pipeline"]}`)); err != nil {
		t.Fatal(err)
	}
	for told := 0; told < 2; {
		_ = conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
		_, frame, err := conn.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Subject string
			Data    PipelineMessage
		}
		if json.Unmarshal(frame, &m) == nil && m.Subject == "pipeline" {
			if told++; len(m.Data.Hops) < 4 {
				t.Errorf("%s", frame)
			}
		}
	}
}

func TestHopsOfResultsAreSampled(t *testing.T) {
	p := newPipeline(&Config{})
	at := time.Now()
	hops := fmt.Sprintf("kafka=%d;bridge=%d;candles=%d;", at.UnixNano(), at.Add(time.Millisecond).UnixNano(), at.Add(4*time.Millisecond).UnixNano())
	p.Apply(streamflow.StreamCandles, []streamflow.Message{{Hops: hops}, {Hops: "broken"}, {}})
	h := PipelineHop{}
	p.latencies["candles"].show(&h, at)
	if *h.P99 != 3 || *h.TotalP50 != 4 || h.From != "bridge" || h.Samples != 1 {
		t.Errorf("%+v", h)
	}
}

func TestGauge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, wait := 0, time.Duration(0)
		g := newGauge("x", time.Second, func(ctx context.Context, before *reading[int]) (int, error) {
			n++
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-time.After(wait):
				return before.value + 1, nil
			}
		})
		var faults []PipelineFault
		g.measure(t.Context())
		g.measure(t.Context()) // still young
		if r := g.read(&faults); r.value != 1 || n != 1 || faults != nil {
			t.Errorf("%+v after %d", r, n)
		}
		time.Sleep(stale + time.Second)
		if r := g.read(&faults); r != nil {
			t.Errorf("a stale reading is shown: %+v", r)
		}
		wait = time.Hour
		began := time.Now()
		short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if g.measure(short); time.Since(began) != 100*time.Millisecond {
			t.Errorf("who looks was held up for %s", time.Since(began))
		}
		g.measure(t.Context())
		if r := g.read(&faults); r != nil || len(faults) != 1 || !strings.Contains(faults[0].Error, "no answer within 3s") {
			t.Errorf("%+v %+v", r, faults)
		}
	})
}

func TestThroughput(t *testing.T) {
	began := time.Unix(1000, 5)
	p := newThroughput(began)
	p.add(time.Unix(1000, 9), 7) // its second is not whole
	p.add(time.Unix(1001, 0), 3)
	p.add(time.Unix(1001, 9), 4)
	p.add(time.Unix(1003, 0), 1)
	if got := fmt.Sprint(p.points(time.Unix(1003, 5), 600)); got != fmt.Sprint([]ThroughputPoint{{time.Unix(1001, 0).UTC(), 7}, {time.Unix(1002, 0).UTC(), 0}}) {
		t.Errorf("points %s", got)
	}
	if r := p.rate(time.Unix(1003, 5)); *r != 3.5 {
		t.Errorf("rate %v", *r)
	}
	if r := newThroughput(began); r.rate(began) != nil {
		t.Error("a rate of nothing")
	}
	if got := p.points(time.Unix(5000, 0), 599); len(got) != 599 || got[0].PerSecond != 0 {
		t.Errorf("%d points", len(got))
	}
}
