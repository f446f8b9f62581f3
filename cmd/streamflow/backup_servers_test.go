package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"streamflow/infra/postgres"
)

// emptyDir is a directory into which PostgreSQL, which is never root, may go.
func emptyDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "streamflow-restored-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestBackupIntoOtherServers: a backup of a closed system, taken as admin, becomes
// a system on servers that run by themselves, and a closed one on this machine.
// Both are equal and go on.
func TestBackupIntoOtherServers(t *testing.T) {
	r, _ := secureRig(t)
	if status, text := r.call("PUT", "/api/rules/high", `{"symbol":"*","when":"price crosses above 120"}`, nil); status >= 300 {
		t.Fatal(status, text)
	}
	f := flow(t, r.v.as(r.s, partAdmin), 0)
	f.more(t, 100)
	dir := filepath.Join(t.TempDir(), "backup")
	t.Run("backup as admin", func(t *testing.T) {
		r.setenv(t, partAdmin)
		if err := command(t, "backup", dir); err != nil {
			t.Fatal(err)
		}
	})
	rounds := f.rounds.Load()
	f.end()

	t.Run("separate servers", func(t *testing.T) {
		flags := dataFlags{DataDir: emptyDir(t), KafkaAddr: "127.0.0.1:0", NATSAddr: "127.0.0.1:0", PostgresAddr: "127.0.0.1:0"}
		for server, variable := range map[string]string{"kafka": "KAFKA_BOOTSTRAP_SERVERS", "nats": "NATS_URL", "postgres": "DATABASE_URL"} {
			started, err := flags.start(t.Context(), server, nil, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = started.close() })
			t.Setenv(variable, started.url)
		}
		nothing := emptyDir(t)
		if err := command(t, "restore", dir, "--data-dir", nothing); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(nothing); err != nil || len(left) != 0 {
			t.Errorf("with servers of one's own the data directory holds %v, %v", left, err)
		}
		again := newLoggedOpsRig(t, slog.New(slog.NewTextHandler(t.Output(), nil)))
		equalSystem(t, again.s)
		goesOn(t, again, again.s, rounds)
	})
	t.Run("closed", func(t *testing.T) {
		data := emptyDir(t)
		if err := command(t, "restore", dir, "--secure", "--data-dir", data,
			"--kafka-addr", "127.0.0.1:0", "--nats-addr", "127.0.0.1:0", "--postgres-addr", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		again := newLoggedOpsRig(t, slog.New(slog.NewTextHandler(t.Output(), nil)), "--secure", "--data-dir", data)
		as := again.v.as(again.s, partAdmin)
		if _, err := postgres.Connect(context.Background(), again.s.Database); err == nil {
			t.Error("the restored database is open")
		}
		goesOn(t, again, as, rounds)
	})
}

// goesOn sends more ticks, after which all must be equal.
func goesOn(t *testing.T, r *opsRig, as servers, rounds int64) {
	t.Helper()
	more := flow(t, as, rounds+100)
	more.more(t, 50)
	more.end()
	url, err := as.into(as.Database)
	if err != nil {
		t.Fatal(err)
	}
	as.Database, as.passwordFlags = url, passwordFlags{}
	equalSystem(t, as)
}
