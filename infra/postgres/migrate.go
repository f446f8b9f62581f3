package postgres

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Retention says how long ticks and candles are kept, by event time.
type Retention struct {
	// Keep is the age at which ticks may go; 0 keeps them for ever. TimescaleDB
	// drops them itself, whole days at a time; on plain PostgreSQL somebody
	// calls [DB.Prune].
	Keep time.Duration
	// CompressAfter is the age at which TimescaleDB compresses a day's ticks and
	// candles (candles never before they are settled); 0 leaves them as they are.
	// Plain PostgreSQL has nothing of the kind.
	CompressAfter time.Duration
	// KeepCandles is what Keep is, for candles of all intervals; somebody calls
	// [DB.PruneCandles], which can also let short ones go first.
	KeepCandles time.Duration
}

// migration is one file of migrations/: <version>_<name>.sql.
type migration struct {
	version  int
	name     string
	sql      string
	checksum string
}

// minimum is the oldest server: int8_minmax_multi_ops came with 14.
const minimum = 140000

// lockKey is the advisory lock under which a database is changed ("strmflow").
const lockKey = 0x7374726d666c6f77

// Migrate brings the database to the schema of this binary and says in words
// what it changed; nothing is left to do when that is empty. Any number of
// processes may call it at once. Each migration has its own transaction; those
// before one that fails stay. It refuses, and names the migration, where one was
// changed after it was applied, or where the database is newer than the binary.
func (d *DB) Migrate(ctx context.Context, keep Retention) (changes []string, err error) {
	changes, err = d.migrate(ctx, migrationFiles)
	if err != nil {
		return changes, err
	}
	more, err := d.timescale(ctx, keep)
	return append(changes, more...), err
}

func (d *DB) migrate(ctx context.Context, files fs.FS) (changes []string, err error) {
	all, err := readMigrations(files)
	if err != nil {
		return nil, err
	}
	conn, err := d.maintenance(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := checkServer(ctx, conn); err != nil {
		return nil, err
	}
	for {
		change := ""
		err := locked(ctx, conn, func(tx pgx.Tx) error {
			next, err := pending(ctx, tx, all)
			if err != nil || next == nil {
				return err
			}
			change = fmt.Sprintf("applied migration %04d %s", next.version, next.name)
			return next.apply(ctx, tx)
		})
		if err != nil {
			return changes, fmt.Errorf("postgres: migrate: %w", err)
		}
		if change == "" {
			return changes, nil
		}
		changes = append(changes, change)
	}
}

// maintenance opens a connection of its own, without time-outs: building an
// index may take an hour, and waiting for another process that builds it too.
func (d *DB) maintenance(ctx context.Context) (*pgx.Conn, error) {
	cfg := d.pool.Config().ConnConfig.Copy()
	for _, name := range []string{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"} {
		cfg.RuntimeParams[name] = "0"
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, explain(cfg, err)
	}
	return conn, nil
}

// locked runs fn in a transaction that no other process's fn overlaps.
func locked(ctx context.Context, conn *pgx.Conn, fn func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(lockKey)); err != nil {
			return err
		}
		return fn(tx)
	})
}

func checkServer(ctx context.Context, conn *pgx.Conn) error {
	var version int
	var text, encoding string
	err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int,
		current_setting('server_version'), current_setting('server_encoding')`).Scan(&version, &text, &encoding)
	switch {
	case err != nil:
		return fmt.Errorf("postgres: migrate: %w", err)
	case version < minimum:
		return fmt.Errorf("postgres: the server is PostgreSQL %s, StreamFlow needs 14 or newer", text)
	case encoding != "UTF8":
		// In any other, a tick whose text the encoding cannot hold would stop the archive.
		return fmt.Errorf("postgres: the database has encoding %s, StreamFlow needs UTF8: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0", encoding)
	}
	return nil
}

// pending compares what was applied with what the binary has, and returns the
// next migration to apply, or nil.
func pending(ctx context.Context, tx pgx.Tx, all []migration) (*migration, error) {
	if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (
		version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
		applied_at timestamptz NOT NULL DEFAULT now())`); err != nil {
		return nil, err
	}
	applied, err := appliedTo(ctx, tx)
	if err != nil {
		return nil, err
	}
	return nextOf(all, applied)
}

// appliedTo reads which migrations a database has had.
func appliedTo(ctx context.Context, tx pgx.Tx) ([]migration, error) {
	rows, err := tx.Query(ctx, `SELECT version, name, checksum FROM schema_migrations ORDER BY version`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (m migration, err error) {
		return m, row.Scan(&m.version, &m.name, &m.checksum)
	})
}

// nextOf returns the first migration that was not applied, or nil.
func nextOf(all, applied []migration) (*migration, error) {
	for i, have := range applied {
		if i >= len(all) {
			return nil, fmt.Errorf("the database is newer than this binary: it has migration %04d %s, the binary ends at %04d; use the newer binary",
				have.version, have.name, len(all))
		}
		if want := all[i]; have.version != want.version || have.checksum != want.checksum {
			return nil, fmt.Errorf("migration %04d %s was changed after it was applied to this database (as %04d %s, checksum %.12s, now %.12s): restore its text and put the change in a new migration",
				want.version, want.name, have.version, have.name, have.checksum, want.checksum)
		}
	}
	if len(applied) == len(all) {
		return nil, nil
	}
	return &all[len(applied)], nil
}

func (m *migration) apply(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, m.sql); err != nil {
		return fmt.Errorf("migration %04d %s: %w", m.version, m.name, err)
	}
	_, err := tx.Exec(ctx, `INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)`,
		m.version, m.name, m.checksum)
	return err
}

// readMigrations returns the migrations in order, numbered from 1 without gaps.
func readMigrations(files fs.FS) ([]migration, error) {
	paths, err := fs.Glob(files, "migrations/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	var all []migration
	for i, path := range paths {
		number, name, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(path, "migrations/"), ".sql"), "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("postgres: %s: want number %04d", path, i+1)
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		all = append(all, migration{version: version, name: name, sql: string(text), checksum: hex.EncodeToString(sum[:])})
	}
	return all, nil
}
