package embedded

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// tooMuch is a reserve that no disk has.
const tooMuch = 1 << 60

// TestSpaceIsWatched: what changes is told once, and what to do is said.
func TestSpaceIsWatched(t *testing.T) {
	t.Parallel()
	dir, told := t.TempDir(), make(chan bool, 10)
	tell := func(low bool) error { told <- low; return nil }
	quiet := slog.New(slog.DiscardHandler)
	s := WatchSpace(dir, tooMuch, quiet, tell)
	if !<-told {
		t.Error("a disk without that much space is not full")
	}
	s.Close()
	wants(t, s.Err(0), dir, "DISK_RESERVE", "KEEP_BYTES")
	s = WatchSpace(dir, -1, quiet, tell)
	if <-told {
		t.Error("without a reserve the disk is full")
	}
	s.Close()
	if len(told) > 0 {
		t.Error("it was told again, and nothing had changed")
	}
	tries := 0
	done := make(chan struct{})
	s = WatchSpace(dir, tooMuch, quiet, func(bool) error {
		if tries++; tries < 3 {
			return errors.New("not now")
		}
		close(done)
		return nil
	})
	<-done
	s.Close()
	if detail, err := CheckSpace(dir, 1); err != nil || !strings.Contains(detail, dir) {
		t.Error(detail, err)
	}
	if _, err := CheckSpace(dir, tooMuch); err == nil {
		t.Error("a disk without that much space is not full")
	}
}

func TestKafkaRefusesRecordsWhenTheDiskIsFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k, err := StartKafka(KafkaConfig{Addr: "127.0.0.1:0", Dir: dir, Reserve: tooMuch})
	must(t, err)
	defer k.Close()
	createTopic(t, k.Addr(), "ticks", nil)
	client := kafkaClient(t, k.Addr(), kgo.RecordRetries(2), kgo.DefaultProduceTopic("ticks"))
	if err := client.ProduceSync(contextOf(t), kgo.StringRecord("x")).FirstErr(); !errors.Is(err, kerr.KafkaStorageError) {
		t.Errorf("a record was answered by %v", err)
	}
	client.Close()
	must(t, k.Close())
	again := startKafka(t, "127.0.0.1:0", dir) // with the usual reserve
	produce(t, again.Addr(), "ticks", 3)
}

func TestNATSRefusesMessagesWhenTheDiskIsFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server, err := StartNATS(NATSConfig{Addr: "127.0.0.1:0", Dir: dir, Reserve: -1})
	must(t, err)
	defer server.Close()
	nc, err := nats.Connect(server.URL())
	must(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	must(t, err)
	_, err = js.CreateStream(contextOf(t), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, AllowAtomicPublish: true})
	must(t, err)
	store := func() error { _, err := js.Publish(contextOf(t), "s", []byte("x")); return err }
	must(t, store())
	must(t, hold(server.Server(), true))
	wants(t, store(), "resource")
	must(t, hold(server.Server(), false))
	must(t, store())
}

func TestPostgresRefusesToWriteWhenTheDiskIsFull(t *testing.T) {
	t.Parallel()
	p, err := StartPostgres(contextOf(t), PostgresConfig{Addr: "127.0.0.1:0", Dir: pgDir(t), Reserve: -1})
	must(t, err)
	defer p.Close()
	conn, err := pgx.Connect(contextOf(t), p.URL())
	must(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(contextOf(t), `CREATE TABLE t (n int)`)
	must(t, err)
	until := func(ok func(error) bool) { // the session hears of it between two statements
		t.Helper()
		for end := time.Now().Add(5 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
			_, err := conn.Exec(contextOf(t), `INSERT INTO t VALUES (1)`)
			if ok(err) {
				return
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
		}
	}
	must(t, readOnly(p.URL(), true))
	until(func(err error) bool {
		var refused *pgconn.PgError
		return errors.As(err, &refused) && refused.Code == "25006" // read_only_sql_transaction
	})
	must(t, readOnly(p.URL(), false))
	until(func(err error) bool { return err == nil })
}
