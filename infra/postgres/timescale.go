package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"streamflow"
)

// Everything here uses the names that every TimescaleDB 2.x has: the classic
// form of create_hypertable and the compression API, which the columnstore
// names of 2.18 stand beside and do not replace.

// series is a table that TimescaleDB can keep in chunks of a day.
type series struct {
	table, column       string // and the time by which it is parted
	segmentBy, orderBy  string // of compressed chunks
	keep, compressAfter time.Duration
}

// amendable is how long a closed candle may still change, with much to spare. A
// day's chunk is compressed that long after its end at the earliest: to write to
// a compressed candle works, and costs unpacking a thousand of its neighbours.
const amendable = 48 * time.Hour

func (r Retention) series() []series {
	ticks := series{
		table: streamflow.TableTicks, column: "time", keep: r.Keep, compressAfter: r.CompressAfter,
		// So that the newest page is read without sorting; the columns named here
		// also get the minima and maxima by which a position is found.
		segmentBy: "symbol", orderBy: "time DESC, kafka_partition DESC, kafka_offset DESC",
	}
	candles := series{
		table: streamflow.TableCandles, column: "start", keep: r.KeepCandles, compressAfter: r.CompressAfter,
		segmentBy: "symbol, interval", orderBy: "start DESC",
	}
	if candles.compressAfter > 0 {
		candles.compressAfter = max(candles.compressAfter, amendable)
	}
	return []series{ticks, candles}
}

// timescale turns ticks and candles into hypertables where the server has
// TimescaleDB, and keeps their policies as wanted. Whatever stands in the way of
// that is said in words and is no error: plain tables serve as well.
func (d *DB) timescale(ctx context.Context, keep Retention) (changes []string, err error) {
	schema, changes, err := d.extension(ctx)
	if err != nil || schema == "" {
		return changes, err
	}
	// A new connection: the one that created the extension may hold half of it.
	conn, err := d.maintenance(ctx)
	if err != nil {
		return changes, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, s := range keep.series() {
		for _, step := range []func(*hypertable, context.Context) error{
			(*hypertable).create, (*hypertable).compress, (*hypertable).retain,
		} {
			t := hypertable{series: s, schema: pgx.Identifier{schema}.Sanitize()}
			err := locked(ctx, conn, func(tx pgx.Tx) error {
				t.tx = tx
				return step(&t, ctx)
			})
			var refused *pgconn.PgError
			switch {
			case errors.As(err, &refused):
				changes = append(changes, "TimescaleDB refused, "+s.table+" serves without: "+refused.Message)
			case err != nil:
				return changes, fmt.Errorf("postgres: TimescaleDB: %w", err)
			default:
				changes = append(changes, t.changes...)
			}
		}
	}
	return changes, nil
}

// extension creates the extension if the server has it, and returns the schema
// of its functions; "" if there is none to use.
func (d *DB) extension(ctx context.Context) (schema string, changes []string, err error) {
	conn, err := d.maintenance(ctx)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	const find = `SELECT coalesce((SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
			WHERE e.extname = 'timescaledb'), ''),
		EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')`
	var available bool
	if err := conn.QueryRow(ctx, find).Scan(&schema, &available); err != nil {
		return "", nil, fmt.Errorf("postgres: TimescaleDB: %w", err)
	}
	if schema != "" || !available {
		return schema, nil, nil
	}
	err = locked(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `CREATE EXTENSION IF NOT EXISTS timescaledb`); err != nil {
			return err
		}
		return tx.QueryRow(ctx, find).Scan(&schema, &available)
	})
	// The server may refuse (not preloaded, which ends the connection; no right).
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return "", []string{"TimescaleDB is installed on the server but cannot be used, plain tables serve instead: " + refused.Message}, nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("postgres: TimescaleDB: %w", err)
	}
	return schema, []string{"created extension timescaledb"}, nil
}

// hypertable is one series within one transaction.
type hypertable struct {
	series
	tx      pgx.Tx
	schema  string // of the extension's functions, quoted
	changes []string
}

func (t *hypertable) say(format string, args ...any) {
	t.changes = append(t.changes, t.table+fmt.Sprintf(format, args...))
}

