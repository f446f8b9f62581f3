package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"streamflow"
)

// Positions returns the last offset that a function has stored of each
// partition; a partition that it has stored nothing of is not there.
func (d *DB) Positions(ctx context.Context, function string) (map[streamflow.Partition]int64, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	rows, err := d.pool.Query(ctx, sqlPositions, function)
	if err != nil {
		return nil, fmt.Errorf("postgres: positions of %s: %w", function, err)
	}
	positions, err := collectPositions(rows)
	if err != nil {
		return nil, fmt.Errorf("postgres: positions of %s: %w", function, err)
	}
	return positions, nil
}

const sqlPositions = `SELECT topic, partition, kafka_offset FROM ` + streamflow.TablePositions + ` WHERE function = $1`

func collectPositions(rows pgx.Rows) (map[streamflow.Partition]int64, error) {
	positions := make(map[streamflow.Partition]int64)
	var p streamflow.Partition
	var offset int64
	_, err := pgx.ForEachRow(rows, []any{&p.Topic, &p.Number, &offset}, func() error {
		positions[p] = offset
		return nil
	})
	return positions, err
}

// Archive stores ticks and moves the function's positions to "to", in one
// transaction: both or neither. from holds what [DB.Positions] said, as far as
// it knew the partitions of to. Every tick must lie in its partition after from
// and not after to; the offsets between may have gaps. Times are stored to the
// microsecond.
//
// The error is [streamflow.ErrFenced] where a position is no longer that of from. Any
// other error after the work was sent (a lost connection, the context) leaves
// open whether it was committed, so after every error the caller reads
// [DB.Positions] and goes on from what they say. No content of a tick that
// [streamflow.DecodeTick] accepts makes the transaction fail.
func (d *DB) Archive(ctx context.Context, function string, ticks []streamflow.Mirrored, from, to map[streamflow.Partition]int64) error {
	moves, err := d.moves(from, to)
	if err != nil {
		return fmt.Errorf("postgres: archive: %w", err)
	}
	if err := covered(ticks, moves); err != nil {
		return fmt.Errorf("postgres: archive: %w", err)
	}
	if len(moves) == 0 {
		return nil
	}
	ctx, cancel := d.bound(ctx)
	defer cancel()
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("postgres: archive: %w", err)
	}
	defer conn.Release()
	if err := archive(ctx, conn.Conn(), function, ticks, moves); err != nil {
		rollback(ctx, conn)
		var refused *pgconn.PgError
		if errors.As(err, &refused) && refused.Code == "55P03" { // lock_not_available
			d.evict(ctx)
		}
		return fmt.Errorf("postgres: archive %d ticks: %w", len(ticks), err)
	}
	return nil
}

// move is one step of a position.
type move struct {
	in       streamflow.Partition
	from, to int64
	known    bool // there is a row already
}

// moves returns the steps in one order for all writers, so that two of them
// never wait for each other in a circle.
func (d *DB) moves(from, to map[streamflow.Partition]int64) ([]move, error) {
	moves := make([]move, 0, len(to))
	for in, offset := range to {
		m := move{in: in, to: offset, from: -1}
		if before, ok := from[in]; ok {
			m.from, m.known = before, true
		}
		if in.Topic != d.topic {
			return nil, fmt.Errorf("partition %s/%d: the table holds topic %s", in.Topic, in.Number, d.topic)
		}
		if m.to < m.from {
			return nil, fmt.Errorf("partition %s/%d: from %d back to %d", in.Topic, in.Number, m.from, m.to)
		}
		moves = append(moves, m)
	}
	slices.SortFunc(moves, func(a, b move) int { return cmp.Compare(a.in.Number, b.in.Number) })
	return moves, nil
}

// covered refuses a tick that the moves do not cover: it would be stored again,
// or be taken for lost, whoever is wrong.
func covered(ticks []streamflow.Mirrored, moves []move) error {
	last := 0
	for i := range ticks {
		p := &ticks[i].Position
		if len(moves) == 0 || moves[last].in.Number != p.Partition {
			last = slices.IndexFunc(moves, func(m move) bool { return m.in.Number == p.Partition })
		}
		if last < 0 || moves[last].in.Topic != p.Topic || p.Offset <= moves[last].from || p.Offset > moves[last].to {
			return fmt.Errorf("tick %s is not covered by the positions", p)
		}
	}
	return nil
}

const (
	sqlMove = `UPDATE ` + streamflow.TablePositions + ` SET kafka_offset = $1, updated_at = now()
		WHERE function = $2 AND topic = $3 AND partition = $4 AND kafka_offset = $5`
	sqlFirst = `INSERT INTO ` + streamflow.TablePositions + ` (kafka_offset, function, topic, partition)
		VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
	// COMMIT travels with the rows: one round trip less, and it is not reached
	// where COPY fails.
	sqlCopy = `COPY ` + streamflow.TableTicks + ` (` + copyColumns + `) FROM STDIN (FORMAT binary); COMMIT`
)

// archive is the transaction. The positions come first: a writer that is too
// late learns it before it sends its rows, and one that is early waits for the
// row lock of the other.
func archive(ctx context.Context, conn *pgx.Conn, function string, ticks []streamflow.Mirrored, moves []move) error {
	batch := &pgx.Batch{}
	batch.Queue(`BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`)
	for _, m := range moves {
		if m.known {
			batch.Queue(sqlMove, m.to, function, m.in.Topic, m.in.Number, m.from)
		} else {
			batch.Queue(sqlFirst, m.to, function, m.in.Topic, m.in.Number)
		}
	}
	results := conn.SendBatch(ctx, batch)
	_, err := results.Exec()
	for i := 0; i < len(moves) && err == nil; i++ {
		var tag pgconn.CommandTag
		if tag, err = results.Exec(); err == nil && tag.RowsAffected() != 1 {
			m := moves[i]
			err = fmt.Errorf("position of %s in %s/%d is not %d: %w", function, m.in.Topic, m.in.Number, m.from, streamflow.ErrFenced)
		}
	}
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	var tag pgconn.CommandTag
	if len(ticks) == 0 {
		tag, err = conn.Exec(ctx, `COMMIT`)
	} else {
		rows := encodeTicks(ticks)
		defer rows.free()
		tag, err = conn.PgConn().CopyFrom(ctx, rows, sqlCopy)
	}
	if err == nil && tag.String() != "COMMIT" {
		err = fmt.Errorf("the server answered %q to COMMIT", tag)
	}
	return err
}
