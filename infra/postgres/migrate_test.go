package postgres

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

func TestMigrateAtOnce(t *testing.T) {
	url := newURL(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var all []string
	for range 10 {
		d := connect(t, url, WithMaxConns(2))
		wg.Go(func() {
			changes, err := d.Migrate(t.Context(), Retention{Keep: 24 * time.Hour, CompressAfter: time.Hour})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, changes...)
		})
	}
	wg.Wait()
	text := strings.Join(all, "\n")
	for _, want := range []string{"applied migration 0001 stock_ticks", "applied migration 0002 positions", "applied migration 0003 results"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q not exactly once in\n%s", want, text)
		}
	}
	d := connect(t, url)
	if changes, err := d.Migrate(t.Context(), Retention{}); err != nil || len(changes) != 0 {
		t.Errorf("a second time: %q, %v", changes, err)
	}
	for _, table := range []string{streamflow.TableTicks, streamflow.TablePositions, streamflow.TableCandles, streamflow.TableAlerts, streamflow.TableDeliveries} {
		var ok bool
		if err := d.pool.QueryRow(t.Context(), "SELECT to_regclass($1) IS NOT NULL", table).Scan(&ok); err != nil || !ok {
			t.Errorf("no table %s: %v", table, err)
		}
	}
}

func TestMigrateRefuses(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	d := connect(t, newURL(t))
	base := fstest.MapFS{"migrations/0001_one.sql": file("CREATE TABLE one (a int)"), "migrations/0002_two.sql": file("CREATE TABLE two (a int)")}
	if changes, err := d.migrate(t.Context(), base); err != nil || len(changes) != 2 {
		t.Fatal(changes, err)
	}
	older := fstest.MapFS{"migrations/0001_one.sql": base["migrations/0001_one.sql"]}
	changed := fstest.MapFS{"migrations/0001_one.sql": base["migrations/0001_one.sql"], "migrations/0002_two.sql": file("CREATE TABLE two (b int)")}
	gap := fstest.MapFS{"migrations/0001_one.sql": base["migrations/0001_one.sql"], "migrations/0003_two.sql": file("")}
	broken := fstest.MapFS{"migrations/0003_three.sql": file("CREATE TABLE three (a int); SELECT 1/0"), "migrations/0004_four.sql": file("CREATE TABLE four (a int)")}
	for path, f := range base {
		broken[path] = f
	}
	for want, files := range map[string]fstest.MapFS{
		"newer than this binary: it has migration 0002 two": older,
		"migration 0002 two was changed":                    changed,
		"migrations/0003_two.sql: want number 0002":         gap,
		"migration 0003 three: ERROR: division by zero":     broken,
	} {
		if changes, err := d.migrate(t.Context(), files); err == nil || !strings.Contains(err.Error(), want) || len(changes) != 0 {
			t.Errorf("want %q: %q, %v", want, changes, err)
		}
	}
	var three bool
	if err := d.pool.QueryRow(t.Context(), "SELECT to_regclass('three') IS NOT NULL").Scan(&three); err != nil || three {
		t.Errorf("half of a failed migration is there: %v", err)
	}
}

// A database of the release before, with rows, takes the new tables and keeps
// what it has.
func TestMigrateUpgrades(t *testing.T) {
	d := connect(t, newURL(t))
	before := fstest.MapFS{}
	for _, path := range []string{"migrations/0001_stock_ticks.sql", "migrations/0002_positions.sql"} {
		text, err := migrationFiles.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before[path] = &fstest.MapFile{Data: text}
	}
	if changes, err := d.migrate(t.Context(), before); err != nil || len(changes) != 2 {
		t.Fatal(changes, err)
	}
	ticks, to := makeTicks(rand.New(rand.NewPCG(1, 1)), 1000, 20, 0, day, time.Second)
	archiveAll(t, d, ticks, nil, to)
	if changes, err := d.Migrate(t.Context(), Retention{}); err != nil || !slices.Equal(changes, []string{"applied migration 0003 results"}) {
		t.Fatal(changes, err)
	}
	if got, err := d.Positions(t.Context(), streamflow.FunctionArchive); err != nil || !reflect.DeepEqual(got, to) || count(t, d) != len(ticks) {
		t.Fatalf("positions %v and %d rows are left of %v and %d: %v", got, count(t, d), to, len(ticks), err)
	}
	upsertAll(t, d, candle(1, true))
	for in := range to {
		archiveAll(t, d, nil, to, positions{in: to[in] + 1})
	}
}

// psql \d+ explains every column whose name does not.
func TestColumnsAreExplained(t *testing.T) {
	d := newDB(t)
	rows, err := d.pool.Query(t.Context(), `SELECT a.attrelid::regclass || '.' || a.attname FROM pg_attribute a
		WHERE a.attrelid IN ('candles'::regclass, 'alerts'::regclass, 'deliveries'::regclass) AND a.attnum > 0
		  AND col_description(a.attrelid, a.attnum) IS NULL ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	want := []string{"alerts.symbol", "candles.symbol", "deliveries.alert_id", "deliveries.id"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("without a comment: %q, %v; want %q", got, err, want)
	}
}
