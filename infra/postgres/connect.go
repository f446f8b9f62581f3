// Package postgres stores ticks, candles and alerts in PostgreSQL, with
// TimescaleDB where the server has it, and reads them back.
//
// The law of positions holds here through one transaction: [DB.Archive] writes
// the rows and moves the position that covers them, or does neither. Results
// have keys instead: to write a candle or an alert again changes nothing.
package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"streamflow"
)

// DB is a pool of connections to one database. It is safe for concurrent use.
type DB struct {
	pool    *pgxpool.Pool
	topic   string
	timeout time.Duration
}

// Option changes how [Connect] connects.
type Option func(*settings)

type settings struct {
	name     string
	topic    string
	timeout  time.Duration
	lockWait time.Duration
	maxConns int32
}

// WithName sets the application_name that pg_stat_activity shows; "streamflow"
// unless told.
func WithName(name string) Option { return func(s *settings) { s.name = name } }

// WithTopic names the Kafka topic whose ticks the table holds;
// [streamflow.TopicTicks] unless told.
func WithTopic(topic string) Option { return func(s *settings) { s.topic = topic } }

// WithStatementTimeout bounds every statement but those of [DB.Migrate] and
// [DB.Scan]; 10 s unless told.
func WithStatementTimeout(d time.Duration) Option { return func(s *settings) { s.timeout = d } }

// WithMaxConns bounds the pool; 4 or the number of processors, whichever is
// more, unless told (also by pool_max_conns in the URL).
func WithMaxConns(n int32) Option { return func(s *settings) { s.maxConns = n } }

const (
	connectTimeout = 5 * time.Second
	// slack is how much longer the client waits than the server: a server that
	// is there ends a slow statement itself and the connection lives on.
	slack = 2 * time.Second
)

// Connect opens a pool and makes one connection, so that a wrong address or
// password shows now. url is a PostgreSQL URL or a list of key=value settings;
// what it sets itself (application_name, statement_timeout, ...) is kept. The
// error names host and port and what to do, and never the password.
func Connect(ctx context.Context, url string, opts ...Option) (*DB, error) {
	s := settings{name: "streamflow", topic: streamflow.TopicTicks, timeout: 10 * time.Second, lockWait: 3 * time.Second}
	for _, opt := range opts {
		opt(&s)
	}
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, explainURL(err)
	}
	if cfg.ConnConfig.ConnectTimeout <= 0 || cfg.ConnConfig.ConnectTimeout > 2*time.Minute {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	if s.maxConns > 0 {
		cfg.MaxConns = s.maxConns
	}
	for name, value := range s.parameters() {
		if _, set := cfg.ConnConfig.RuntimeParams[name]; !set {
			cfg.ConnConfig.RuntimeParams[name] = value
		}
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, explain(cfg.ConnConfig, err)
	}
	d := &DB{pool: pool, topic: s.topic, timeout: s.timeout + slack}
	if _, err := d.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return d, nil
}

// parameters are those that every session starts with; they cost no round trip.
func (s settings) parameters() map[string]string {
	return map[string]string{
		"application_name":  s.name,
		"statement_timeout": milliseconds(s.timeout),
		// A writer that is stopped in the middle holds the row of its position;
		// see [DB.evict]. One whose machine is gone is noticed by keepalives.
		"lock_timeout":                        milliseconds(s.lockWait),
		"idle_in_transaction_session_timeout": milliseconds(30 * time.Second),
		"tcp_keepalives_idle":                 "10",
		"tcp_keepalives_interval":             "5",
		"tcp_keepalives_count":                "3",
		// Compiling a query takes longer than any of ours runs.
		"jit": "off",
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Ping asks the server for its version, such as "PostgreSQL 15.19" or
// "PostgreSQL 16.4, TimescaleDB 2.17.2". The error is like that of [Connect].
func (d *DB) Ping(ctx context.Context) (version string, err error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	var server, timescale string
	err = d.pool.QueryRow(ctx, `
		SELECT current_setting('server_version'),
		       coalesce((SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'), '')`).
		Scan(&server, &timescale)
	if err != nil {
		return "", explain(d.pool.Config().ConnConfig, err)
	}
	if timescale != "" {
		return fmt.Sprintf("PostgreSQL %s, TimescaleDB %s", server, timescale), nil
	}
	return "PostgreSQL " + server, nil
}

// Close closes the pool. It waits for the connections in use.
func (d *DB) Close() { d.pool.Close() }

// bound keeps a server that no longer answers from holding the caller.
func (d *DB) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d.timeout)
}
