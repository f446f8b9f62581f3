package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"

	"streamflow/infra/kafka"
)

// TestDoctorClocksAndVersions: servers that tell another time, or that they are
// older than what we need. The servers are real; what they say of clock and
// version is changed where they say it: in the database by functions that its
// roles find first, at NATS on the way, at Kafka by what it is told to speak.
func TestDoctorClocksAndVersions(t *testing.T) {
	w := newWard(t)
	c := w.doctor()
	c.Watch = 0

	d := c.examine(t.Context())
	w.says(d, "postgres clock", verdictOK, "ours", "")
	w.says(d, "nats clock", verdictOK, "ours", "")

	t.Run("a producer ahead of us", func(t *testing.T) {
		client, err := kafka.Connect(t.Context(), w.s.config("test", slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		record := &kgo.Record{Topic: w.s.Topic, Value: []byte("{}"), Timestamp: time.Now().Add(time.Hour)}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
		w.says(c.examine(t.Context()), "kafka clock", verdictWarn, "s ahead", "NTP or chrony")
	})
	t.Run("the database behind", func(t *testing.T) {
		w.shadow(t, `CREATE FUNCTION elsewhere.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT pg_catalog.clock_timestamp() - interval '90 seconds' $$`)
		w.says(c.examine(t.Context()), "postgres clock", verdictFail, "behind ours", "NTP or chrony")
	})
	t.Run("an old database", func(t *testing.T) {
		w.shadow(t, `CREATE FUNCTION elsewhere.current_setting(name text) RETURNS text LANGUAGE sql AS $$
			SELECT CASE name WHEN 'server_version' THEN '13.11' WHEN 'server_version_num' THEN '130011' ELSE pg_catalog.current_setting(name) END $$`)
		w.says(c.examine(t.Context()), "postgres version", verdictFail, "PostgreSQL 13.11", "PostgreSQL 14 or newer")
	})
	t.Run("NATS ahead", func(t *testing.T) {
		now, next := fmt.Sprintf(`"ts":"%d-`, time.Now().UTC().Year()), fmt.Sprintf(`"ts":"%d-`, time.Now().UTC().Year()+1)
		other := *c
		other.NATS = onTheWay(t, c.NATS, now, next)
		w.says(other.examine(t.Context()), "nats clock", verdictFail, "ahead of ours", "NTP or chrony")
	})
	t.Run("an old NATS", func(t *testing.T) {
		other := *c
		other.NATS = onTheWay(t, c.NATS, `"version":"2.15`, `"version":"2.10`)
		w.says(other.examine(t.Context()), "nats connection", verdictFail, "2.10", "upgrade")
	})
	t.Run("an old Kafka", func(t *testing.T) {
		old, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.MaxVersions(kversion.V2_3_0()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(old.Close)
		other := *c
		other.Brokers = strings.Join(old.ListenAddrs(), ",")
		w.says(other.examine(t.Context()), "kafka version", verdictFail, "lacks", "Kafka 2.5 or newer")
	})
}

// shadow makes a function that the roles of the database find before its own,
// until the test ends.
func (w *ward) shadow(t *testing.T, sql string) {
	t.Helper()
	do := func(statements ...string) {
		conn, err := pgx.Connect(context.Background(), w.s.Database)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		for _, s := range statements {
			if _, err := conn.Exec(context.Background(), s); err != nil {
				t.Fatal(s, err)
			}
		}
	}
	do("CREATE SCHEMA elsewhere", sql, "ALTER DATABASE streamflow SET search_path = elsewhere, pg_catalog, public")
	t.Cleanup(func() { do("ALTER DATABASE streamflow RESET search_path", "DROP SCHEMA elsewhere CASCADE") })
}

// onTheWay is the URL of a door to NATS behind which the server says something
// else, of the same length.
func onTheWay(t *testing.T, url, from, to string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", strings.TrimPrefix(url, "nats://"))
			if err != nil {
				client.Close()
				return
			}
			go func() { _, _ = io.Copy(server, client); server.Close() }()
			go func() {
				defer client.Close()
				piece := make([]byte, 1<<20) // more than an answer has
				for {
					n, err := server.Read(piece)
					if err != nil {
						return
					}
					if _, err := client.Write(bytes.ReplaceAll(piece[:n], []byte(from), []byte(to))); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "nats://" + ln.Addr().String()
}
