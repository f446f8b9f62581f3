package kafka_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow/infra/kafka"
	"streamflow/infra/kafka/kafkatest"
)

func transactor(t *testing.T, c kafka.Config, id, topic string) *kafka.Transactor {
	t.Helper()
	tx := kafka.NewTransactor(c, id, topic, "Ingest")
	t.Cleanup(tx.Close)
	return tx
}

func batchOf(n int) []*kgo.Record {
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = &kgo.Record{Key: fmt.Append(nil, "k", i), Value: fmt.Append(nil, i)}
	}
	return records
}

// Whoever comes next learns whether the last transaction was committed, also
// where others have written since, and fences who was there before.
func TestTransactorTellsWhatWasCommitted(t *testing.T) {
	c := kafka.Config{Brokers: kafkatest.Start(t)}
	client := kafkatest.Client(t, c.Brokers)
	topic := kafkatest.Topic(t, "tx")
	kafkatest.Create(t, client, topic, 3)
	first := transactor(t, c, topic, topic)
	if _, err := first.Open(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	before, err := first.Ends(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Commit(t.Context(), batchOf(50), "a/1"); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: fmt.Append(nil, "other", i)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	second := transactor(t, c, topic, topic)
	for mark, want := range map[string]bool{"a/1": true, "a/2": false, "b/1": false} {
		if found, err := second.Open(t.Context(), mark, before); err != nil || found != want {
			t.Errorf("mark %s: %v, %v, want %v", mark, found, err, want)
		}
	}
	if err := first.Commit(t.Context(), batchOf(5), "a/2"); err == nil {
		t.Error("who was fenced commits")
	}
	if found, err := second.Open(t.Context(), "a/2", before); err != nil || found {
		t.Errorf("what a fenced writer sent is found: %v, %v", found, err)
	}
	if err := second.Commit(t.Context(), batchOf(5), "a/2"); err != nil {
		t.Error(err)
	}
}

// Where the topic has deleted what would tell, nobody guesses.
func TestTransactorSaysWhenItCannotTell(t *testing.T) {
	c := kafka.Config{Brokers: kafkatest.Start(t)}
	client := kafkatest.Client(t, c.Brokers)
	topic := kafkatest.Topic(t, "tx")
	kafkatest.Create(t, client, topic, 1)
	tx := transactor(t, c, topic, topic)
	if _, err := tx.Open(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context(), batchOf(5), "a/1"); err != nil {
		t.Fatal(err)
	}
	gone := kadm.Offsets{}
	gone.Add(kadm.Offset{Topic: topic, Partition: 0, At: 6})
	if deleted, err := kadm.NewClient(client).DeleteRecords(t.Context(), gone); err != nil || deleted.Error() != nil {
		t.Fatal(err, deleted.Error())
	}
	if _, err := tx.Open(t.Context(), "a/1", map[int32]int64{0: 0}); !errors.Is(err, kafka.ErrMarkGone) {
		t.Errorf("%v, want %v", err, kafka.ErrMarkGone)
	}
	// A topic that was made anew holds nothing of it, and that is known.
	if found, err := tx.Open(t.Context(), "a/1", map[int32]int64{0: 100}); err != nil || found {
		t.Errorf("%v, %v", found, err)
	}
}
