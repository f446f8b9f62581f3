package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// contextOf bounds what a test does.
func contextOf(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func startKafka(t *testing.T, addr, dir string) *Kafka {
	t.Helper()
	k, err := StartKafka(KafkaConfig{Addr: addr, Dir: dir, Logger: testLog(t)})
	must(t, err)
	t.Cleanup(func() { must(t, k.Close()) })
	return k
}

func kafkaClient(t *testing.T, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addr)}, opts...)...)
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

func createTopic(t *testing.T, addr, topic string, config map[string]*string) {
	t.Helper()
	_, err := kadm.NewClient(kafkaClient(t, addr)).CreateTopic(contextOf(t), 3, 1, config, topic)
	must(t, err)
}

func record(topic string, partition int32, i int) *kgo.Record {
	return &kgo.Record{Topic: topic, Partition: partition, Value: fmt.Appendf(nil, "%d", i)}
}

// produce writes n records, round the partitions, and waits for all acks.
func produce(t *testing.T, addr, topic string, n int) {
	t.Helper()
	c := kafkaClient(t, addr, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer c.Close()
	for i := range n {
		must(t, c.ProduceSync(contextOf(t), record(topic, int32(i%3), i)).FirstErr())
	}
}

// consume reads n records from the start and fails if there are more.
func consume(t *testing.T, addr string, n int, opts ...kgo.Opt) {
	t.Helper()
	c := kafkaClient(t, addr, append(opts, kgo.FetchMaxWait(100*time.Millisecond))...)
	defer c.Close()
	ctx := contextOf(t)
	seen := make(map[string]bool)
	for len(seen) < n {
		fs := c.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			t.Fatalf("after %d records of %d: %v", len(seen), n, err)
		}
		fs.EachRecord(func(r *kgo.Record) { seen[fmt.Sprintf("%d/%d", r.Partition, r.Offset)] = true })
	}
	if len(seen) != n {
		t.Fatalf("consumed %d records, want %d", len(seen), n)
	}
}

func fromStart(topic string) []kgo.Opt {
	return []kgo.Opt{kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}
}

func TestKafkaSurvivesKill(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"kafka", "kafka-nosync"} {
		dir := t.TempDir()
		c := startChild(t, kind, dir)
		createTopic(t, c.where, "ticks", nil)
		produce(t, c.where, "ticks", 100)
		c.kill()

		c = startChild(t, kind, dir) // after a kill
		consume(t, c.where, 100, fromStart("ticks")...)
		produce(t, c.where, "ticks", 50)
		c.stop()

		k := startKafka(t, "127.0.0.1:0", dir) // after an orderly stop
		consume(t, k.Addr(), 150, fromStart("ticks")...)
	}
}

func TestKafkaKeepsPortAndGroups(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k := startKafka(t, "127.0.0.1:0", dir)
	addr := k.Addr()
	createTopic(t, addr, "ticks", nil)
	produce(t, addr, "ticks", 30)
	c := kafkaClient(t, addr, append(fromStart("ticks"), kgo.ConsumerGroup("g"))...)
	for n := 0; n < 30; {
		fs := c.PollFetches(contextOf(t))
		must(t, fs.Err())
		n += fs.NumRecords()
	}
	must(t, c.CommitUncommittedOffsets(contextOf(t)))
	c.Close()
	must(t, k.Close())

	k = startKafka(t, addr, dir)
	if k.Addr() != addr {
		t.Errorf("address is %s, want %s", k.Addr(), addr)
	}
	lag, err := kadm.NewClient(kafkaClient(t, addr)).Lag(contextOf(t), "g")
	must(t, err)
	must(t, lag.Error())
	if n := lag["g"].Lag.Total(); n != 0 {
		t.Errorf("lag after restart is %d, want 0", n)
	}
}

func TestKafkaTransactionsSurviveKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startChild(t, "kafka", dir)
	createTopic(t, c.where, "dlq", nil)
	transact := func(addr string, n int, end kgo.TransactionEndTry) {
		t.Helper()
		p := kafkaClient(t, addr, kgo.TransactionalID("tx"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		must(t, p.BeginTransaction())
		for i := range n {
			must(t, p.ProduceSync(contextOf(t), record("dlq", int32(i%3), i)).FirstErr())
		}
		must(t, p.EndTransaction(contextOf(t), end))
		p.Close()
	}
	committed := append(fromStart("dlq"), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	transact(c.where, 9, kgo.TryCommit)
	transact(c.where, 9, kgo.TryAbort)
	// One is open when the broker dies.
	p := kafkaClient(t, c.where, kgo.TransactionalID("open"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	must(t, p.BeginTransaction())
	must(t, p.ProduceSync(contextOf(t), record("dlq", 0, 0)).FirstErr())
	c.kill()
	p.Close()

	c = startChild(t, "kafka", dir)
	consume(t, c.where, 9, committed...)
	transact(c.where, 6, kgo.TryCommit)
	consume(t, c.where, 15, committed...)
	c.stop()

	c = startChild(t, "kafka", dir)
	transact(c.where, 3, kgo.TryCommit)
	consume(t, c.where, 18, committed...)
}

func TestKafkaAddrInUse(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	addr := ln.Addr().String()
	_, err = StartKafka(KafkaConfig{Addr: addr, Dir: t.TempDir()})
	wants(t, err, "Kafka", addr, "--kafka-addr", "KAFKA_BOOTSTRAP_SERVERS")
	_, err = StartNATS(NATSConfig{Addr: addr, Dir: t.TempDir()})
	wants(t, err, "NATS", addr, "--nats-addr", "NATS_URL")
	_, err = StartPostgres(contextOf(t), PostgresConfig{Addr: addr, Dir: filepath.Join(t.TempDir(), "pg")})
	wants(t, err, "PostgreSQL", addr, "--postgres-addr", "DATABASE_URL")
	if !errors.Is(err, ErrAddrInUse) {
		t.Errorf("%v is not ErrAddrInUse", err)
	}
}

func TestKafkaListensEverywhereAndAdvertisesAName(t *testing.T) {
	t.Parallel()
	k := startKafka(t, "0.0.0.0:0", t.TempDir())
	host, port, err := net.SplitHostPort(k.Addr())
	must(t, err)
	if host == "0.0.0.0" || host == "::" {
		t.Errorf("advertises %s", host)
	}
	createTopic(t, net.JoinHostPort("127.0.0.1", port), "ticks", nil)
	produce(t, net.JoinHostPort("127.0.0.1", port), "ticks", 3)
}
