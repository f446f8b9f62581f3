package postgres

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"streamflow"
)

func TestArchiveMovesPositionsWithRows(t *testing.T) {
	d := newDB(t)
	if got, err := d.Positions(t.Context(), "archive"); err != nil || len(got) != 0 {
		t.Fatalf("a new database has positions %v, %v", got, err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	first, to := makeTicks(rng, 300, 20, 0, day, time.Second)
	archiveAll(t, d, first, nil, to)
	second, next := makeTicks(rng, 300, 20, 1000, day, time.Second)
	archiveAll(t, d, second, to, next)
	archiveAll(t, d, nil, next, positions{part(1): next[part(1)] + 7}) // all of it was refused: no rows
	next[part(1)] += 7
	if got, err := d.Positions(t.Context(), "archive"); err != nil || !reflect.DeepEqual(got, next) {
		t.Fatalf("positions %v, %v; want %v", got, err, next)
	}
	if got, err := d.Positions(t.Context(), "other"); err != nil || len(got) != 0 {
		t.Fatalf("another function has positions %v, %v", got, err)
	}
	if n := count(t, d); n != 600 {
		t.Fatalf("%d rows, want 600", n)
	}
}

func TestArchiveRefusesWhatPositionsDoNotCover(t *testing.T) {
	d := newDB(t)
	tick := streamflow.Tick{Symbol: "A", Price: 1, Time: day}
	other := mirror(0, 5, tick)
	other.Position.Topic = "other"
	for name, c := range map[string]struct {
		tick     streamflow.Mirrored
		from, to positions
	}{
		"no position":     {mirror(0, 5, tick), nil, nil},
		"other partition": {mirror(1, 5, tick), nil, positions{part(0): 9}},
		"other topic":     {other, nil, positions{part(0): 9}},
		"stored already":  {mirror(0, 5, tick), positions{part(0): 5}, positions{part(0): 9}},
		"beyond":          {mirror(0, 5, tick), nil, positions{part(0): 4}},
		"backwards":       {mirror(0, 5, tick), positions{part(0): 9}, positions{part(0): 8}},
		"foreign table":   {mirror(0, 5, tick), nil, positions{{Topic: "other"}: 9}},
	} {
		if err := d.Archive(t.Context(), "archive", []streamflow.Mirrored{c.tick}, c.from, c.to); err == nil || errors.Is(err, streamflow.ErrFenced) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if n := count(t, d); n != 0 {
		t.Fatalf("%d rows", n)
	}
}

// Many writers race over the same span, with and without rows of positions to
// begin with: of each span exactly one wins, and only its rows are there.
func TestArchiveOneWriterWins(t *testing.T) {
	d := newDB(t, WithMaxConns(8))
	from := positions{}
	for round := int64(0); round < 10; round++ {
		to := positions{part(0): round*10 + 9, part(1): round*10 + 9, part(2): round*10 + 9}
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for w := range errs {
			wg.Go(func() {
				ticks := make([]streamflow.Mirrored, 0, 30)
				for i := range int64(30) {
					ticks = append(ticks, mirror(int32(i%3), round*10+i/3, streamflow.Tick{Symbol: "A", Price: 1, Volume: int64(w), Time: day}))
				}
				errs[w] = d.Archive(t.Context(), "archive", ticks, from, to)
			})
		}
		wg.Wait()
		won := -1
		for w, err := range errs {
			switch {
			case err == nil && won < 0:
				won = w
			case err == nil:
				t.Fatalf("round %d: writers %d and %d both won", round, won, w)
			case !errors.Is(err, streamflow.ErrFenced):
				t.Fatalf("round %d: %v", round, err)
			}
		}
		var rows, others int
		err := d.pool.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE volume <> $1) FROM stock_ticks
			WHERE kafka_offset BETWEEN $2 AND $3`, won, round*10, round*10+9).Scan(&rows, &others)
		if err != nil || won < 0 || rows != 30 || others != 0 {
			t.Fatalf("round %d: writer %d won, %d rows of which %d are of others: %v", round, won, rows, others, err)
		}
		from = to
	}
}

// A position that one partition of several has lost rolls all of them back.
func TestArchiveFencedByOnePartition(t *testing.T) {
	d := newDB(t)
	archiveAll(t, d, nil, nil, positions{part(0): 5, part(1): 5})
	tick := streamflow.Tick{Symbol: "A", Price: 1, Time: day}
	err := d.Archive(t.Context(), "archive", []streamflow.Mirrored{mirror(0, 6, tick)},
		positions{part(0): 5, part(1): 4}, positions{part(0): 6, part(1): 6})
	if !errors.Is(err, streamflow.ErrFenced) || !strings.Contains(err.Error(), "stock_ticks/1") {
		t.Fatalf("error %v", err)
	}
	got, err := d.Positions(t.Context(), "archive")
	if want := (positions{part(0): 5, part(1): 5}); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("positions %v, %v", got, err)
	}
	if n := count(t, d); n != 0 {
		t.Fatalf("%d rows", n)
	}
	if n := d.pool.Stat().TotalConns(); n == 0 {
		t.Fatal("the connection was thrown away")
	}
}
