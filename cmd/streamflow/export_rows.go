package main

import (
	"context"
	"io"

	"streamflow"
	"streamflow/infra/parquet"
	"streamflow/infra/postgres"
)

// rowWriter writes rows in one format. Close writes the end of them.
type rowWriter[T any] interface {
	Write(rows []T) error
	Close() error
}

// newTickRows returns a writer of ticks to w: csv, ndjson or parquet. A line of
// JSON is the tick as it stands in Kafka; ingest sends it as it is.
func newTickRows(format string, w io.Writer) rowWriter[streamflow.Mirrored] {
	switch format {
	case formatParquet:
		return parquet.Ticks(w)
	case formatNDJSON:
		return &textRows[streamflow.Mirrored]{w: w, row: func(b []byte, m *streamflow.Mirrored) []byte { return append(m.Tick.AppendJSON(b), '\n') }}
	}
	return &textRows[streamflow.Mirrored]{w: w, b: []byte(streamflow.TickColumns + "\r\n"), row: func(b []byte, m *streamflow.Mirrored) []byte { return m.AppendCSV(b) }}
}

// newCandleRows returns a writer of candles to w.
func newCandleRows(format string, w io.Writer) rowWriter[streamflow.Candle] {
	switch format {
	case formatParquet:
		return parquet.Candles(w)
	case formatNDJSON:
		return &textRows[streamflow.Candle]{w: w, row: func(b []byte, c *streamflow.Candle) []byte { return append(c.AppendJSON(b), '\n') }}
	}
	return &textRows[streamflow.Candle]{w: w, b: []byte(streamflow.CandleColumns + "\r\n"), row: func(b []byte, c *streamflow.Candle) []byte { return c.AppendCSV(b) }}
}

// textRows writes a line for each row.
type textRows[T any] struct {
	w   io.Writer
	b   []byte // not written yet; at first the line of names
	row func(b []byte, row *T) []byte
}

// Write implements [rowWriter].
func (t *textRows[T]) Write(rows []T) error {
	for i := range rows {
		t.b = t.row(t.b, &rows[i])
	}
	_, err := t.w.Write(t.b)
	t.b = t.b[:0]
	return err
}

// Close implements [rowWriter].
func (t *textRows[T]) Close() error { return t.Write(nil) }

// exportTicks writes all pages of q and returns how many rows that were.
func exportTicks(ctx context.Context, db *postgres.DB, q postgres.TicksQuery, to rowWriter[streamflow.Mirrored]) (rows int, err error) {
	for {
		page, err := db.Ticks(ctx, q)
		if err == nil {
			err = to.Write(page)
		}
		if rows += len(page); err != nil || len(page) < q.Limit {
			return rows, err
		}
		after := postgres.CursorOf(page[len(page)-1])
		q.After = &after
	}
}

// exportCandles writes all pages of q and returns how many rows that were.
func exportCandles(ctx context.Context, db *postgres.DB, q postgres.CandlesQuery, to rowWriter[streamflow.Candle]) (rows int, err error) {
	for {
		page, err := db.Candles(ctx, q)
		if err == nil {
			err = to.Write(page)
		}
		if rows += len(page); err != nil || len(page) < q.Limit {
			return rows, err
		}
		q.After = page[len(page)-1].Start
	}
}
