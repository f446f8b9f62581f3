package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

// Prune deletes up to limit ticks whose event time is before a time, and
// returns how many; the caller comes again while that is limit. One call is
// short, so that it does not stand in the way of others.
//
// On a TimescaleDB hypertable it drops the chunks (days) that lie before that
// time as a whole, whatever limit says, and returns 0: their rows are not
// counted. Younger rows of the day in which before falls stay until it is over.
func (d *DB) Prune(ctx context.Context, before time.Time, limit int) (n int64, err error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	compressed, err := isHypertable(ctx, d.pool)
	if err != nil {
		return 0, fmt.Errorf("postgres: prune: %w", err)
	}
	if compressed != nil {
		return 0, d.dropChunks(ctx, before)
	}
	tag, err := d.pool.Exec(ctx, `DELETE FROM `+streamflow.TableTicks+` WHERE ctid = ANY (ARRAY(
		SELECT ctid FROM `+streamflow.TableTicks+` WHERE time < $1 LIMIT $2))`,
		pgx.QueryExecModeCacheDescribe, up(before), max(limit, 0))
	if err != nil {
		return 0, fmt.Errorf("postgres: prune: %w", err)
	}
	return tag.RowsAffected(), nil
}

// querier is what a pool and a transaction have in common.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// isHypertable returns nil for a plain table, else whether it is compressed.
func isHypertable(ctx context.Context, q querier) (compressed *bool, err error) {
	var view bool
	if err := q.QueryRow(ctx, `SELECT to_regclass('timescaledb_information.hypertables') IS NOT NULL`).Scan(&view); err != nil || !view {
		return nil, err
	}
	err = q.QueryRow(ctx, `SELECT h.compression_enabled FROM timescaledb_information.hypertables h
		JOIN pg_class c ON c.relname = h.hypertable_name AND c.oid = to_regclass($1)
		JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = h.hypertable_schema`,
		streamflow.TableTicks).Scan(&compressed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return compressed, err
}

// dropChunks drops the chunks that end at or before a time. It is there in the
// Apache edition too, which has no retention policy.
func (d *DB) dropChunks(ctx context.Context, before time.Time) error {
	var schema string
	err := d.pool.QueryRow(ctx, `SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
		WHERE e.extname = 'timescaledb'`).Scan(&schema)
	if err == nil {
		_, err = d.pool.Exec(ctx, `SELECT FROM `+pgx.Identifier{schema}.Sanitize()+`.drop_chunks('`+
			streamflow.TableTicks+`'::regclass, older_than => $1::timestamptz)`, before)
	}
	if err != nil {
		return fmt.Errorf("postgres: TimescaleDB: drop chunks: %w", err)
	}
	return nil
}
