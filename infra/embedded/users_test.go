package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"streamflow/infra/secure"
)

// TestPostgresIsClosed: a database that was open is closed with its data, has
// the passwords of today, and can be opened again.
func TestPostgresIsClosed(t *testing.T) {
	t.Parallel()
	dir := pgDir(t)
	open := startPG(t, dir)
	exec1(t, open.URL(), "create table rows as select generate_series(1, 7) as n")
	must(t, open.Close())

	a, err := secure.OpenAuthority(filepath.Join(t.TempDir(), "secure"))
	must(t, err)
	files, err := a.Issue("server", "127.0.0.1")
	must(t, err)
	start := func(password string) *Postgres {
		t.Helper()
		p, err := StartPostgres(contextOf(t), PostgresConfig{Addr: "127.0.0.1:0", Dir: dir, Logger: testLog(t), Security: &PostgresSecurity{
			CA: files.CA, Cert: files.Cert, Key: files.Key, Password: "root-" + password,
			Owner: PostgresUser{"owner", "owner-" + password}, Users: []PostgresUser{{"guest", "guest-" + password}},
		}})
		must(t, err)
		t.Cleanup(func() { must(t, p.Close()) })
		return p
	}
	as := func(p *Postgres, who string) string { return strings.Replace(p.URL(), pgName+"@", who+"@", 1) }

	p := start("one")
	if n := query[int](t, as(p, "owner:owner-one"), "select count(*) from rows"); n != 7 {
		t.Errorf("%d rows, want 7", n)
	}
	exec1(t, as(p, "owner:owner-one"), "alter table rows add m int")
	if who := query[string](t, as(p, "guest:guest-one"), "select current_user::text"); who != "guest" {
		t.Error(who)
	}
	for who, want := range map[string]string{
		pgName: "password", "guest:x": "password authentication failed", "stranger:x": "password authentication failed", "guest": "password",
	} {
		wants(t, ping(t, as(p, who)), want)
	}
	wants(t, ping(t, strings.Replace(as(p, "guest:guest-one"), "verify-full", "disable", 1)), "no encryption")
	key, err := os.Stat(filepath.Join(clusterDir(dir), pgKeyFile))
	must(t, err)
	if key.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v", key.Mode())
	}
	must(t, p.Close())

	p = start("two")
	wants(t, ping(t, as(p, "owner:owner-one")), "password authentication failed")
	must(t, ping(t, as(p, pgName+":root-two")))
	must(t, p.Close())

	open = startPG(t, dir)
	if n := query[int](t, open.URL(), "select count(*) from rows"); n != 7 {
		t.Errorf("%d rows, want 7", n)
	}
}

// TestKafkaUsers: rights hold, and those of an earlier start do not.
func TestKafkaUsers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := startKafka(t, "127.0.0.1:0", dir)
	createTopic(t, open.Addr(), "mine", nil)
	createTopic(t, open.Addr(), "yours", nil)
	must(t, open.Close())

	start := func(password, topic string) *Kafka {
		t.Helper()
		k, err := StartKafka(KafkaConfig{Addr: "127.0.0.1:0", Dir: dir, Logger: testLog(t), Users: []KafkaUser{{
			Name: "ada", Password: password,
			Rights: []KafkaRight{{kmsg.ACLResourceTypeTopic, topic, false, []kmsg.ACLOperation{kmsg.ACLOperationWrite}}},
		}}})
		must(t, err)
		t.Cleanup(func() { must(t, k.Close()) })
		return k
	}
	produce := func(addr, password, topic string) error {
		c := kafkaClient(t, addr, kgo.SASL(scram.Auth{User: "ada", Pass: password}.AsSha512Mechanism()), kgo.RecordRetries(2))
		return c.ProduceSync(contextOf(t), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr()
	}
	k := start("one", "mine")
	addr := k.Addr()
	must(t, produce(addr, "one", "mine"))
	if err := produce(addr, "one", "yours"); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("it writes what is not its own: %v", err)
	}
	wants(t, kafkaClient(t, addr, kgo.RequestRetries(0)).Ping(contextOf(t)), "SASL")

	must(t, k.Close())

	k = start("two", "yours")
	addr = k.Addr()
	must(t, produce(addr, "two", "yours"))
	if err := produce(addr, "two", "mine"); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("a right that was taken away holds: %v", err)
	}
	old := kafkaClient(t, addr, kgo.SASL(scram.Auth{User: "ada", Pass: "one"}.AsSha512Mechanism()), kgo.RequestRetries(0))
	if err := old.Ping(contextOf(t)); err == nil {
		t.Error("a password of an earlier start is taken")
	}
	must(t, k.Close())
	ends, err := kadm.NewClient(kafkaClient(t, startKafka(t, "127.0.0.1:0", dir).Addr())).ListEndOffsets(contextOf(t), "mine", "yours")
	must(t, err)
	total := int64(0)
	ends.Each(func(o kadm.ListedOffset) { total += o.Offset })
	if total != 2 {
		t.Errorf("%d records, want 2", total)
	}
}

// TestNATSUsers: who may publish nothing publishes nothing.
func TestNATSUsers(t *testing.T) {
	t.Parallel()
	n, err := StartNATS(NATSConfig{Addr: "127.0.0.1:0", Dir: t.TempDir(), Logger: testLog(t), Users: []NATSUser{
		{Name: "all", Password: "a", All: true}, {Name: "none", Password: "n"}, {Name: "some", Password: "s", Publish: []string{"some"}, Subscribe: []string{"some"}},
	}})
	must(t, err)
	t.Cleanup(func() { must(t, n.Close()) })
	for user, refused := range map[string][2]bool{"all": {}, "none": {true, true}, "some": {true, true}} {
		said := make(chan error, 4)
		nc, err := nats.Connect(n.URL(), nats.UserInfo(user, user[:1]), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { said <- err }))
		must(t, err)
		t.Cleanup(nc.Close)
		for i, do := range []func() error{
			func() error { return nc.Publish("other", nil) },
			func() error { _, err := nc.SubscribeSync("other"); return err },
		} {
			must(t, do())
			must(t, nc.Flush())
			select {
			case err := <-said:
				if !refused[i] || !errors.Is(err, nats.ErrPermissionViolation) {
					t.Errorf("%s: %v", user, err)
				}
			default:
				if refused[i] {
					wants(t, <-said, "ermission")
				}
			}
		}
	}
}

func ping(t *testing.T, url string) error {
	t.Helper()
	conn, err := pgx.Connect(contextOf(t), url)
	if err != nil {
		return err
	}
	return conn.Close(contextOf(t))
}
