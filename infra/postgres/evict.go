package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"streamflow"
)

// rollback gives the connection back clean. Where that fails the pool throws it
// away, and the server rolls back by itself.
func rollback(ctx context.Context, conn *pgxpool.Conn) {
	if c := conn.Conn().PgConn(); c.IsClosed() || c.TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), slack)
	defer cancel()
	_, _ = conn.Exec(ctx, `ROLLBACK`)
}

// evict ends the session of a writer that stopped in the middle of a
// transaction (a paused machine or process) and holds the row that we need: the
// server waits for its rows without a limit, whatever the time-outs say. It
// takes those of the same user that hold positions for longer than lock_timeout
// and wait for their own client, and nobody else. Their work is rolled back;
// should they wake up they get an error and read their positions again.
func (d *DB) evict(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), slack)
	defer cancel()
	_, _ = d.pool.Exec(ctx, `
		SELECT pg_terminate_backend(a.pid)
		FROM pg_stat_activity a
		JOIN pg_locks l ON l.pid = a.pid
		WHERE l.locktype = 'relation' AND l.relation = to_regclass($1) AND l.mode = 'RowExclusiveLock' AND l.granted
		  AND a.datname = current_database() AND a.usename = current_user AND a.pid <> pg_backend_pid()
		  AND a.wait_event = 'ClientRead'
		  AND clock_timestamp() - a.xact_start > current_setting('lock_timeout')::interval`,
		streamflow.TablePositions)
}
