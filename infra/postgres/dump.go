package postgres

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

// TableCopy is what a copy of a table is restored by, beside its rows.
type TableCopy struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
	Schema  int      `json:"schema"` // the number of the last migration
}

// copied are our tables, in the order in which they are copied.
var copied = []string{streamflow.TableTicks, streamflow.TablePositions, streamflow.TableCandles, streamflow.TableAlerts, streamflow.TableDeliveries}

// Dump hands every table's rows to take, all of one moment, in the text form of
// COPY. take calls write with where they are to go, and learns how many there were.
func (d *DB) Dump(ctx context.Context, take func(t TableCopy, write func(io.Writer) (rows int64, err error)) error) error {
	conn, err := d.maintenance(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var schema int
		if err := tx.QueryRow(ctx, `SELECT max(version) FROM schema_migrations`).Scan(&schema); err != nil {
			return err
		}
		for _, table := range copied {
			columns, err := columnsOf(ctx, tx, table)
			if err != nil {
				return fmt.Errorf("table %s: %w", table, err)
			}
			// A hypertable has its rows in others: COPY of the table alone would miss them.
			sql := "COPY (SELECT " + quoted(columns) + " FROM " + quoted([]string{table}) + ") TO STDOUT"
			err = take(TableCopy{table, columns, schema}, func(w io.Writer) (int64, error) {
				tag, err := conn.PgConn().CopyTo(ctx, w, sql)
				return tag.RowsAffected(), err
			})
			if err != nil {
				return fmt.Errorf("table %s: %w", table, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("postgres: dump: %w", err)
	}
	return nil
}

// columnsOf returns the columns that are stored.
func columnsOf(ctx context.Context, tx pgx.Tx, table string) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT attname FROM pg_attribute
		WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`, table)
	if err != nil {
		return nil, err
	}
	columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err == nil && len(columns) == 0 {
		err = fmt.Errorf("it is missing: run `streamflow topics`")
	}
	return columns, err
}

func quoted(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = pgx.Identifier{name}.Sanitize()
	}
	return strings.Join(list, ", ")
}

// Load writes what [DB.Dump] read into the tables of this schema, all or nothing.
// rows calls read with the rows of a table, which must be empty. It returns how
// many rows each has got.
func (d *DB) Load(ctx context.Context, tables []TableCopy, rows func(t TableCopy, read func(io.Reader) error) error) (counts map[string]int64, err error) {
	conn, err := d.maintenance(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	counts = make(map[string]int64)
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, t := range tables {
			if !slices.Contains(copied, t.Table) {
				return fmt.Errorf("table %s is none of ours", t.Table)
			}
			sql := "COPY " + quoted([]string{t.Table}) + " (" + quoted(t.Columns) + ") FROM STDIN"
			err := rows(t, func(r io.Reader) error {
				tag, err := conn.PgConn().CopyFrom(ctx, r, sql)
				counts[t.Table] = tag.RowsAffected()
				return err
			})
			if err != nil {
				return fmt.Errorf("table %s: %w", t.Table, err)
			}
		}
		// The next attempt gets a number behind those that are there.
		_, err := tx.Exec(ctx, `SELECT setval(pg_get_serial_sequence($1, 'id'), (SELECT coalesce(max(id), 0) + 1 FROM `+streamflow.TableDeliveries+`), false)`, streamflow.TableDeliveries)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: load: %w", err)
	}
	return counts, nil
}

// Occupied returns those of our tables that have rows. A table that is not there
// has none.
func (d *DB) Occupied(ctx context.Context) (list []string, err error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	for _, table := range copied {
		var there, any bool
		err := d.pool.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&there)
		if err == nil && there {
			err = d.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM `+quoted([]string{table})+`)`).Scan(&any)
		}
		if err != nil {
			return nil, fmt.Errorf("postgres: table %s: %w", table, err)
		}
		if any {
			list = append(list, "table "+table+" has rows")
		}
	}
	return list, nil
}

// SchemaVersion is the number of the last migration that this program has.
func SchemaVersion() int {
	all, err := readMigrations(migrationFiles)
	if err != nil {
		panic(err) // they are part of the program
	}
	return len(all)
}
