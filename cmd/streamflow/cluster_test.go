//go:build cluster && linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// causes notes of which ticks there are candles.
type causes struct {
	mu     sync.Mutex
	newest map[int32]int64 // by partition
}

// watchCandles begins to note them, at each node: one of them may be out of reach.
func (c *cluster) watchCandles() {
	c.t.Helper()
	c.candles = &causes{newest: make(map[int32]int64)}
	for _, host := range nodesOf(kindNATS) {
		c.watchAt(host)
	}
}

// watchAt has the library's ordered consumer overcome whatever happens.
func (c *cluster) watchAt(host string) {
	c.t.Helper()
	ordered, err := c.natsAt(host+":4222").OrderedConsumer(c.t.Context(), streamflow.StreamCandles, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{streamflow.SubjectAllCandles}, HeadersOnly: true,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	in, err := ordered.Consume(func(m jetstream.Msg) {
		if at, ok := parsePosition(m.Headers().Get(streamflow.HeaderPosition)); ok && m.Headers().Get(streamflow.HeaderOutput) != "" {
			c.candles.mu.Lock()
			defer c.candles.mu.Unlock()
			c.candles.newest[at.partition] = max(c.candles.newest[at.partition], at.offset)
		}
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(in.Stop)
}

func (c *causes) reached(first map[int32]ack) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for partition, a := range first {
		if c.newest[partition] < a.offset {
			return false
		}
	}
	return true
}

// quickSpecs makes the ticks of a quick market, always with their symbol as key:
// what follows from them does not depend on how partitions interleave.
func quickSpecs(seed uint64) func(*rand.Rand, int) spec {
	m := newQuickMarket(seed)
	m.origin = m.origin.Add(-10 * time.Hour) // its quick clock must not overtake ours
	return func(_ *rand.Rand, n int) spec {
		tick := m.silent()
		if n > 0 {
			tick = m.tick()
		}
		return specOf(tick)
	}
}

func specOf(t streamflow.Tick) spec {
	return spec{key: []byte(t.Symbol), value: t.AppendJSON(nil), symbol: t.Symbol, price: t.Price, volume: t.Volume, time: t.Time}
}

// lastTicks sends of each symbol a tick of now, hours after all others: they
// close every candle of those, which would else wait for the clock, as that of
// the silent symbol has.
func (p *producer) lastTicks() {
	p.stop()
	<-p.done
	open := slices.Clone(quickSymbols)
	p.good = func(*rand.Rand, int) spec {
		tick := streamflow.Tick{Symbol: open[0], Price: 100, Volume: 1, Time: time.Now().UTC().Truncate(time.Millisecond)}
		open = open[1:]
		return specOf(tick)
	}
	for r := rand.New(rand.NewPCG(0, 0)); len(open) > 0; {
		p.one(context.Background(), r)
	}
}

// messages are the good ticks of Kafka's log as the functions should see them.
func (a *audit) messages() (messages []streamflow.Message) {
	for partition, records := range a.log {
		previous := int64(-1)
		for _, r := range records {
			s := a.good[place{partition, r.Offset}]
			if s == nil {
				continue
			}
			messages = append(messages, streamflow.Message{
				Subject: streamflow.TickSubject(s.symbol), Data: r.Value, Previous: previous,
				Position: streamflow.Position{Topic: streamflow.TopicTicks, Partition: partition, Offset: r.Offset},
				Hops:     string(streamflow.AppendHop(nil, streamflow.HopKafka, r.Timestamp)),
			})
			previous = r.Offset
		}
	}
	return messages
}

// TestClusters has three brokers of Apache Kafka and three nodes of NATS carry
// good and bad ticks, takes one of them away in every way that a machine can go,
// restarts all of it one by one, and then counts as the crash audits do: every
// good tick is in TICKS once, in the order of its partition, and in stock_ticks
// once; every bad one in DLQ once and in stock_ticks_dlq once; candles,
// indicators and alerts are those of an undisturbed run. It prints how long it
// took after each fault until ticks came through again.
//
//	go tool task test:cluster
//	STREAMFLOW_AUDIT_SEED=...  repeats the choices of a run, not its timing
func TestClusters(t *testing.T) {
	began := time.Now()
	seed := envNumber(t, "STREAMFLOW_AUDIT_SEED", uint64(began.UnixNano()))
	t.Logf("STREAMFLOW_AUDIT_SEED=%d", seed)
	c := newCluster(t)
	t.Logf("the clusters are whole after %.0f s", time.Since(began).Seconds())
	c.desire(3)
	parts := c.parts()
	c.watchCandles()
	p := c.produceOf(seed, 300, quickSpecs(seed))
	c.recovers(p, &recovery{fault: "the first ticks", at: began})
	all := c.faults(p)
	all = append(all, c.rolling(p, parts)...)
	p.lastTicks()
	p.finish(t)
	stopped := time.Now()
	a := c.settled(p, fmt.Sprintf("after all faults, STREAMFLOW_AUDIT_SEED=%d", seed))
	want := undisturbed(t, a.messages())
	c.everywhereAs(want)
	c.times(all)
	t.Logf("time from the fault until a tick of each partition that was produced after it is there:\n%s", table(all))
	t.Logf("%d ticks and %d dead letters, each once; %d candles, %d indicators and %d alerts as in an undisturbed run; fenced commits: %s; %.0f s, of which %.0f s to catch up and check",
		len(a.good), len(a.bad), len(want.candles), len(want.values), len(want.alerts), c.fences(parts), time.Since(began).Seconds(), time.Since(stopped).Seconds())
}

// parts starts the parts of the program, two of each that may be doubled.
func (c *cluster) parts() (parts []*child) {
	c.t.Helper()
	stores := append([]string{streamflow.FunctionArchive, streamflow.FunctionDeadLetter}, audited[3:]...)
	for _, n := range []string{"1", "2"} {
		parts = append(parts, c.start(kindBridge, "bridge-"+n),
			c.start(kindWorker, "functions-"+n, audited[:3]...), c.start(kindWorker, "stores-"+n, stores...))
	}
	return append(parts, c.start("api", "api"))
}

// faults takes a node away in each way, the one on which most depends.
func (c *cluster) faults(p *producer) (all []*recovery) {
	c.t.Helper()
	kinds := []struct {
		what       string
		harm, heal func(host string)
	}{
		{"killed", func(h string) { c.nodes[h].stop(syscall.SIGKILL) }, func(h string) { c.nodes[h].resume() }},
		{"cut off", c.net.cut, c.net.mend},
		{"paused", func(h string) { c.nodes[h].signal(syscall.SIGSTOP) }, func(h string) { c.nodes[h].signal(syscall.SIGCONT) }},
		{"cut off from its peers alone", func(h string) { c.net.part(h, c.peers(h)) }, func(h string) { c.net.rejoin(h, c.peers(h)) }},
	}
	for _, k := range kinds {
		broker := c.leaderIn()
		all = append(all, c.strike(p, "Kafka broker "+k.what, func() { k.harm(broker) }, func() { k.heal(broker) }))
		node := c.leaderOf(streamflow.StreamTicks)
		all = append(all, c.strike(p, "NATS leader of TICKS "+k.what, func() { k.harm(node) }, func() { k.heal(node) }))
	}
	return all
}

// peers are the other nodes of a host's cluster.
func (c *cluster) peers(host string) []string {
	return slices.DeleteFunc(nodesOf(c.nodes[host].kind), func(h string) bool { return h == host })
}

// rolling restarts every process, each when the clusters are whole again, and
// returns the slowest recovery of each kind.
func (c *cluster) rolling(p *producer, parts []*child) (worst []*recovery) {
	c.t.Helper()
	order := []*child{c.keeper}
	for _, host := range slices.Concat(nodesOf(kindKafka), nodesOf(kindNATS)) {
		order = append(order, c.nodes[host])
	}
	for _, one := range append(order, parts...) {
		r := c.strike(p, "rolling restart: "+one.name, func() { one.stop(syscall.SIGTERM); one.resume() }, nil)
		kind, _, _ := strings.Cut(r.fault, "-")
		r.fault = kind
		if i := slices.IndexFunc(worst, func(o *recovery) bool { return o.fault == kind }); i < 0 {
			worst = append(worst, r)
		} else if r.postgres > worst[i].postgres {
			worst[i] = r
		}
	}
	return worst
}

// fences counts the commits that were refused, which are what the fences are for.
func (c *cluster) fences(parts []*child) string {
	n := 0
	for _, part := range parts {
		n += part.logged("fenced") + part.logged("wrong last sequence")
	}
	return fmt.Sprint(n)
}
