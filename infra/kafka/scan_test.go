package kafka

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow/infra/kafka/kafkatest"
)

// transact writes values to partition 0 in one transaction.
func transact(t *testing.T, c Config, topic string, how kgo.TransactionEndTry, values ...string) {
	t.Helper()
	client := begin(t, c, topic, values...)
	if err := client.EndTransaction(t.Context(), how); err != nil {
		t.Fatal(err)
	}
}

// begin leaves the transaction open.
func begin(t *testing.T, c Config, topic string, values ...string) *kgo.Client {
	t.Helper()
	client := kafkatest.Client(t, c.Brokers, kgo.TransactionalID(kafkatest.Topic(t, "tx")), kgo.DefaultProduceTopic(topic))
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		if err := client.ProduceSync(t.Context(), kgo.StringRecord(v)).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return client
}

func scanned(t *testing.T, client *kgo.Client, topic string, upTo map[int32]int64) []string {
	t.Helper()
	var got []string
	if err := Scan(t.Context(), client, topic, upTo, func(r *kgo.Record) error {
		got = append(got, string(r.Value))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestScanEndsBehindWhatIsNotSeen: markers, aborted records, open transactions.
func TestScanEndsBehindWhatIsNotSeen(t *testing.T) {
	client, c := connect(t)
	topic := kafkatest.Topic(t, "scan")
	kafkatest.Create(t, client, topic, 1)
	// A transaction is decided a little after it was ended: when its marker
	// stands, which moves the end.
	check := func(what string, stable int64, want ...string) {
		t.Helper()
		var end map[int32]int64
		for end[0] != stable {
			var err error
			if _, end, err = Marks(t.Context(), client, topic); err != nil || end[0] > stable {
				t.Fatalf("%s: the end is %v, %v; want %d", what, end, err, stable)
			}
		}
		if got := scanned(t, client, topic, end); !slices.Equal(got, want) {
			t.Errorf("%s: %q up to %v, want %q", what, got, end, want)
		}
	}
	check("an empty topic", 0)
	transact(t, c, topic, kgo.TryAbort, "no")
	check("an aborted transaction alone", 2)
	transact(t, c, topic, kgo.TryCommit, "a", "b")
	check("a marker at the end", 5, "a", "b")
	transact(t, c, topic, kgo.TryAbort, "no", "no")
	check("aborted at the end", 8, "a", "b")

	// The last offset below the open transaction belongs to an aborted one
	// whose marker comes later: to a consumer there is nothing at the end at all.
	doomed := begin(t, c, topic, "doomed")
	open := begin(t, c, topic, "open")
	if err := doomed.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	check("an open transaction at the end", 9, "a", "b")
	if err := open.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	check("after it is decided", 12, "a", "b", "open")
	if got := scanned(t, client, topic, map[int32]int64{0: 4}); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("up to offset 4: %q", got)
	}
}

func TestScanStartsWhereTheLogDoes(t *testing.T) {
	client, c := connect(t)
	topic := kafkatest.Topic(t, "trimmed")
	kafkatest.Create(t, client, topic, 2)
	p := kafkatest.Client(t, c.Brokers, kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for i := range 10 {
		r := kgo.StringRecord(fmt.Sprint(i))
		r.Partition = int32(i % 2)
		if err := p.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	trim := make(kadm.Offsets)
	trim.AddOffset(topic, 0, 5, -1) // all of it
	trim.AddOffset(topic, 1, 3, -1)
	if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), trim); err != nil {
		t.Fatal(err)
	}
	start, end, err := Marks(t.Context(), client, topic)
	if err != nil || start[0] != 5 || start[1] != 3 || end[0] != 5 || end[1] != 5 {
		t.Fatalf("from %v to %v, %v", start, end, err)
	}
	if got := scanned(t, client, topic, end); !slices.Equal(got, []string{"7", "9"}) {
		t.Errorf("%q, want 7 and 9", got)
	}
}

func TestScanEndsWithAnError(t *testing.T) {
	client, c := connect(t)
	topic := kafkatest.Topic(t, "errors")
	if _, _, err := Marks(t.Context(), client, topic); !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("%v, want that there is no such topic", err)
	}
	kafkatest.Create(t, client, topic, 1)
	p := kafkatest.Client(t, c.Brokers, kgo.DefaultProduceTopic(topic))
	if err := p.ProduceSync(t.Context(), kgo.StringRecord("x")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	if err := Scan(t.Context(), client, topic, map[int32]int64{0: 1}, func(*kgo.Record) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("%v, want fn's error", err)
	}
	if err := Scan(t.Context(), client, topic, map[int32]int64{7: 1}, nil); !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("%v, want that there is no such partition", err)
	}
}
