package bridge_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamflow/bridge"
	"streamflow/infra/kafka/kafkatest"
)

// ghost joins the bridges' group and dies while it waits for the others.
func (r *rig) ghost() {
	r.t.Helper()
	client, err := r.open(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	defer client.Close()
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Version, meta.Topics = 1, []string{r.topic}
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name, protocol.Metadata = "cooperative-sticky", meta.AppendTo(nil)
	join := kmsg.NewPtrJoinGroupRequest()
	join.Group, join.ProtocolType = r.topic, "consumer"
	join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = 6000, 12000
	join.Protocols = append(join.Protocols, protocol)
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Minute)
	defer cancel()
	resp, err := join.RequestWith(ctx, client) // it is told its name first
	if err != nil {
		r.t.Fatal(err)
	}
	if resp.MemberID == "" {
		r.t.Fatalf("the ghost cannot join: error %d", resp.ErrorCode)
	}
	join.MemberID = resp.MemberID
	ctx, cancel = context.WithTimeout(r.t.Context(), 200*time.Millisecond)
	defer cancel()
	// A bridge that is quick to join again lets the ghost in before it dies. It is
	// then a member that never speaks, which must do no more harm.
	if _, err := join.RequestWith(ctx, client); err == nil {
		r.t.Log("the ghost was let in before it died")
	}
}

// A member that dies while it waits to join must not keep partitions.
func TestGhostInTheGroup(t *testing.T) {
	r := newRig(t, 4)
	b := r.bridge()
	r.load(100, 4)
	r.mirrored()
	r.ghost()
	started := time.Now()
	for time.Since(started) < 3*time.Second { // in which the group balances anew, the ghost in it
		r.load(100, 4)
	}
	r.mirrored()
	t.Logf("all partitions flow again %.1f s after the ghost", time.Since(started).Seconds())
	r.exact(0)
	if n := b.metric(t, "missed_total"); n != 0 {
		t.Errorf("%v records missed", n)
	}
}

// A member that holds partitions and does nothing with them is noticed.
func TestIdleMemberIsNoticed(t *testing.T) {
	r := newRig(t, 4)
	idle, err := r.open(t.Context(), kgo.ConsumerGroup(r.topic), kgo.ConsumeTopics(r.topic), kgo.Balancers(kgo.CooperativeStickyBalancer()))
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	said := make(chan struct{})
	r.bridge(func(c *bridge.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&listener{log: testLog{t}, text: "nobody mirrors a partition", said: said}, nil))
	})
	r.load(400, 4)
	select {
	case <-said:
	case <-time.After(3 * time.Minute):
		t.Error("nobody noticed")
	}
	idle.Close()
	r.mirrored()
	r.exact(0)
}

// listener closes said when the log says text.
type listener struct {
	log  testLog
	text string
	said chan struct{}
	once sync.Once
}

func (l *listener) Write(b []byte) (int, error) {
	if strings.Contains(string(b), l.text) {
		l.once.Do(func() { close(l.said) })
	}
	return l.log.Write(b)
}

// A Kafka that was killed within a transaction may abort it and leave no mark
// behind its records, as kfake does. Who comes next must not wait for one.
func TestDeadLettersAfterKafkaDiedInATransaction(t *testing.T) {
	before, after := t.TempDir(), t.TempDir()
	start := func(dir string) *kgo.Client {
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DataDir(dir), kfake.SyncWrites())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(cluster.Close)
		return kafkatest.Client(t, cluster.ListenAddrs(), kgo.TransactionalID("streamflow-deadletter-dlq"), kgo.DefaultProduceTopic("dlq"))
	}
	client := start(before)
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, "dlq"); err != nil {
		t.Fatal(err)
	}
	sink := func(client *kgo.Client) *bridge.Publisher {
		seeds := client.OptValue(kgo.SeedBrokers).([]string)
		d := bridge.NewDeadLetters("dlq", func(_ context.Context, opts ...kgo.Opt) (*kgo.Client, error) {
			return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(seeds...)}, opts...)...)
		}, nil)
		t.Cleanup(d.Close)
		return d
	}
	d := sink(client)
	if _, err := d.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Commit(t.Context(), letters(0, 4), nil, at(4)); err != nil {
		t.Fatal(err)
	}
	d.Close()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(t.Context(), &kgo.Record{Value: []byte("half")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	// What is on the disk now is what a kill leaves.
	if err := os.CopyFS(after, os.DirFS(before)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	d = sink(start(after))
	positions, err := d.Load(ctx)
	if err != nil || positions[origin] != 4 {
		t.Fatalf("loaded %v, %v, want 4", positions, err)
	}
}
