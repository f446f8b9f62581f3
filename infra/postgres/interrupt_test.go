package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"streamflow"
)

// The session is killed when the position has moved and half of the rows are
// there: nothing stays, and the next attempt stores all.
func TestArchiveKilledInTheMiddle(t *testing.T) {
	d := newDB(t)
	conn, err := d.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	ticks, to := makeTicks(rand.New(rand.NewPCG(1, 1)), 5000, 100, 0, day, time.Millisecond)
	c := conn.Conn()
	if _, err := c.Exec(t.Context(), "BEGIN; INSERT INTO positions VALUES ('archive', 'stock_ticks', 0, 1)"); err != nil {
		t.Fatal(err)
	}
	rows := encodeTicks(ticks)
	half := &stoppingReader{rows: rows, left: len(rows.data) / 2, stop: func() {
		time.Sleep(100 * time.Millisecond) // let the server take what was sent
		if _, err := d.pool.Exec(context.Background(), "SELECT pg_terminate_backend($1)", c.PgConn().PID()); err != nil {
			t.Error(err)
		}
	}}
	if _, err := c.PgConn().CopyFrom(t.Context(), half, sqlCopy); err == nil {
		t.Fatal("a killed COPY succeeded")
	}
	if got, err := d.Positions(t.Context(), "archive"); err != nil || len(got) != 0 || count(t, d) != 0 {
		t.Fatalf("positions %v and %d rows are left: %v", got, count(t, d), err)
	}
	archiveAll(t, d, ticks, nil, to)
	if n := count(t, d); n != len(ticks) {
		t.Fatalf("%d rows, want %d", n, len(ticks))
	}
}

// stoppingReader calls stop once when so many bytes were read.
type stoppingReader struct {
	rows *copyRows
	left int
	stop func()
}

func (r *stoppingReader) Read(b []byte) (int, error) {
	if r.left <= 0 && r.stop != nil {
		r.stop()
		r.stop = nil
	}
	if len(b) > 4096 {
		b = b[:4096]
	}
	n, err := r.rows.Read(b)
	r.left -= n
	return n, err
}

// A writer that is paused while the server waits for its rows holds the row of
// its position; the next one waits its time, ends it, and gets through.
func TestArchiveEvictsAPausedWriter(t *testing.T) {
	d := newDB(t, func(s *settings) { s.lockWait = 300 * time.Millisecond })
	archiveAll(t, d, nil, nil, positions{part(0): 5})
	paused, err := d.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer paused.Release()
	if _, err := paused.Exec(t.Context(), "BEGIN; UPDATE positions SET kafka_offset = 6"); err != nil {
		t.Fatal(err)
	}
	release, done := make(chan struct{}), make(chan error, 1)
	rows := encodeTicks([]streamflow.Mirrored{mirror(0, 6, streamflow.Tick{Symbol: "A", Price: 1, Time: day})})
	go func() {
		_, err := paused.Conn().PgConn().CopyFrom(context.Background(), &stoppingReader{rows: rows, stop: func() { <-release }}, sqlCopy)
		done <- err
	}()
	move := func() error {
		return d.Archive(t.Context(), "archive", nil, positions{part(0): 5}, positions{part(0): 7})
	}
	if err := move(); err == nil || errors.Is(err, streamflow.ErrFenced) {
		t.Fatalf("against a paused writer: %v", err)
	}
	err = move()
	for range 10 { // a busy server takes its time to end the session
		if err == nil {
			break
		}
		err = move()
	}
	if err != nil {
		t.Fatalf("after the paused writer was ended: %v", err)
	}
	close(release)
	if err := <-done; err == nil {
		t.Fatal("the paused writer committed")
	}
	if n := count(t, d); n != 0 {
		t.Fatalf("%d rows of the paused writer", n)
	}
}
