package postgres

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestConnectErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // accepts and never answers
	server, err := url.Parse(serverURL)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		url  string
		want []string
	}{
		"nobody there": {"postgres://u:s3cret@127.0.0.1:1/db", []string{"127.0.0.1:1", "connection refused", "DATABASE_URL"}},
		"silent":       {"postgres://u:s3cret@" + l.Addr().String() + "/db?connect_timeout=1", []string{l.Addr().String(), "no answer in time"}},
		"no host":      {"postgres://u:s3cret@nobody.invalid:5432/db", []string{"nobody.invalid:5432", "host name"}},
		"no database":  {"postgres://" + server.User.Username() + ":s3cret@" + server.Host + "/nothing", []string{server.Host, "CREATE DATABASE \"nothing\""}},
		"bad escape":   {"postgres://u:s3cret%zz@127.0.0.1:1/db", []string{"cannot be read", "DATABASE_URL"}},
		"bad port":     {"postgres://u:s3cret@127.0.0.1:x/db", []string{"cannot be read"}},
		"raw slash":    {"postgres://u:s3cret/@127.0.0.1:1/db", []string{"DATABASE_URL"}},
		"words":        {"host=127.0.0.1 port=1 password='s3cret", []string{"cannot be read"}},
		"bad sslmode":  {"postgres://u:s3cret@127.0.0.1:1/db?sslmode=maybe", []string{"sslmode"}},
	} {
		d, err := Connect(t.Context(), c.url)
		if err == nil {
			d.Close()
			t.Errorf("%s: connected", name)
			continue
		}
		t.Logf("%s: %v", name, err)
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q lacks %q", name, err, want)
			}
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the password is in %q", name, err)
		}
	}
}

func TestPingAndSettings(t *testing.T) {
	d := newDB(t, WithName("tester"), WithStatementTimeout(2*time.Second))
	version, err := d.Ping(t.Context())
	if err != nil || !strings.HasPrefix(version, "PostgreSQL ") {
		t.Fatal(version, err)
	}
	var name string
	if err := d.pool.QueryRow(t.Context(), "SHOW application_name").Scan(&name); err != nil || name != "tester" {
		t.Fatal(name, err)
	}
	var canceled *pgconn.PgError
	if _, err := d.pool.Exec(t.Context(), "SELECT pg_sleep(60)"); !errors.As(err, &canceled) || canceled.Code != "57014" { // query_canceled
		t.Fatalf("no statement time-out: %v", err)
	}
}
