//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

const kindWorker = "worker"

// audited are the functions that the audits run, with what stores their results.
var audited = []string{
	streamflow.FunctionCandles, streamflow.FunctionIndicators, streamflow.FunctionAlerts,
	streamflow.FunctionArchiveCandles, streamflow.FunctionArchiveAlerts,
	streamflow.FunctionReverse + "-candles", streamflow.FunctionReverse + "-alerts",
}

// desire writes down, before any worker runs, what the functions should do.
func (w *world) desire(shards int) {
	w.t.Helper()
	data, err := json.Marshal(quickRules)
	if err != nil {
		w.t.Fatal(err)
	}
	rules := filepath.Join(w.dir, "rules.json")
	if err := os.WriteFile(rules, data, 0o644); err != nil {
		w.t.Fatal(err)
	}
	for _, args := range [][]string{
		{"rules", "put", "--wait=0", rules},
		{"functions", "set", "--wait=0", streamflow.FunctionAlerts, quickSettings},
		{"functions", "scale", "--wait=0", streamflow.FunctionCandles, strconv.Itoa(shards)},
	} {
		if out, code := w.run(args...); code != 0 {
			w.t.Fatalf("%v exits %d:\n%s", args, code, out)
		}
	}
}

// quickFeed writes the ticks of a quick market to Kafka.
type quickFeed struct {
	client *kgo.Client
	market *quickMarket
	stop   context.CancelFunc
	done   chan struct{}
}

func (w *world) feed(seed uint64, rate int) *quickFeed {
	w.t.Helper()
	client, err := kgo.NewClient(
		w.brokers(), kgo.DefaultProduceTopic("stock_ticks"), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.MaxBufferedRecords(5000), kgo.ProducerLinger(2*time.Millisecond), kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }),
	)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	f := &quickFeed{client: client, market: newQuickMarket(seed), stop: stop, done: make(chan struct{})}
	w.t.Cleanup(func() { stop(); <-f.done; client.Close() })
	go func() {
		defer close(f.done)
		f.send(ctx, f.market.silent())
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for sent := 0; ctx.Err() == nil; {
			for ; float64(sent) < time.Since(f.market.began).Seconds()*float64(rate); sent++ {
				f.send(ctx, f.market.tick())
			}
			select {
			case <-ctx.Done():
			case <-ticker.C:
			}
		}
	}()
	return f
}

// send hands a tick to the client. Whether it got there Kafka's log tells.
func (f *quickFeed) send(ctx context.Context, t streamflow.Tick) {
	f.client.Produce(context.WithoutCancel(ctx), &kgo.Record{Key: []byte(t.Symbol), Value: t.AppendJSON(nil)}, nil)
}

func (f *quickFeed) finish(t *testing.T) {
	t.Helper()
	f.stop()
	<-f.done
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := f.client.Flush(ctx); err != nil {
		t.Fatalf("the feed still waits for answers: %v", err)
	}
}

// logged returns Kafka's log as the functions should see it.
func (w *world) logged() (messages []streamflow.Message) {
	w.t.Helper()
	for partition, records := range w.kafkaLog("stock_ticks") {
		for _, r := range records {
			messages = append(messages, streamflow.Message{
				Subject: streamflow.TickSubject(string(r.Key)), Data: r.Value,
				Position: streamflow.Position{Topic: "stock_ticks", Partition: partition, Offset: r.Offset}, Previous: r.Offset - 1,
				Hops: string(streamflow.AppendHop(nil, streamflow.HopKafka, r.Timestamp)),
			})
		}
	}
	return messages
}

// everywhere compares with an undisturbed run what the functions have published,
// what of it was stored, and what was brought back to Kafka.
func (w *world) everywhere(want *wanted) (all factsOfAll, amended int, wrong *faults) {
	w.t.Helper()
	all = w.allFacts()
	if wrong, amended, _ = all.compare(w.t, want); wrong.n == 0 {
		w.storedCandles(wrong, want)
		w.storedAlerts(wrong, want)
		w.returnedFacts(wrong, streamflow.TopicCandles, all.candles)
		w.returnedFacts(wrong, streamflow.TopicAlerts, all.alerts)
	}
	return all, amended, wrong
}

// everywhereAs waits until all of that is as in the undisturbed run.
func (w *world) everywhereAs(want *wanted) {
	w.t.Helper()
	var wrong *faults
	w.await("all is as in an undisturbed run", 4*time.Minute, func() bool {
		_, _, wrong = w.everywhere(want)
		return wrong.n == 0
	}, func() string { return wrong.String() })
}

// TestFunctionsSurviveCrashes kills workers, servers and the bridge at random
// moments while candles, indicators and alerts are made, and then compares all
// that was published, stored, and brought back to Kafka with an undisturbed run
// over the same ticks.
//
//	STREAMFLOW_AUDIT_KILLS=200 go test -run TestFunctionsSurviveCrashes ./cmd/streamflow
func TestFunctionsSurviveCrashes(t *testing.T) {
	seed := envNumber(t, "STREAMFLOW_AUDIT_SEED", uint64(time.Now().UnixNano()))
	kills := int(envNumber(t, "STREAMFLOW_AUDIT_KILLS", 24))
	t.Logf("STREAMFLOW_AUDIT_SEED=%d", seed)
	began := time.Now()
	w := newWorld(t)
	k := &killer{w: w, r: rand.New(rand.NewPCG(seed, 1)), children: w.servers(), by: make(map[string]int)}
	w.desire(3)
	k.children[kindBridge] = w.start(kindBridge, kindBridge)
	k.kinds = []string{kindKafka, kindNATS, kindPostgres, kindBridge}
	for i := range 3 {
		name := fmt.Sprintf("%s-%d", kindWorker, i+1)
		k.children[name] = w.start(kindWorker, name, audited...)
		k.kinds = append(k.kinds, name)
	}
	f := w.feed(seed, 300)
	w.await("the first candles", 2*time.Minute, func() bool { return len(w.facts(streamflow.StreamCandles)) > 100 })
	for k.done < kills {
		k.strike()
	}
	f.finish(t)
	written := time.Since(began)
	want := undisturbed(t, w.logged())
	w.everywhereAs(want)
	for i := range 3 {
		k.children[fmt.Sprintf("%s-%d", kindWorker, i+1)].stop(syscall.SIGTERM)
	}
	all, amended, wrong := w.everywhere(want)
	if wrong.n > 0 {
		t.Fatalf("when the workers left: %s", wrong)
	}
	t.Logf("%d kills (%s), of which %d two at once and %d within 300 ms of a start; %d late ticks; equal to the batch: %d candles (%d facts, %d of them amendments), %d indicators (%d facts), %d alerts; %.0f s, of which %.0f s to catch up and check",
		k.done, k, k.twice, k.early, f.market.late, len(want.candles), len(all.candles), amended, len(want.values), len(all.indicators), len(all.alerts),
		time.Since(began).Seconds(), (time.Since(began) - written).Seconds())
}
