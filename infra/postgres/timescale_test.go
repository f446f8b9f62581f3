package postgres

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"streamflow"
)

// fakeTimescale is what we use of TimescaleDB 2, with its signatures (anyelement
// stands for "any", which SQL functions cannot have), in a schema whose name
// needs quotes. It shows that our side of the talk is right; the extension
// itself is not to be had where this was written.
const fakeTimescale = `
CREATE SCHEMA timescaledb_information;
CREATE TABLE timescaledb_information.hypertables (hypertable_schema name, hypertable_name name, compression_enabled boolean);
CREATE TABLE timescaledb_information.jobs (proc_name name, config jsonb, hypertable_schema name, hypertable_name name);
CREATE SCHEMA "Time series";
CREATE FUNCTION "Time series".create_hypertable(relation regclass, time_column_name name, partitioning_column name = NULL,
	number_partitions integer = NULL, associated_schema_name name = NULL, associated_table_prefix name = NULL,
	chunk_time_interval anyelement = NULL::bigint, create_default_indexes boolean = true, if_not_exists boolean = false,
	partitioning_func regproc = NULL, migrate_data boolean = false)
	RETURNS TABLE (hypertable_id integer, schema_name name, table_name name, created boolean) LANGUAGE sql AS $$
	INSERT INTO timescaledb_information.hypertables SELECT 'public', relation::name, true;
	SELECT 1, 'public'::name, 'stock_ticks'::name, true $$;
CREATE FUNCTION "Time series".add_compression_policy(hypertable regclass, compress_after anyelement, if_not_exists boolean = false)
	RETURNS integer LANGUAGE sql AS $$ INSERT INTO timescaledb_information.jobs
	VALUES ('policy_compression', jsonb_build_object('compress_after', compress_after), 'public', hypertable::name); SELECT 1000 $$;
CREATE FUNCTION "Time series".add_retention_policy(relation regclass, drop_after anyelement, if_not_exists boolean = false)
	RETURNS integer LANGUAGE sql AS $$ INSERT INTO timescaledb_information.jobs
	VALUES ('policy_retention', jsonb_build_object('drop_after', drop_after), 'public', relation::name); SELECT 1001 $$;
CREATE FUNCTION "Time series".remove_compression_policy(hypertable regclass, if_exists boolean = false)
	RETURNS boolean LANGUAGE sql AS $$ DELETE FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression' AND hypertable_name = hypertable::name; SELECT true $$;
CREATE FUNCTION "Time series".remove_retention_policy(relation regclass, if_exists boolean = false)
	RETURNS void LANGUAGE sql AS $$ DELETE FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention' AND hypertable_name = relation::name $$;
CREATE FUNCTION "Time series".drop_chunks(relation regclass, older_than anyelement = NULL::timestamptz, newer_than timestamptz = NULL)
	RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN
	EXECUTE format('DELETE FROM %s WHERE %I < $1', relation, CASE relation::text WHEN 'candles' THEN 'start' ELSE 'time' END) USING older_than;
	RETURN NEXT 'a chunk'; END $$;
INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
	VALUES (99999, 'timescaledb', 10, '"Time series"'::regnamespace, false, '2.99.0')`

