//go:build cluster && linux

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/infra/kafka"
)

// TestClustersDoctor: of three brokers of Apache Kafka one is stopped, and then
// goes on and may fetch a byte a second only: the doctor names the partitions and
// the broker in both cases, says that nothing can be written where too few are in
// sync, and is content when all have caught up.
func TestClustersDoctor(t *testing.T) {
	c, w := newCluster(t), &ward{t: t}
	doctor := &parse(t, "doctor", "--kafka", c.kafka, "--nats", "nats://"+c.nats, "--database", c.database,
		"--replication", "3", "--watch", "0s", "--data-dir", t.TempDir()).Doctor
	const ticks, brokers = "topic " + streamflow.TopicTicks, "kafka replication"
	told := func(d *diagnosis, checks ...string) bool {
		return slices.ContainsFunc(d.Findings, func(f finding) bool { return slices.Contains(checks, f.Check) })
	}
	whole := func(d *diagnosis) bool {
		return d.is("kafka topics", verdictOK, "are as they should be", "") && !told(d, ticks, brokers)
	}
	w.until("three brokers in step", doctor, whole)

	host := c.leaderIn()
	id, err := strconv.ParseInt(strings.TrimPrefix(host, kindKafka+"-"), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	c.topicSetting("follower.replication.throttled.replicas", "*")
	c.brokerSetting(int32(id), "follower.replication.throttled.rate", "1") // of what is behind already
	c.nodes[host].signal(syscall.SIGSTOP)
	on := fmt.Sprintf("[0 1 2] have replicas that are not in sync, those on broker %d", id)
	w.until("one is away", doctor, func(d *diagnosis) bool {
		return d.is(brokers, verdictFail, "2 brokers cannot hold 3 replicas", "Start more brokers") && d.is(ticks, verdictWarn, on, "whether it is down")
	})
	c.topicSetting("min.insync.replicas", "3")
	w.until("too few are in sync", doctor, func(d *diagnosis) bool {
		return d.is(ticks, verdictFail, "nothing can be written to it: 2 replicas are in sync, and min.insync.replicas is 3", "Start the brokers")
	})
	c.topicSetting("min.insync.replicas", "")

	c.fill(10 << 20)
	c.nodes[host].signal(syscall.SIGCONT)
	d := w.until("it is there, and behind", doctor, func(d *diagnosis) bool {
		return d.is(ticks, verdictWarn, on, "its disk or network too slow") && !told(d, brokers, "kafka broker")
	})
	t.Logf("\n%s", d.text())
	c.brokerSetting(int32(id), "follower.replication.throttled.rate", "")
	c.topicSetting("follower.replication.throttled.replicas", "")
	w.until("it has caught up", doctor, whole)
}

// topicSetting sets something of the topic of ticks; "" takes it away.
func (c *cluster) topicSetting(name, value string) {
	c.t.Helper()
	c.alters(name, value, func(ctx context.Context, admin *kadm.Client, to []kadm.AlterConfig) (kadm.AlterConfigsResponses, error) {
		return admin.AlterTopicConfigs(ctx, to, streamflow.TopicTicks)
	})
}

func (c *cluster) brokerSetting(broker int32, name, value string) {
	c.t.Helper()
	c.alters(name, value, func(ctx context.Context, admin *kadm.Client, to []kadm.AlterConfig) (kadm.AlterConfigsResponses, error) {
		return admin.AlterBrokerConfigs(ctx, to, broker)
	})
}

func (c *cluster) alters(name, value string, do func(context.Context, *kadm.Client, []kadm.AlterConfig) (kadm.AlterConfigsResponses, error)) {
	c.t.Helper()
	alter := kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: kadm.StringPtr(value)}
	if value == "" {
		alter = kadm.AlterConfig{Op: kadm.DeleteConfig, Name: name}
	}
	client := c.asProducer()
	defer client.Close()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	done, err := do(ctx, kadm.NewClient(client), []kadm.AlterConfig{alter})
	for _, r := range done {
		err = errors.Join(err, r.Err)
	}
	if err != nil {
		c.t.Fatalf("set %s to %q: %v", name, value, err)
	}
}

// asProducer connects as the parts do, which leave a broker that hangs.
func (c *cluster) asProducer() *kgo.Client {
	c.t.Helper()
	client, err := kafka.Connect(c.t.Context(), kafka.Config{Brokers: kafka.Brokers(c.kafka)},
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

// fill writes so many bytes into each partition of the ticks.
func (c *cluster) fill(size int) {
	c.t.Helper()
	client := c.asProducer()
	defer client.Close()
	var records []*kgo.Record
	for partition := range int32(streamflow.TickPartitions) {
		for range size >> 16 {
			value := make([]byte, 1<<16)
			_, _ = rand.Read(value)
			records = append(records, &kgo.Record{Topic: streamflow.TopicTicks, Partition: partition, Value: value})
		}
	}
	ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Minute)
	defer cancel()
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		c.t.Fatal(err)
	}
}
