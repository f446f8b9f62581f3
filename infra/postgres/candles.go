package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"streamflow"
)

// UpsertCandles stores candles where the table has none of their symbol,
// interval and start, or a less full version: fewer trades or, with as many,
// fewer amendments. A version that says closed closes the row for good, even if
// the row is fuller: time does not come back. So any number of writers may send
// any versions in any order and as often as they like, and the row ends as the
// fullest one.
//
// It returns how many rows it wrote, and for each candle that the table cannot
// hold why: its last tick is of another topic. After an error some candles may
// be stored; the caller sends all of them again.
func (d *DB) UpsertCandles(ctx context.Context, candles []streamflow.Candle) (written int64, refused []error, err error) {
	rows := make([]*streamflow.Candle, 0, len(candles))
	for i := range candles {
		c := &candles[i]
		if c.Last.Topic != d.topic {
			refused = append(refused, fmt.Errorf("%s is of topic %s, the table holds topic %s", candleName(c), c.Last.Topic, d.topic))
			continue
		}
		rows = append(rows, c)
	}
	written, more, err := upsert(ctx, d, sqlUpsert, fullest(rows), candleColumns, candleName)
	if err != nil {
		err = fmt.Errorf("postgres: %d candles: %w", len(candles), err)
	}
	return written, append(refused, more...), err
}

func candleName(c *streamflow.Candle) string {
	return fmt.Sprintf("candle %s %s %s", c.Symbol, c.Interval, c.Start.Format(time.RFC3339))
}

// fullest returns one version of each candle, in the order of the key: a
// statement cannot write a row twice, two writers that lock rows in one order
// never wait for each other in a circle, and neighbours share pages.
func fullest(rows []*streamflow.Candle) []*streamflow.Candle {
	slices.SortFunc(rows, byKey)
	merged := rows[:0]
	for _, c := range rows {
		if n := len(merged); n > 0 && byKey(merged[n-1], c) == 0 {
			merged[n-1] = fuller(merged[n-1], c)
		} else {
			merged = append(merged, c)
		}
	}
	return merged
}

func byKey(a, b *streamflow.Candle) int {
	return cmp.Or(strings.Compare(a.Symbol, b.Symbol), strings.Compare(string(a.Interval), string(b.Interval)), a.Start.Compare(b.Start))
}

// fuller is in Go what sqlUpsert does to a row.
func fuller(a, b *streamflow.Candle) *streamflow.Candle {
	if cmp.Or(cmp.Compare(b.Trades, a.Trades), cmp.Compare(b.Amended, a.Amended), cmp.Compare(b.Last.Offset, a.Last.Offset)) > 0 {
		a, b = b, a
	}
	if b.Closed && !a.Closed {
		closed := *a
		closed.Closed = true
		return &closed
	}
	return a
}

// sqlUpsert takes arrays: 100,000 candles a second and more. COPY into a table
// beside it and INSERT from there stores a quarter less with 500 at a time and a
// tenth more with 5,000 (BenchmarkUpsertCandles), and holds its locks for as long
// as a client that is paused between the two.
//
// The offset decides between versions that a loss has made different and that
// are else as full: whichever, but the same one in any order.
var sqlUpsert = upsertSQL()

func upsertSQL() string {
	const isFuller = `(excluded.trades, excluded.amended, excluded.last_offset) > (c.trades, c.amended, c.last_offset)`
	var b strings.Builder
	b.WriteString(`INSERT INTO ` + streamflow.TableCandles + ` AS c (` + candleNames + `)
		SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::float8[], $5::float8[], $6::float8[], $7::float8[],
			$8::bigint[], $9::bigint[], $10::float8[], $11::bigint[], $12::bigint[], $13::int[], $14::bool[])
		ON CONFLICT (symbol, interval, start) DO UPDATE SET updated_at = now(), closed = c.closed OR excluded.closed`)
	for _, name := range strings.Split(candleNames, ", ")[3:] {
		if name != "closed" {
			b.WriteString(", " + name + ` = CASE WHEN ` + isFuller + ` THEN excluded.` + name + ` ELSE c.` + name + ` END`)
		}
	}
	b.WriteString(` WHERE ` + isFuller + ` OR excluded.closed AND NOT c.closed`)
	return b.String()
}

// candleNames are the columns of a candle in the order of candleColumns and
// readCandle, the key first.
const candleNames = `symbol, interval, start, open, high, low, close, volume, trades, vwap, amended, last_offset, last_partition, closed`

func candleColumns(rows []*streamflow.Candle) []any {
	n := len(rows)
	symbol, interval, start := make([]string, n), make([]string, n), make([]time.Time, n)
	open, high, low, closing, vwap := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	volume, trades, amended, offset := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	partition, closed := make([]int32, n), make([]bool, n)
	for i, c := range rows {
		symbol[i], interval[i], start[i] = c.Symbol, string(c.Interval), c.Start
		open[i], high[i], low[i], closing[i], vwap[i] = c.Open, c.High, c.Low, c.Close, c.VWAP
		volume[i], trades[i], amended[i], offset[i] = c.Volume, c.Trades, c.Amended, c.Last.Offset
		partition[i], closed[i] = c.Last.Partition, c.Closed
	}
	return []any{symbol, interval, start, open, high, low, closing, volume, trades, vwap, amended, offset, partition, closed}
}
