package postgres

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

// serverURL is that of the one server of this test binary; every test has a
// database of its own there.
var serverURL string

func TestMain(m *testing.M) {
	stop, err := startServer()
	if err != nil {
		log.Fatal(err) // without a server nothing here is tested: that is a failure
	}
	code := m.Run()
	if err := stop(); err != nil {
		log.Print(err)
		code = max(code, 1)
	}
	os.Exit(code)
}

var databases atomic.Int64

// newURL creates an empty database and returns its URL.
func newURL(t testing.TB) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), serverURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	name := fmt.Sprintf("t%d_%d", os.Getpid(), databases.Add(1))
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), serverURL)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(serverURL)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func connect(t testing.TB, url string, opts ...Option) *DB {
	t.Helper()
	d, err := Connect(t.Context(), url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// newDB returns a migrated database of its own.
func newDB(t testing.TB, opts ...Option) *DB {
	t.Helper()
	d := connect(t, newURL(t), opts...)
	if _, err := d.Migrate(t.Context(), Retention{}); err != nil {
		t.Fatal(err)
	}
	return d
}

type positions = map[streamflow.Partition]int64

func part(n int32) streamflow.Partition {
	return streamflow.Partition{Topic: streamflow.TopicTicks, Number: n}
}

var day = time.Date(2025, 3, 4, 0, 0, 0, 0, time.UTC)

// mirror returns a tick as the archive function gets it.
func mirror(partition int32, offset int64, t streamflow.Tick) streamflow.Mirrored {
	return streamflow.Mirrored{Tick: t, Position: streamflow.Position{Topic: streamflow.TopicTicks, Partition: partition, Offset: offset}}
}

// makeTicks returns n ticks of many symbols in 3 partitions, from offset first
// of each on, and the positions that cover them.
func makeTicks(rng *rand.Rand, n, symbols int, first int64, start time.Time, step time.Duration) ([]streamflow.Mirrored, positions) {
	ticks := make([]streamflow.Mirrored, n)
	to := positions{}
	next := [3]int64{first, first, first}
	for i := range ticks {
		s := rng.IntN(symbols)
		p := s % 3
		ticks[i] = mirror(int32(p), next[p], streamflow.Tick{
			Symbol:   fmt.Sprintf("S%03d", s),
			Price:    100 + float64(rng.IntN(10000))/100,
			Volume:   int64(rng.IntN(1000)),
			Time:     start.Add(time.Duration(i) * step).Truncate(time.Microsecond),
			Exchange: "XNAS",
		})
		to[part(int32(p))] = next[p]
		next[p]++
	}
	return ticks, to
}

func archiveAll(t testing.TB, d *DB, ticks []streamflow.Mirrored, from, to positions) {
	t.Helper()
	if err := d.Archive(t.Context(), streamflow.FunctionArchive, ticks, from, to); err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, d *DB) (n int) {
	t.Helper()
	if err := d.pool.QueryRow(t.Context(), "SELECT count(*) FROM stock_ticks").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
