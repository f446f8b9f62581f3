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
	compressed, err := isHypertable(ctx, d.pool, streamflow.TableTicks)
	if err != nil {
		return 0, fmt.Errorf("postgres: prune: %w", err)
	}
	if compressed != nil {
		return 0, d.dropChunks(ctx, streamflow.TableTicks, before)
	}
	return d.prune(ctx, streamflow.TableTicks, "time", before, limit, "")
}

// PruneCandles is like [DB.Prune] for candles by their start. With intervals it
// deletes those of these intervals only: seconds may go after days while hours
// stay for years. In a hypertable that is one statement, whatever limit says.
func (d *DB) PruneCandles(ctx context.Context, before time.Time, limit int, intervals ...streamflow.Interval) (n int64, err error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	compressed, err := isHypertable(ctx, d.pool, streamflow.TableCandles)
	switch {
	case err != nil:
		return 0, fmt.Errorf("postgres: prune: %w", err)
	case compressed != nil && len(intervals) == 0:
		return 0, d.dropChunks(ctx, streamflow.TableCandles, before)
	case compressed != nil:
		// Compressed rows have no place of their own.
		tag, err := d.pool.Exec(ctx, `DELETE FROM `+streamflow.TableCandles+` WHERE start < $1 AND interval = ANY ($2)`, up(before), intervals)
		if err != nil {
			return 0, fmt.Errorf("postgres: prune: %w", err)
		}
		return tag.RowsAffected(), nil
	case len(intervals) == 0:
		intervals = streamflow.Intervals
	}
	return d.prune(ctx, streamflow.TableCandles, "start", before, limit, ` AND interval = ANY ($3)`, intervals)
}

// PruneAlerts is like [DB.Prune] for alerts, acknowledged or not, and for the
// records of their deliveries: up to limit of each.
func (d *DB) PruneAlerts(ctx context.Context, before time.Time, limit int) (n int64, err error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	n, err = d.prune(ctx, streamflow.TableAlerts, "time", before, limit, "")
	if err != nil {
		return n, err
	}
	more, err := d.prune(ctx, streamflow.TableDeliveries, "time", before, limit, "")
	return n + more, err
}

// prune deletes rows by their place in the file, which needs no index on time.
func (d *DB) prune(ctx context.Context, table, column string, before time.Time, limit int, condition string, args ...any) (int64, error) {
	args = append([]any{pgx.QueryExecModeCacheDescribe, up(before), max(limit, 0)}, args...)
	tag, err := d.pool.Exec(ctx, `DELETE FROM `+table+` WHERE ctid = ANY (ARRAY(
		SELECT ctid FROM `+table+` WHERE `+column+` < $1`+condition+` LIMIT $2))`, args...)
	if err != nil {
		return 0, fmt.Errorf("postgres: prune %s: %w", table, err)
	}
	return tag.RowsAffected(), nil
}

// querier is what a pool and a transaction have in common.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// isHypertable returns nil for a plain table, else whether it is compressed.
func isHypertable(ctx context.Context, q querier, table string) (compressed *bool, err error) {
	var view bool
	if err := q.QueryRow(ctx, `SELECT to_regclass('timescaledb_information.hypertables') IS NOT NULL`).Scan(&view); err != nil || !view {
		return nil, err
	}
	err = q.QueryRow(ctx, `SELECT h.compression_enabled FROM timescaledb_information.hypertables h
		JOIN pg_class c ON c.relname = h.hypertable_name AND c.oid = to_regclass($1)
		JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = h.hypertable_schema`,
		table).Scan(&compressed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return compressed, err
}

// dropChunks drops the chunks that end at or before a time. It is there in the
// Apache edition too, which has no retention policy.
func (d *DB) dropChunks(ctx context.Context, table string, before time.Time) error {
	var schema string
	err := d.pool.QueryRow(ctx, `SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
		WHERE e.extname = 'timescaledb'`).Scan(&schema)
	if err == nil {
		_, err = d.pool.Exec(ctx, `SELECT FROM `+pgx.Identifier{schema}.Sanitize()+`.drop_chunks('`+
			table+`'::regclass, older_than => $1::timestamptz)`, before)
	}
	if err != nil {
		return fmt.Errorf("postgres: TimescaleDB: drop chunks: %w", err)
	}
	return nil
}
