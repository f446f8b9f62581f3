package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"streamflow"
)

// TickCursor is where a page of [DB.Ticks] ended: its last tick.
type TickCursor struct {
	Time      time.Time
	Partition int32
	Offset    int64
}

// CursorOf returns the cursor that stands on m.
func CursorOf(m streamflow.Mirrored) TickCursor {
	return TickCursor{Time: m.Tick.Time, Partition: m.Position.Partition, Offset: m.Position.Offset}
}

// Limits of a page.
const (
	DefaultTicks = 1000
	MaxTicks     = 10_000
)

// TicksQuery asks for the ticks of one symbol by event time, newest first.
type TicksQuery struct {
	Symbol      string
	From, To    time.Time   // half-open [From, To); zero is open
	Limit       int         // 0: DefaultTicks; at most MaxTicks
	After       *TickCursor // only what follows it in the order of the query
	OldestFirst bool
}

// Ticks returns a page of ticks, ordered by time, partition and offset. That
// order is total, so pages neither overlap nor leave a gap, whatever is stored
// meanwhile; a tick that is stored late appears on the page where it belongs if
// that is still to come. Previous is -1 and Hops nil: the table holds neither.
func (d *DB) Ticks(ctx context.Context, q TicksQuery) ([]streamflow.Mirrored, error) {
	if q.Symbol == "" {
		return nil, errors.New("postgres: ticks: the symbol is missing")
	}
	ctx, cancel := d.bound(ctx)
	defer cancel()
	sql, args := q.sql()
	rows, err := d.pool.Query(ctx, sql, append([]any{inBinary}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("postgres: ticks of %s: %w", q.Symbol, err)
	}
	ticks, err := d.reader().collect(rows)
	if err != nil {
		return nil, fmt.Errorf("postgres: ticks of %s: %w", q.Symbol, err)
	}
	return ticks, nil
}

// sql builds the query. The cursor is one row comparison, of which the index
// takes the time; written out with AND and OR it would start at the newest tick.
func (q *TicksQuery) sql() (string, []any) {
	order, beyond := "DESC", "<"
	if q.OldestFirst {
		order, beyond = "ASC", ">"
	}
	limit := q.Limit
	if limit <= 0 {
		limit = DefaultTicks
	}
	w := where{args: []any{q.Symbol, min(limit, MaxTicks)}}
	w.b.WriteString(`SELECT ` + tickColumns + ` FROM ` + streamflow.TableTicks + ` t WHERE t.symbol = $1`)
	w.span("t.time", q.From, q.To)
	if c := q.After; c != nil {
		w.and("(t.time, t.kafka_partition, t.kafka_offset) "+beyond+" (?, ?, ?)", c.Time, c.Partition, c.Offset)
	}
	return w.b.String() + ` ORDER BY t.time ` + order + `, t.kafka_partition ` + order + `, t.kafka_offset ` + order + ` LIMIT $2`, w.args
}

// up rounds a bound up to the microsecond, below which the table knows nothing:
// the times t >= bound and t < bound stay the same.
func up(t time.Time) time.Time {
	if down := t.Truncate(time.Microsecond); !down.Equal(t) {
		return down.Add(time.Microsecond)
	}
	return t
}

// At returns the tick at a position, and whether it is stored.
func (d *DB) At(ctx context.Context, p streamflow.Position) (streamflow.Mirrored, bool, error) {
	if p.Topic != d.topic {
		return streamflow.Mirrored{}, false, nil
	}
	ctx, cancel := d.bound(ctx)
	defer cancel()
	rows, err := d.pool.Query(ctx, `SELECT `+tickColumns+` FROM `+streamflow.TableTicks+
		` t WHERE t.kafka_partition = $1 AND t.kafka_offset = $2`, inBinary, p.Partition, p.Offset)
	if err != nil {
		return streamflow.Mirrored{}, false, fmt.Errorf("postgres: tick %s: %w", p, err)
	}
	ticks, err := d.reader().collect(rows)
	if err != nil {
		return streamflow.Mirrored{}, false, fmt.Errorf("postgres: tick %s: %w", p, err)
	}
	if len(ticks) == 0 {
		return streamflow.Mirrored{}, false, nil
	}
	return ticks[0], true, nil
}

// HasSymbol reports whether any tick of symbol is stored.
func (d *DB) HasSymbol(ctx context.Context, symbol string) (bool, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	var has bool
	err := d.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM `+streamflow.TableTicks+` WHERE symbol = $1)`, symbol).Scan(&has)
	if err != nil {
		return false, fmt.Errorf("postgres: symbol %s: %w", symbol, err)
	}
	return has, nil
}
