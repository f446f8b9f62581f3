package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"streamflow"
)

// Limits of a page of candles.
const (
	DefaultCandles = 500
	MaxCandles     = 10_000
)

// CandlesQuery asks for the candles of one symbol and interval, newest first.
type CandlesQuery struct {
	Symbol   string
	Interval streamflow.Interval
	From, To time.Time // of starts, half-open [From, To); zero is open
	Limit    int       // 0: DefaultCandles; at most MaxCandles
	// After is the start of the last candle of the page before: only what follows
	// it in the order of the query. Zero is the first page.
	After       time.Time
	OldestFirst bool
	ClosedOnly  bool // without those that still grow
}

// Candles returns a page of candles by start. Starts are the keys, so pages
// neither overlap nor leave a gap. Times without ticks have no candle.
func (d *DB) Candles(ctx context.Context, q CandlesQuery) ([]streamflow.Candle, error) {
	if q.Symbol == "" || q.Interval.Duration() == 0 {
		return nil, errors.New("postgres: candles: the symbol or the interval is missing")
	}
	ctx, cancel := d.bound(ctx)
	defer cancel()
	sql, args := q.sql()
	rows, err := d.pool.Query(ctx, sql, append([]any{inBinary}, args...)...)
	candles := []streamflow.Candle{}
	if err == nil {
		err = each(rows, func(row [][]byte) error {
			c, err := readCandle(row, &q, d.topic)
			candles = append(candles, c)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("postgres: candles of %s: %w", q.Symbol, err)
	}
	return candles, nil
}

func (q *CandlesQuery) sql() (string, []any) {
	order, beyond := "DESC", "<"
	if q.OldestFirst {
		order, beyond = "ASC", ">"
	}
	limit := q.Limit
	if limit <= 0 {
		limit = DefaultCandles
	}
	w := where{args: []any{q.Symbol, string(q.Interval), min(limit, MaxCandles)}}
	w.b.WriteString(`SELECT ` + candleNames + ` FROM ` + streamflow.TableCandles + ` WHERE symbol = $1 AND interval = $2`)
	w.span("start", q.From, q.To)
	if !q.After.IsZero() {
		w.and("start "+beyond+" ?", q.After)
	}
	if q.ClosedOnly {
		w.and("closed")
	}
	return w.b.String() + ` ORDER BY start ` + order + ` LIMIT $3`, w.args
}

// where adds conditions and their arguments to a query.
type where struct {
	b    strings.Builder
	args []any
}

// and adds a condition; each ? stands for the next of args.
func (w *where) and(condition string, args ...any) {
	w.b.WriteString(" AND ")
	for _, arg := range args {
		before, behind, _ := strings.Cut(condition, "?")
		w.args = append(w.args, arg)
		w.b.WriteString(before + "$" + strconv.Itoa(len(w.args)))
		condition = behind
	}
	w.b.WriteString(condition)
}

// span bounds a time to [from, to); zero is open.
func (w *where) span(column string, from, to time.Time) {
	if !from.IsZero() {
		w.and(column+" >= ?", up(from))
	}
	if !to.IsZero() {
		w.and(column+" < ?", up(to))
	}
}

// readCandle reads a row of candleNames of the symbol and interval of q.
func readCandle(row [][]byte, q *CandlesQuery, topic string) (streamflow.Candle, error) {
	if len(row) != 14 || len(row[2]) != 8 || len(row[12]) != 4 || len(row[13]) != 1 {
		return streamflow.Candle{}, fmt.Errorf("a row of %s has another form than it should", streamflow.TableCandles)
	}
	return streamflow.Candle{
		Symbol: q.Symbol, Interval: q.Interval, Start: goTime(integer(row[2])),
		Open: float(row[3]), High: float(row[4]), Low: float(row[5]), Close: float(row[6]),
		Volume: integer(row[7]), Trades: integer(row[8]), VWAP: float(row[9]),
		Amended: integer(row[10]), Closed: row[13][0] != 0,
		Last: streamflow.Position{Topic: topic, Partition: int32(binary.BigEndian.Uint32(row[12])), Offset: integer(row[11])},
	}, nil
}
