package postgres

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"streamflow/infra/embedded"
)

// startServer starts the one PostgreSQL of this test binary.
func startServer() (stop func() error, err error) {
	dir, err := os.MkdirTemp("", "streamflow-postgres")
	if err != nil {
		return nil, err
	}
	// Where the tests run as root, the server's user must be able to go in.
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := embedded.StartPostgres(ctx, embedded.PostgresConfig{
		Addr: "127.0.0.1:0", Dir: dir, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	serverURL = server.URL()
	return func() error { return errors.Join(server.Close(), os.RemoveAll(dir)) }, nil
}
