package kafka

import (
	"fmt"
	"net"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestKafkaGoesAndComesBack under a producer that goes on: every record is there
// in the end, once and in order. A Kafka in process can be stopped at will.
func TestKafkaGoesAndComesBack(t *testing.T) {
	l := listen(t, nil)
	_, text, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	port, _ := strconv.Atoi(text)
	dir := t.TempDir()
	start := func() *kfake.Cluster {
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port), kfake.DataDir(dir), kfake.SyncWrites())
		if err != nil {
			t.Fatal(err)
		}
		return cluster
	}
	cluster := start()
	c := Config{Brokers: []string{l.Addr().String()}}
	client, err := Connect(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := EnsureTopics(t.Context(), client, []Topic{{Name: "ticks", Partitions: 1}}); err != nil {
		t.Fatal(err)
	}
	p, err := NewProducer(t.Context(), c, "ticks")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	const each = 5_000
	for round := range 4 {
		for k := range each {
			if err := p.Send(t.Context(), []byte("AAPL"), fmt.Append(nil, round*each+k)); err != nil {
				t.Fatal(err)
			}
			if k == each/2 && round < 3 {
				cluster.Close() // with records in the buffer and on the way
			}
		}
		if round < 3 {
			cluster = start()
		}
	}
	defer func() { cluster.Close() }()
	if err := p.Flush(t.Context()); err != nil || p.Produced() != 4*each {
		t.Fatalf("%d produced, %v", p.Produced(), err)
	}
	_, end, err := Marks(t.Context(), client, "ticks")
	if err != nil {
		t.Fatal(err)
	}
	next := 0
	err = Scan(t.Context(), client, "ticks", end, func(r *kgo.Record) error {
		if want := fmt.Sprint(next); string(r.Value) != want {
			return fmt.Errorf("offset %d: %s, want %s", r.Offset, r.Value, want)
		}
		next++
		return nil
	})
	if err != nil || next != 4*each {
		t.Errorf("%d records, %v; want %d", next, err, 4*each)
	}
}
