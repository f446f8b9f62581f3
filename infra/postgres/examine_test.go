package postgres

import (
	"strings"
	"testing"
	"time"
)

// A database is examined as it is: without tables, with some of them, with all,
// with a migration that somebody has changed; and nothing is made by that.
func TestExamine(t *testing.T) {
	d := connect(t, newURL(t))
	look := func() State {
		t.Helper()
		s, err := d.Examine(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := look()
	if s.Applied != 0 || s.Wanted < 3 || s.Fault != nil || s.TooOld || s.Encoding != "UTF8" || s.Standby || s.Bytes <= 0 || s.Connections < 1 || s.MaxConnections < s.Connections {
		t.Errorf("an empty database: %+v", s)
	}
	if s.RoundTrip <= 0 || s.Ahead.Abs() > s.RoundTrip+time.Second {
		t.Errorf("the clock of this machine is %s ahead of itself, in a round trip of %s", s.Ahead, s.RoundTrip)
	}
	var tables int
	if err := d.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables); err != nil || tables != 0 {
		t.Errorf("the examination has made %d tables: %v", tables, err)
	}
	if _, err := d.Migrate(t.Context(), Retention{}); err != nil {
		t.Fatal(err)
	}
	if s = look(); s.Applied != s.Wanted || s.Fault != nil {
		t.Errorf("a database that is as it should be: %+v", s)
	}
	for _, c := range []struct{ sql, words string }{
		{`INSERT INTO schema_migrations (version, name, checksum) VALUES (9999, 'later', 'x')`, "newer than this binary: it has migration 9999 later"},
		{`UPDATE schema_migrations SET checksum = 'other' WHERE version = 2`, "migration 0002 positions was changed"},
	} {
		if _, err := d.pool.Exec(t.Context(), c.sql); err != nil {
			t.Fatal(err)
		}
		if s = look(); s.Fault == nil || !strings.Contains(s.Fault.Error(), c.words) {
			t.Errorf("after %s: %+v, want %q", c.sql, s, c.words)
		}
	}
}