// create makes an empty table a hypertable. To move the rows of a full one
// would lock it for as long as that takes: that is for a person to decide.
func (t *hypertable) create(ctx context.Context) error {
	if compressed, err := isHypertable(ctx, t.tx, t.table); err != nil || compressed != nil {
		return err
	}
	var full bool
	if err := t.tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM `+t.table+`)`).Scan(&full); err != nil {
		return err
	}
	if full {
		t.say(" has rows and stays a plain table; to convert it, with writers stopped: SELECT create_hypertable('%s', '%s',"+
			" chunk_time_interval => interval '1 day', create_default_indexes => false, migrate_data => true)", t.table, t.column)
		return nil
	}
	_, err := t.tx.Exec(ctx, `SELECT FROM `+t.schema+`.create_hypertable('`+t.table+`'::regclass, '`+t.column+`'::name,
		chunk_time_interval => interval '1 day', create_default_indexes => false, if_not_exists => true)`)
	t.say(" is a TimescaleDB hypertable now, one chunk a day")
	return err
}

func (t *hypertable) compress(ctx context.Context) error {
	compressed, err := t.community(ctx)
	if err != nil || compressed == nil {
		return err
	}
	if ok, err := t.writable(ctx); err != nil || !ok {
		return err
	}
	if t.compressAfter > 0 && !*compressed {
		_, err := t.tx.Exec(ctx, `ALTER TABLE `+t.table+` SET (timescaledb.compress,
			timescaledb.compress_segmentby = '`+t.segmentBy+`', timescaledb.compress_orderby = '`+t.orderBy+`')`)
		if err != nil {
			return err
		}
	}
	return t.policy(ctx, "compression", "compress_after", t.compressAfter)
}

// writable says whether compressed chunks of the table can be written as it is
// written: to replace a row there is possible from 2.11 on, and a replay does.
func (t *hypertable) writable(ctx context.Context) (ok bool, err error) {
	if t.table != streamflow.TableCandles || t.compressAfter <= 0 {
		return true, nil
	}
	err = t.tx.QueryRow(ctx, `SELECT string_to_array(substring(extversion FROM '^[0-9]+\.[0-9]+'), '.')::int[] >= '{2,11}'
		FROM pg_extension WHERE extname = 'timescaledb'`).Scan(&ok)
	if err == nil && !ok {
		t.say(" is not compressed: its rows change, which TimescaleDB allows in compressed chunks from 2.11 on")
	}
	return ok, err
}

func (t *hypertable) retain(ctx context.Context) error {
	if compressed, err := t.community(ctx); err != nil || compressed == nil {
		return err
	}
	return t.policy(ctx, "retention", "drop_after", t.keep)
}

// community returns whether the hypertable is compressed; nil where there is
// none, or the edition is Apache's: it has neither compression nor policies,
// and [DB.Prune] serves.
func (t *hypertable) community(ctx context.Context) (compressed *bool, err error) {
	var license string
	if err := t.tx.QueryRow(ctx, `SELECT coalesce(current_setting('timescaledb.license', true), '')`).Scan(&license); err != nil || license == "apache" {
		return nil, err
	}
	return isHypertable(ctx, t.tx, t.table)
}

// policy makes the background job of a kind run at the age wanted, or not at
// all. add_..._policy keeps an existing job's age, so a wrong one goes first.
func (t *hypertable) policy(ctx context.Context, kind, setting string, age time.Duration) error {
	var have *float64
	err := t.tx.QueryRow(ctx, `SELECT extract(epoch FROM (j.config->>$2)::interval)::float8
		FROM timescaledb_information.jobs j
		JOIN pg_class c ON c.relname = j.hypertable_name AND c.oid = to_regclass($3)
		JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = j.hypertable_schema
		WHERE j.proc_name = 'policy_' || $1 LIMIT 1`, kind, setting, t.table).Scan(&have)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if age <= 0 && have == nil || have != nil && *have == age.Seconds() {
		return nil
	}
	table := `('` + t.table + `'::regclass, `
	if have != nil {
		if _, err := t.tx.Exec(ctx, `SELECT FROM `+t.schema+`.remove_`+kind+`_policy`+table+`if_exists => true)`); err != nil {
			return err
		}
	}
	if age <= 0 {
		t.say(": %s policy removed", kind)
		return nil
	}
	_, err = t.tx.Exec(ctx, `SELECT FROM `+t.schema+`.add_`+kind+`_policy`+table+setting+` => make_interval(secs => $1), if_not_exists => true)`, age.Seconds())
	if err == nil {
		t.say(": %s policy: after %s", kind, age)
	}
	return err
}
