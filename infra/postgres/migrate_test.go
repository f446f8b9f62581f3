package postgres

import (
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

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
	for _, want := range []string{"applied migration 0001 stock_ticks", "applied migration 0002 positions"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q not exactly once in\n%s", want, text)
		}
	}
	d := connect(t, url)
	if changes, err := d.Migrate(t.Context(), Retention{}); err != nil || len(changes) != 0 {
		t.Errorf("a second time: %q, %v", changes, err)
	}
	for _, table := range []string{streamflow.TableTicks, streamflow.TablePositions} {
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
