package postgres

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestDumpAndLoad: what was read is written again as it was, with all that is
// hard to write; numbers go on behind those that are there.
func TestDumpAndLoad(t *testing.T) {
	from, to := newURL(t), newURL(t)
	d, e := connect(t, from), connect(t, to)
	for _, db := range []*DB{d, e} {
		if _, err := db.Migrate(t.Context(), Retention{}); err != nil {
			t.Fatal(err)
		}
	}
	if full, err := d.Occupied(t.Context()); err != nil || len(full) > 0 {
		t.Fatalf("new tables: %v, %v", full, err)
	}
	for _, sql := range []string{
		`INSERT INTO stock_ticks (time, price, volume, kafka_offset, kafka_partition, symbol, id, extra) VALUES
			('2026-01-02 03:04:05.678901Z', 0.1, 9223372036854775807, 7, 2, 'BTC/USD', E'tab\tline\nback\\slash \\N é', '{ "a" : [1,  null] }'),
			('2026-01-02 03:04:05Z', 1e300, 0, 8, 2, 'A', NULL, NULL)`,
		`INSERT INTO positions (function, topic, partition, kafka_offset) VALUES ('archive', 'stock_ticks', 2, 8)`,
		`INSERT INTO deliveries (time, webhook, alert_id, attempt, status, duration_ms) SELECT now(), 'w', 'a', n, 200, 1 FROM generate_series(1, 5) n`,
		`INSERT INTO alerts (id, time, severity, symbol, rule, when_text, text, price, values, acknowledged_by) VALUES ('1', now(), 'info', 'A', 'r', '', E'\n', 1, '{"x": 1}', 'me')`,
	} {
		exec(t, from, sql)
	}
	if full, err := d.Occupied(t.Context()); err != nil || len(full) != 4 {
		t.Errorf("occupied: %v, %v", full, err)
	}
	files, tables := make(map[string]*bytes.Buffer), []TableCopy(nil)
	err := d.Dump(t.Context(), func(c TableCopy, write func(io.Writer) (int64, error)) error {
		files[c.Table] = &bytes.Buffer{}
		tables = append(tables, c)
		if c.Schema != SchemaVersion() {
			t.Errorf("%s is of schema %d, want %d", c.Table, c.Schema, SchemaVersion())
		}
		_, err := write(files[c.Table])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	counts, err := e.Load(t.Context(), tables, func(c TableCopy, read func(io.Reader) error) error { return read(files[c.Table]) })
	if err != nil || counts["stock_ticks"] != 2 || counts["deliveries"] != 5 || counts["candles"] != 0 {
		t.Fatalf("%v, %v", counts, err)
	}
	for _, table := range copied {
		sql := `SELECT coalesce(string_agg(r::text, E'\n' ORDER BY r::text), '') FROM ` + table + ` r`
		if want, got := text(t, from, sql), text(t, to, sql); got != want {
			t.Errorf("%s is %s\nwant %s", table, got, want)
		}
	}
	exec(t, to, `INSERT INTO deliveries (time, webhook, alert_id, attempt, status, duration_ms) VALUES (now(), 'w', 'a', 6, 200, 1)`)
	if id := text(t, to, `SELECT max(id)::text FROM deliveries`); id != "6" {
		t.Errorf("the next delivery has id %s", id)
	}

	// All or nothing: one bad line, and no table has a row.
	third := connect(t, newURL(t))
	if _, err := third.Migrate(t.Context(), Retention{}); err != nil {
		t.Fatal(err)
	}
	_, err = third.Load(t.Context(), tables[:2], func(c TableCopy, read func(io.Reader) error) error {
		return read(strings.NewReader("what\tis\tthis\n"))
	})
	if err == nil || !strings.Contains(err.Error(), "stock_ticks") {
		t.Errorf("a bad line: %v", err)
	}
	if full, err := third.Occupied(t.Context()); err != nil || len(full) > 0 {
		t.Errorf("after it: %v, %v", full, err)
	}
}

func exec(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func text(t *testing.T, url, sql string) (value string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}
