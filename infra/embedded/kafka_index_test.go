package embedded

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// An index that a power cut has left behind its segment is written anew: what a
// transaction has not committed stays unseen, and what comes later has its entry
// where it belongs.
func TestKafkaWritesALostIndexAnew(t *testing.T) {
	dir := t.TempDir()
	k := startKafka(t, "127.0.0.1:0", dir)
	createTopic(t, k.Addr(), "tx", nil)
	var want []string
	write := func(how kgo.TransactionEndTry, values ...string) {
		c := kafkaClient(t, k.Addr(), kgo.TransactionalID("id"), kgo.DefaultProduceTopic("tx"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		must(t, c.BeginTransaction())
		for i, v := range values {
			must(t, c.ProduceSync(contextOf(t), &kgo.Record{Partition: int32(i % 2), Value: []byte(v)}).FirstErr())
		}
		must(t, c.EndTransaction(contextOf(t), how))
		plain := kafkaClient(t, k.Addr(), kgo.DefaultProduceTopic("tx"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		must(t, plain.ProduceSync(contextOf(t), kgo.StringRecord("plain")).FirstErr())
		if want = append(want, "plain"); how == kgo.TryCommit {
			want = append(want, values...)
		}
	}
	for round, keep := range []int{0, 1, 2, 3} {
		write(kgo.TryCommit, "a", "b", "c")
		write(kgo.TryAbort, "not", "these", "three")
		next := t.TempDir()
		must(t, os.CopyFS(next, os.DirFS(dir)))
		indexes, err := filepath.Glob(filepath.Join(next, "partitions", "*", "*.idx"))
		must(t, err)
		lost := 0
		for _, path := range indexes {
			before, err := os.ReadFile(path)
			must(t, err)
			if len(before) == 0 {
				continue
			}
			if wrote, err := completeIndex(path[:len(path)-3]+"dat", path); err != nil || wrote {
				t.Errorf("round %d: the index that kfake has written says something else than its segment (%v)", round, err)
			}
			must(t, os.WriteFile(path, before[:min(keep*indexEntryBytes+keep, len(before))], 0o644))
			lost++
		}
		if lost < 2 {
			t.Fatalf("%d indexes", lost)
		}
		k, dir = startKafka(t, "127.0.0.1:0", next), next
		if got := committed(t, k, "tx", len(want)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Fatalf("round %d: committed are %q, want %q", round, got, want)
		}
	}
}

func FuzzIndexOf(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, batchHeadBytes))
	f.Fuzz(func(t *testing.T, segment []byte) {
		path := filepath.Join(t.TempDir(), "0.dat")
		must(t, os.WriteFile(path, segment, 0o644))
		entries, err := indexOf(path)
		if err != nil || len(entries)*batchHeadBytes > len(segment) {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
	})
}
