package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// readOnly makes the server refuse what would be stored, or take it again, in
// every session from its next transaction on. A writer gets an error ("cannot
// execute ... in a read-only transaction"), and tries again.
//
// PostgreSQL must not come to a write of its log that fails: it ends then, and
// cannot start again without space.
func readOnly(url string, low bool) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	cfg.RuntimeParams["default_transaction_read_only"] = "off"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	sql := "ALTER SYSTEM RESET default_transaction_read_only"
	if low {
		sql = "ALTER SYSTEM SET default_transaction_read_only = on"
	}
	if _, err := conn.Exec(ctx, sql); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "SELECT pg_reload_conf()")
	return err
}
