package postgres

import (
	"context"
	"fmt"

	"streamflow"
)

// Look is the database as it was measured. Rows and Commits are counters that
// only grow, until somebody resets the server's statistics.
type Look struct {
	Bytes         int64 // on disk
	Rows, Commits int64 // inserted or updated; transactions
	Connections   int
	Archived      int64 // offsets of ticks that the archive has stored, over all partitions
}

// Look measures the database.
func (d *DB) Look(ctx context.Context) (Look, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	var l Look
	err := d.pool.QueryRow(ctx, `
		SELECT pg_database_size(current_database()), s.tup_inserted + s.tup_updated, s.xact_commit, s.numbackends,
		       (SELECT coalesce(sum(kafka_offset + 1), 0)::bigint FROM `+streamflow.TablePositions+` WHERE function = $1)
		FROM pg_stat_database s WHERE s.datname = current_database()`, streamflow.FunctionArchive).
		Scan(&l.Bytes, &l.Rows, &l.Commits, &l.Connections, &l.Archived)
	if err != nil {
		return Look{}, fmt.Errorf("postgres: measure it: %w", err)
	}
	return l, nil
}
