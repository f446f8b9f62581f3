package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// State is the database as it was examined. Nothing was changed.
type State struct {
	Version   string
	TooOld    bool   // older than what the migrations need
	Encoding  string // UTF8, or the archive would stop at a text that it cannot hold
	Timescale string // version of the extension, "" where it is not used
	Available bool   // the server has TimescaleDB, whether the database uses it or not
	// Applied and Wanted are the numbers of migrations; Fault is what
	// [DB.Migrate] would refuse.
	Applied, Wanted int
	Fault           error
	Standby         bool  // it only reads: it follows another server
	Followers       int   // servers that follow it
	FollowersBehind int64 // bytes of the one that is furthest behind
	Connections     int   // to the whole server
	MaxConnections  int
	Bytes           int64 // of the database
	// Ahead is by how much the server's clock is ahead of ours, below 0 behind,
	// to within half of RoundTrip.
	Ahead, RoundTrip time.Duration
}

// Examine asks the database what it is, and how far it is from what the binary
// needs.
func (d *DB) Examine(ctx context.Context) (s State, err error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	var number int
	err = d.pool.QueryRow(ctx, `
		SELECT current_setting('server_version'), current_setting('server_version_num')::int, current_setting('server_encoding'),
		       coalesce((SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'), ''),
		       EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb'),
		       pg_is_in_recovery(), pg_database_size(current_database()),
		       (SELECT sum(numbackends)::int FROM pg_stat_database), current_setting('max_connections')::int`).
		Scan(&s.Version, &number, &s.Encoding, &s.Timescale, &s.Available, &s.Standby, &s.Bytes, &s.Connections, &s.MaxConnections)
	if err != nil {
		return s, fmt.Errorf("postgres: examine it: %w", err)
	}
	s.TooOld = number < minimum
	if err := d.clock(ctx, &s); err != nil {
		return s, fmt.Errorf("postgres: its clock: %w", err)
	}
	if !s.Standby {
		// Who may not see other users' sessions is told no positions: then nothing
		// is known to be behind.
		err = d.pool.QueryRow(ctx, `SELECT count(*)::int, coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)), 0)::bigint
			FROM pg_stat_replication`).Scan(&s.Followers, &s.FollowersBehind)
		if err != nil {
			return s, fmt.Errorf("postgres: who follows it: %w", err)
		}
	}
	return s, d.schema(ctx, &s)
}

// clock takes the quickest of a few answers: the first one may have to wait.
func (d *DB) clock(ctx context.Context, s *State) error {
	for range 3 {
		var at time.Time
		before := time.Now()
		if err := d.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&at); err != nil {
			return err
		}
		if taken := time.Since(before); s.RoundTrip == 0 || taken < s.RoundTrip {
			s.RoundTrip, s.Ahead = taken, at.Sub(before.Add(taken/2))
		}
	}
	return nil
}

// schema compares what was applied with what the binary has.
func (d *DB) schema(ctx context.Context, s *State) error {
	all, err := readMigrations(migrationFiles)
	if err != nil {
		return err
	}
	s.Wanted = len(all)
	var there bool
	if err := d.pool.QueryRow(ctx, `SELECT to_regclass('schema_migrations') IS NOT NULL`).Scan(&there); err != nil || !there {
		return err
	}
	return pgx.BeginTxFunc(ctx, d.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		applied, err := appliedTo(ctx, tx)
		if err != nil {
			return err
		}
		s.Applied = len(applied)
		_, s.Fault = nextOf(all, applied)
		return nil
	})
}
