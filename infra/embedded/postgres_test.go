package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// pgDir is a data directory for a cluster: as root one that the cluster's user
// can reach, which a test's own temporary directory is not.
func pgDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	return filepath.Join(dir, "postgres")
}

func startPG(t *testing.T, dir string) *Postgres {
	t.Helper()
	p, err := StartPostgres(contextOf(t), PostgresConfig{Addr: "127.0.0.1:0", Dir: dir, Logger: testLog(t)})
	must(t, err)
	t.Cleanup(func() { must(t, p.Close()) })
	return p
}

func query[T any](t *testing.T, url, sql string) (v T) {
	t.Helper()
	conn, err := pgx.Connect(contextOf(t), url)
	must(t, err)
	defer conn.Close(contextOf(t))
	must(t, conn.QueryRow(contextOf(t), sql).Scan(&v))
	return v
}

func exec1(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(contextOf(t), url)
	must(t, err)
	defer conn.Close(contextOf(t))
	_, err = conn.Exec(contextOf(t), sql)
	must(t, err)
}

func TestPostgresSurvivesKill(t *testing.T) {
	t.Parallel()
	dir := pgDir(t)
	c := startChild(t, "postgres", dir)
	exec1(t, c.where, "create table rows as select generate_series(1, 1000) as n")
	old, err := readPid(filepath.Join(clusterDir(dir), "postmaster.pid"))
	must(t, err)
	c.kill()

	p := startPG(t, dir) // whether or not the old server is gone already
	if got := query[int](t, p.URL(), "select count(*) from rows"); got != 1000 {
		t.Errorf("%d rows after kill -9, want 1000", got)
	}
	if alive(old) && worksIn(old, clusterDir(dir)) {
		t.Errorf("the old server, process %d, is still there", old)
	}
	for name, want := range map[string]string{
		"fsync": "on", "synchronous_commit": "on", "wal_compression": "pglz", "max_connections": "50",
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "server_encoding": "UTF8", "lc_collate": "C",
	} {
		got := query[string](t, p.URL(), "select coalesce(current_setting('"+name+"', true), 'C')")
		if got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	must(t, p.Close())
	must(t, p.Close()) // again does no harm
	select {
	case <-p.Done():
	default:
		t.Error("not done after Close")
	}
}

// The kernel stops the server when we die, without a next start.
func TestPostgresDiesWithUs(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a child of its parent's death; elsewhere the next start stops it, which TestPostgresSurvivesKill checks")
	}
	home := pgDir(t)
	c := startChild(t, "postgres", home)
	dir, err := filepath.EvalSymlinks(clusterDir(home))
	must(t, err)
	pid, err := readPid(filepath.Join(dir, "postmaster.pid"))
	must(t, err)
	if pgid, err := syscall.Getpgid(pid); err != nil || pgid != pid {
		t.Errorf("process group is %d (%v), want its own, %d", pgid, err, pid)
	}
	c.kill()
	must(t, awaitWorkers(contextOf(t), dir))
}

// A postmaster that was itself killed leaves a pid file, shared memory, and
// perhaps processes; and its pid may belong to somebody else by now.
func TestPostgresStalePidFile(t *testing.T) {
	t.Parallel()
	dir := pgDir(t)
	p := startPG(t, dir)
	exec1(t, p.URL(), "create table kept as select 1 as n")
	must(t, p.proc.cmd.Process.Kill())
	<-p.Done()
	p = startPG(t, dir)
	must(t, p.Close())

	pidFile := filepath.Join(clusterDir(dir), "postmaster.pid")
	must(t, os.WriteFile(pidFile, fmt.Appendf(nil, "%d\n%s\n0\n1\n\n\n0 0\n", os.Getpid(), clusterDir(dir)), 0o600))
	p = startPG(t, dir)
	if got := query[int](t, p.URL(), "select count(*) from kept"); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}

func TestPostgresOtherVersion(t *testing.T) {
	t.Parallel()
	dir := pgDir(t)
	must(t, startPG(t, dir).Close())
	must(t, os.WriteFile(filepath.Join(clusterDir(dir), "PG_VERSION"), []byte("9\n"), 0o600))
	_, err := StartPostgres(contextOf(t), PostgresConfig{Addr: "127.0.0.1:0", Dir: dir})
	wants(t, err, "made by PostgreSQL 9", "this machine has", "install PostgreSQL 9", "pg_upgrade", "--data-dir", "DATABASE_URL")
}

func TestPostgresMissing(t *testing.T) {
	t.Parallel()
	none := finder{
		dirs:  func() []string { return nil },
		fetch: func(context.Context, *cluster) (string, error) { return "", errors.New("no network") },
	}
	_, err := startPostgres(contextOf(t), PostgresConfig{Addr: "127.0.0.1:0", Dir: pgDir(t)}, none)
	wants(t, err, "PostgreSQL is missing", "no network", "apt install postgresql", "DATABASE_URL")
	if !errors.Is(err, ErrNoPostgres) {
		t.Errorf("%v is not ErrNoPostgres", err)
	}
}

