// Package kafkatest gives tests a Kafka: the real one that STREAMFLOW_TEST_KAFKA
// names (see infra/kafka/apache), or else a fresh one in this process.
package kafkatest

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Env names the variable that holds the brokers of a real Kafka.
const Env = "STREAMFLOW_TEST_KAFKA"

// Real reports whether the tests run against a real Kafka.
func Real() bool { return os.Getenv(Env) != "" }

// Start returns the brokers of a Kafka for this test. It may be shared with
// other tests: take names from [Topic].
func Start(t testing.TB) (brokers []string) {
	t.Helper()
	if Real() {
		return strings.Split(os.Getenv(Env), ",")
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatalf("start a Kafka in process: %v", err)
	}
	t.Cleanup(cluster.Close)
	return cluster.ListenAddrs()
}

// Topic returns a name that begins with name and that no other test has. On a
// real Kafka the topic of that name is deleted when the test ends. The name can
// also serve for a group or a transaction.
func Topic(t testing.TB, name string) string {
	t.Helper()
	name += "-" + strings.ToLower(rand.Text()[:10])
	if Real() {
		t.Cleanup(func() {
			client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(os.Getenv(Env), ",")...))
			if err != nil {
				return
			}
			defer client.Close()
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			_, _ = kadm.NewClient(client).DeleteTopics(ctx, name) // not every name became a topic
		})
	}
	return name
}

// Client returns a client of brokers that lives as long as the test.
func Client(t testing.TB, brokers []string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(brokers...)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// Create makes a topic of that many partitions.
func Create(t testing.TB, client *kgo.Client, topic string, partitions int32) {
	t.Helper()
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), partitions, 1, nil, topic); err != nil {
		t.Fatalf("create topic %s: %v", topic, err)
	}
}
