package embedded

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A transaction that a kill has cut off stays aborted, and hides none of those
// after it, however often the server is killed.
func TestKafkaKilledInATransaction(t *testing.T) {
	dir := t.TempDir()
	k := startKafka(t, "127.0.0.1:0", dir)
	createTopic(t, k.Addr(), "tx", nil)
	transact := func(k *Kafka, commit bool, values ...string) {
		c := kafkaClient(t, k.Addr(), kgo.TransactionalID("id"), kgo.DefaultProduceTopic("tx"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		must(t, c.BeginTransaction())
		for i, v := range values {
			must(t, c.ProduceSync(contextOf(t), &kgo.Record{Partition: int32(i % 2), Value: []byte(v)}).FirstErr())
		}
		if commit {
			must(t, c.EndTransaction(contextOf(t), kgo.TryCommit))
		}
	}
	want := []string{"a", "b"}
	transact(k, true, want...)
	for range 3 {
		transact(k, false, "half", "half", "half")
		// What is on the disk now is what a kill leaves.
		next := t.TempDir()
		must(t, os.CopyFS(next, os.DirFS(dir)))
		k, dir = startKafka(t, "127.0.0.1:0", next), next
		for range 2 {
			transact(k, true, "c", "d")
			want = append(want, "c", "d")
		}
		if got := committed(t, k, "tx", len(want)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Fatalf("committed are %q, want %q", got, want)
		}
	}
}

// committed reads n committed records, and what follows soon, in one order.
func committed(t *testing.T, k *Kafka, topic string, n int) (values []string) {
	t.Helper()
	c := kafkaClient(t, k.Addr(), append(fromStart(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(50*time.Millisecond))...)
	defer c.Close()
	ctx := contextOf(t)
	for len(values) < n && ctx.Err() == nil {
		c.PollFetches(ctx).EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	slices.Sort(values)
	return values
}
