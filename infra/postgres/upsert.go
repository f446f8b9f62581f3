package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// maxUpsert bounds one statement, and so the time for which it holds its rows.
const maxUpsert = 5000

// upsert runs a statement that takes columns as arrays: one round trip, one
// transaction that never waits for its client while it holds a lock.
//
// Where the server refuses what rows hold, each half is tried by itself, down to
// the row that it cannot store: that one is refused and its neighbours are not.
// It also gets a statement below a limit, such as TimescaleDB's on how much of a
// compressed chunk one statement may unpack. All other errors end it; rows may
// be stored by then, and it is safe to begin again.
func upsert[T any](ctx context.Context, d *DB, sql string, rows []T, columns func([]T) []any, name func(T) string) (written int64, refused []error, err error) {
	if len(rows) == 0 {
		return 0, nil, nil
	}
	half := maxUpsert
	if len(rows) <= maxUpsert {
		bounded, cancel := d.bound(ctx)
		tag, err := d.pool.Exec(bounded, sql, columns(rows)...)
		cancel()
		data, limit := refusal(err)
		switch {
		case err == nil:
			return tag.RowsAffected(), nil, nil
		case data && len(rows) == 1:
			return 0, []error{fmt.Errorf("%s: %w", name(rows[0]), err)}, nil
		case !data && !limit || len(rows) == 1:
			return 0, nil, err
		}
		half = len(rows) / 2
	}
	written, refused, err = upsert(ctx, d, sql, rows[:half], columns, name)
	if err != nil {
		return written, refused, err
	}
	n, more, err := upsert(ctx, d, sql, rows[half:], columns, name)
	return written + n, append(refused, more...), err
}

// refusal goes by SQLSTATE: classes 22 and 23 are about the content of a row, 54
// says that it is too big; 53400 that this is too much at once.
func refusal(err error) (data, limit bool) {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return false, false
	}
	for _, class := range []string{"22", "23", "54"} {
		if strings.HasPrefix(server.Code, class) {
			return true, false
		}
	}
	return false, server.Code == "53400"
}
