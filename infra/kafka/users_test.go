package kafka_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamflow/infra/embedded"
	"streamflow/infra/kafka"
	"streamflow/infra/secure"
)

// Users have their passwords and rights, and no more; again changes nothing;
// what a user may no longer do is taken away. TestSecureComposeRuns (cmd/streamflow)
// does it with Apache Kafka.
func TestEnsureUsers(t *testing.T) {
	k, err := embedded.StartKafka(embedded.KafkaConfig{
		Addr: "127.0.0.1:0", Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler),
		Users: []embedded.KafkaUser{{Name: "root", Password: "its password", Super: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	as := func(name, password string) (*kgo.Client, error) {
		client, err := kafka.Connect(t.Context(), kafka.Config{Brokers: []string{k.Addr()}, Security: kafka.Security{
			Mechanism: "scram-sha-512", User: name, Password: secure.Secret{Value: password},
		}})
		if err == nil {
			t.Cleanup(client.Close)
		}
		return client, err
	}
	root, err := as("root", "its password")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kafka.EnsureTopics(t.Context(), root, []kafka.Topic{{Name: "mine", Partitions: 1}, {Name: "yours", Partitions: 1}}); err != nil {
		t.Fatal(err)
	}
	write := func(topic string) kafka.Right {
		return kafka.Right{Resource: kmsg.ACLResourceTypeTopic, Name: topic, Operations: []kmsg.ACLOperation{kmsg.ACLOperationWrite}}
	}
	ensure := func(password string, rights ...kafka.Right) []string {
		t.Helper()
		changes, err := kafka.EnsureUsers(t.Context(), root, []kafka.User{{Name: "ada", Password: password, Rights: rights}})
		if err != nil {
			t.Fatal(err)
		}
		return changes
	}
	may := func(password, topic string, want error) {
		t.Helper()
		client, err := as("ada", password)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr(); !errors.Is(err, want) {
			t.Errorf("ada writes %s: %v, want %v", topic, err, want)
		}
	}
	if changes := ensure("first", write("mine")); len(changes) != 1 || !strings.Contains(changes[0], "User:ada to WRITE TOPIC mine is allowed") {
		t.Error(changes)
	}
	may("first", "mine", nil)
	may("first", "yours", kerr.TopicAuthorizationFailed)
	if changes := ensure("first", write("mine")); len(changes) != 0 {
		t.Error("again: ", changes)
	}
	if changes := ensure("second", write("yours")); len(changes) != 2 || !strings.Contains(strings.Join(changes, "\n"), "TOPIC mine is no longer allowed") {
		t.Error(changes)
	}
	if _, err := as("ada", "first"); err == nil {
		t.Error("the old password is taken")
	}
	may("second", "yours", nil)
	may("second", "mine", kerr.TopicAuthorizationFailed)
}