func TestTimescale(t *testing.T) {
	d := connect(t, newURL(t))
	if _, err := d.migrate(t.Context(), migrationFiles); err != nil {
		t.Fatal(err)
	}
	if _, err := d.pool.Exec(t.Context(), fakeTimescale); err != nil {
		t.Fatal(err)
	}
	if version, err := d.Ping(t.Context()); err != nil || !strings.HasSuffix(version, ", TimescaleDB 2.99.0") {
		t.Error(version, err)
	}
	const hour = time.Hour
	for _, c := range []struct {
		keep Retention
		want []string
	}{
		{Retention{Keep: 30 * 24 * hour, CompressAfter: hour}, []string{
			"stock_ticks is a TimescaleDB hypertable now, one chunk a day", "stock_ticks: compression policy: after 1h0m0s", "stock_ticks: retention policy: after 720h0m0s",
			"candles is a TimescaleDB hypertable now, one chunk a day", "candles: compression policy: after 48h0m0s",
		}},
		{Retention{Keep: 30 * 24 * hour, CompressAfter: hour}, nil},
		{Retention{Keep: 36 * hour, CompressAfter: hour, KeepCandles: 72 * hour}, []string{"stock_ticks: retention policy: after 36h0m0s", "candles: retention policy: after 72h0m0s"}},
		{Retention{CompressAfter: 72 * hour, KeepCandles: 72 * hour}, []string{"stock_ticks: compression policy: after 72h0m0s", "stock_ticks: retention policy removed", "candles: compression policy: after 72h0m0s"}},
		{Retention{}, []string{"stock_ticks: compression policy removed", "candles: compression policy removed", "candles: retention policy removed"}},
		{Retention{}, nil},
	} {
		if got, err := d.Migrate(t.Context(), c.keep); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: %q, %v; want %q", c.keep, got, err, c.want)
		}
	}
	tick := streamflow.Tick{Symbol: "A", Price: 1, Time: day}
	archiveAll(t, d, []streamflow.Mirrored{mirror(0, 1, tick)}, nil, positions{part(0): 1})
	if n, err := d.Prune(t.Context(), day.Add(hour), 10); n != 0 || err != nil || count(t, d) != 0 {
		t.Errorf("prune: %d, %v, %d rows are left", n, err, count(t, d))
	}
	upsertAll(t, d, candle(1, false), candle(2, true))
	if n, err := d.PruneCandles(t.Context(), day.Add(hour), 10, streamflow.Hour1); n != 0 || err != nil {
		t.Errorf("prune hours: %d, %v", n, err)
	}
	if n, err := d.PruneCandles(t.Context(), day.Add(hour), 10, streamflow.Minute1); n != 1 || err != nil {
		t.Errorf("prune minutes: %d, %v", n, err)
	}
	upsertAll(t, d, candle(1, false))
	if n, err := d.PruneCandles(t.Context(), day.Add(hour), 10); n != 0 || err != nil || len(candlesOf(t, d)) != 0 {
		t.Errorf("prune: %d, %v, %v are left", n, err, candlesOf(t, d))
	}
	// What the extension refuses is said and is no error. (Here it is the server
	// that refuses, having parsed the statement.)
	if _, err := d.pool.Exec(t.Context(), "UPDATE timescaledb_information.hypertables SET compression_enabled = false"); err != nil {
		t.Fatal(err)
	}
	got, err := d.Migrate(t.Context(), Retention{Keep: hour, CompressAfter: hour})
	want := []string{
		`TimescaleDB refused, stock_ticks serves without: unrecognized parameter namespace "timescaledb"`, "stock_ticks: retention policy: after 1h0m0s",
		`TimescaleDB refused, candles serves without: unrecognized parameter namespace "timescaledb"`,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	// Compressed chunks whose rows cannot be replaced would stop a replay.
	if _, err := d.pool.Exec(t.Context(), "UPDATE pg_extension SET extversion = '2.9.3' WHERE extname = 'timescaledb'"); err != nil {
		t.Fatal(err)
	}
	got, err = d.Migrate(t.Context(), Retention{Keep: hour, CompressAfter: hour})
	if err != nil || len(got) != 2 || !strings.HasPrefix(got[1], "candles is not compressed") {
		t.Errorf("%q, %v", got, err)
	}
}

// A table with rows is left alone, and the Apache edition without policies.
func TestTimescaleLeavesAlone(t *testing.T) {
	d := newDB(t)
	tick := streamflow.Tick{Symbol: "A", Price: 1, Time: day}
	archiveAll(t, d, []streamflow.Mirrored{mirror(0, 1, tick)}, nil, positions{part(0): 1})
	upsertAll(t, d, candle(1, true))
	if _, err := d.pool.Exec(t.Context(), fakeTimescale); err != nil {
		t.Fatal(err)
	}
	keep := Retention{Keep: time.Hour, CompressAfter: time.Hour}
	got, err := d.Migrate(t.Context(), keep)
	if err != nil || len(got) != 2 || !strings.HasPrefix(got[0], "stock_ticks has rows and stays a plain table") || !strings.HasPrefix(got[1], "candles has rows and stays a plain table") {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := d.pool.Exec(t.Context(), "TRUNCATE stock_ticks, candles"); err != nil {
		t.Fatal(err)
	}
	config := d.pool.Config().ConnConfig
	if _, err := d.pool.Exec(t.Context(), "ALTER DATABASE "+config.Database+" SET timescaledb.license = 'apache'"); err != nil {
		t.Fatal(err)
	}
	got, err = d.Migrate(t.Context(), keep)
	if err != nil || len(got) != 2 || !strings.Contains(got[0], "hypertable now") || !strings.Contains(got[1], "hypertable now") {
		t.Fatalf("%q, %v", got, err)
	}
}
