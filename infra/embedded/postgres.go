package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// pgName is the superuser and the database of the embedded PostgreSQL.
const pgName = "streamflow"

const (
	pgPoll     = 50 * time.Millisecond
	pgProgress = 5 * time.Second
)

// ErrNoPostgres is what [StartPostgres] wraps when it finds no PostgreSQL.
var ErrNoPostgres = errors.New("PostgreSQL is missing")

// PostgresConfig says where the embedded PostgreSQL listens and keeps its data.
type PostgresConfig struct {
	Addr    string       // host:port, ":0"-style ports allowed
	Dir     string       // data directory, of this server alone
	Reserve int64        // bytes of the disk that are left free, see [Space]; 0 is DefaultReserve
	Logger  *slog.Logger // nil is slog.Default()
	// Security closes it; nil leaves it open to everybody on this machine.
	Security *PostgresSecurity
}

// Postgres is a running PostgreSQL server, a child process of ours.
type Postgres struct {
	proc  *pgProcess
	url   string
	space *Space
	log   *slog.Logger
	free  func() error // releases a cluster that lives outside the data directory
}

// StartPostgres starts PostgreSQL on cfg.Addr with its cluster in
// cfg.Dir/cluster, which it creates at the first start, and waits until it
// accepts connections to the database streamflow.
//
// The programs are those of the machine that fit the cluster, the newest for a
// new one (PATH, pg_config, the usual places of packages); where there are
// none, PostgreSQL is downloaded once from Maven Central into the user's cache
// directory, or /var/cache/streamflow for root.
//
// # As root
//
// PostgreSQL refuses to run as root. It is run as the owner of the cluster, for
// a new one as user postgres, or nobody where there is no such user. That user
// must be able to reach the cluster, which it cannot below /root or any other
// closed directory, and we do not open directories that we did not make. Then
// cfg.Dir/cluster is a symbolic link to /var/lib/streamflow/<name>/cluster,
// and the log says so. Because the link is all that leads there, removing the
// data directory forgets the database together with the positions that belong
// to it.
//
// # Life and death
//
// The child has its own process group, so that Ctrl-C reaches us alone and we
// can drain before we stop it. On Linux the kernel stops it when our process
// dies; elsewhere, and where that takes a while, the next start stops what it
// finds running on its cluster.
//
// Without Security, connections are trusted from loopback and refused from
// elsewhere.
func StartPostgres(ctx context.Context, cfg PostgresConfig) (*Postgres, error) {
	return startPostgres(ctx, cfg, machineBinaries())
}

func startPostgres(ctx context.Context, cfg PostgresConfig, find finder) (_ *Postgres, err error) {
	log := logger(cfg.Logger, "postgres")
	cl, err := openCluster(cfg.Dir, log)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, cl.release())
		}
	}()
	// First of all, because it may have our address.
	if err := cl.stopLeftover(ctx); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	host, port, err := postgresService.resolve(cfg.Addr)
	if err != nil {
		return nil, err
	}
	bin, err := cl.prepare(ctx, find)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := cfg.Security.prepare(ctx, cl, bin, log); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	proc, err := startProcess(cl.command(bin, "postgres", append(settings(bin, cl.dir, host, port), cfg.Security.settings(cl.dir)...)...), log)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	p := &Postgres{proc: proc, url: cfg.Security.open(postgresURL(host, port, pgName), false), log: log, free: cl.release}
	if err := p.await(ctx, cfg, host, port); err != nil {
		return nil, errors.Join(err, proc.stop())
	}
	if err := cfg.Security.ensureUsers(ctx, p.url); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL: users: %w", err), proc.stop())
	}
	root := cfg.Security.open(postgresURL(host, port, pgName), true)
	p.space = WatchSpace(cl.dir, part(cfg.Reserve, 1, 2), log, func(low bool) error { return readOnly(root, low) })
	go p.watch()
	log.Info("PostgreSQL is ready", "url", p.url, "dir", cl.dir, "version", bin.version, "user", cl.owner.name)
	return p, nil
}

// URL is where clients on this machine connect, for pgx and libpq alike.
func (p *Postgres) URL() string { return p.url }

// Done is closed when the server process has ended, asked or not.
func (p *Postgres) Done() <-chan struct{} { return p.proc.done }

// watch says so when the server ends by itself.
func (p *Postgres) watch() {
	<-p.proc.done
	if !p.proc.stopping.Load() {
		p.log.Error("PostgreSQL has ended", "err", p.proc.err(), "last", p.proc.tail.last())
	}
}

// Close stops the server (fast shutdown: sessions are cut off, data are on
// disk) and waits until it has. It may be called more than once.
func (p *Postgres) Close() error {
	p.space.Close()
	if err := p.proc.stop(); err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	return p.free()
}

// await waits until the server answers, and sees to the database.
func (p *Postgres) await(ctx context.Context, cfg PostgresConfig, host string, port int) error {
	poll := time.NewTicker(pgPoll)
	defer poll.Stop()
	began, said := time.Now(), time.Now()
	for {
		err := ensureDatabase(ctx, cfg.Security.open(postgresURL(host, port, "postgres"), true))
		if err == nil {
			return nil
		}
		select {
		case <-p.proc.done:
			if strings.Contains(p.proc.tail.String(), "Address already in use") {
				return postgresService.listenError(cfg.Addr, ErrAddrInUse)
			}
			return fmt.Errorf("start PostgreSQL: it ended (%w); its last words:\n%s", p.proc.err(), p.proc.tail)
		case <-ctx.Done():
			return fmt.Errorf("start PostgreSQL: %w while waiting for it: %w; its last words:\n%s", ctx.Err(), err, p.proc.tail)
		case <-poll.C:
		}
		if time.Since(said) > pgProgress {
			said = time.Now()
			p.log.Info("waiting for PostgreSQL", "since", said.Sub(began).Round(time.Second), "last", p.proc.tail.last())
		}
	}
}

func postgresURL(host string, port int, database string) string {
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", pgName, dialAddr(host, port), database)
}

// ensureDatabase creates the database streamflow if it is not there.
func ensureDatabase(ctx context.Context, url string) (err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	var there bool
	err = conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", pgName).Scan(&there)
	if err != nil || there {
		return err
	}
	_, err = conn.Exec(ctx, "create database "+pgName)
	return err
}