func TestPostgresSaysItsLastWords(t *testing.T) {
	t.Parallel()
	dir := pgDir(t)
	must(t, startPG(t, dir).Close())
	conf := filepath.Join(clusterDir(dir), "postgresql.conf")
	must(t, os.WriteFile(conf, []byte("no_such_setting = 1\n"), 0o600))
	if os.Geteuid() == 0 { // a new file of root's would be unreadable
		info, err := os.Stat(clusterDir(dir))
		must(t, err)
		o, err := ownerOf(dir, info)
		must(t, err)
		must(t, os.Chown(conf, o.uid, o.gid))
	}
	_, err := StartPostgres(contextOf(t), PostgresConfig{Addr: "127.0.0.1:0", Dir: dir})
	wants(t, err, "no_such_setting", "exit status 1")
}

// Where the data directory is closed to PostgreSQL's user, root's cluster goes
// elsewhere, with a link; an ordinary user has no such trouble.
func TestPostgresInAClosedDirectory(t *testing.T) {
	closed := t.TempDir()
	must(t, os.Chmod(closed, 0o700))
	dir := filepath.Join(closed, "data", "postgres")
	outside := filepath.Join(filepath.Dir(pgDir(t)), "state")
	stateDir = outside
	t.Cleanup(func() { stateDir = "/var/lib/streamflow" })

	p := startPG(t, dir)
	exec1(t, p.URL(), "create table kept as select 1 as n")
	link, err := os.Readlink(clusterDir(dir))
	if root := os.Geteuid() == 0; root != (err == nil) || root != strings.HasPrefix(link, outside) {
		t.Errorf("as root=%t the cluster is linked to %q (%v)", root, link, err)
	}
	if os.Geteuid() == 0 {
		// A copy of the data directory shares the link, not the lock.
		other := filepath.Join(closed, "copy", "postgres")
		must(t, os.MkdirAll(other, 0o755))
		must(t, os.Symlink(link, clusterDir(other)))
		_, err = StartPostgres(contextOf(t), PostgresConfig{Addr: "127.0.0.1:0", Dir: other})
		wants(t, err, "in use")
	}
	must(t, p.Close())
	p = startPG(t, dir)
	if got := query[int](t, p.URL(), "select count(*) from kept"); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
	must(t, p.Close())
	must(t, os.Remove(filepath.Join(dir, "cluster", "PG_VERSION")))
	_, err = StartPostgres(contextOf(t), PostgresConfig{Addr: "127.0.0.1:0", Dir: dir})
	wants(t, err, "is not a PostgreSQL cluster", "--data-dir")
	// The data directory is removed: nothing of the old database comes back.
	must(t, os.RemoveAll(filepath.Dir(dir)))
	p = startPG(t, dir)
	if query[bool](t, p.URL(), "select exists (select from pg_tables where tablename = 'kept')") {
		t.Error("a removed data directory's table is back")
	}
}

func TestPostgresHeedsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(contextOf(t))
	cancel()
	dir := pgDir(t)
	_, err := StartPostgres(ctx, PostgresConfig{Addr: "127.0.0.1:0", Dir: dir})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	must(t, startPG(t, dir).Close()) // what was begun is no hindrance
}

func TestPostgresListensOnItsAddressOnly(t *testing.T) {
	t.Parallel()
	p := startPG(t, pgDir(t))
	cfg, err := pgx.ParseConfig(p.URL())
	must(t, err)
	for _, host := range []string{"127.0.0.2", "::1"} {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, fmt.Sprint(cfg.Port)), time.Second)
		if err == nil {
			conn.Close()
			t.Errorf("listens on %s", host)
		}
	}
}

// TestPostgresDownload takes 15 MB from Maven Central, so only when asked to:
// STREAMFLOW_TEST_DOWNLOAD=1.
func TestPostgresDownload(t *testing.T) {
	if os.Getenv("STREAMFLOW_TEST_DOWNLOAD") == "" {
		t.Skip("downloads PostgreSQL: set STREAMFLOW_TEST_DOWNLOAD=1 to run it")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	old := syscall.Umask(0o077) // as strict as some roots are
	defer syscall.Umask(old)
	cache := filepath.Join(filepath.Dir(pgDir(t)), "cache")
	find := finder{
		dirs:  func() []string { return nil },
		fetch: func(ctx context.Context, cl *cluster) (string, error) { return downloadTo(ctx, cl, cache) },
		major: downloadMajor,
	}
	dir := pgDir(t)
	for range 2 { // the second time from the cache
		p, err := startPostgres(ctx, PostgresConfig{Addr: "127.0.0.1:0", Dir: dir, Logger: testLog(t)}, find)
		must(t, err)
		if got := query[string](t, p.URL(), "show server_version"); !strings.HasPrefix(got, "18.") {
			t.Errorf("version is %s", got)
		}
		must(t, p.Close())
	}
	left, err := filepath.Glob(filepath.Join(cache, "new-*"))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
