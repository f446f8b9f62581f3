package postgres

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

// BenchmarkUpsertCandles compares columns as arrays with COPY into a temporary
// table, for new candles and for those that grow.
func BenchmarkUpsertCandles(b *testing.B) {
	for name, upsert := range map[string]func(context.Context, *DB, []streamflow.Candle) error{
		"arrays": func(ctx context.Context, d *DB, candles []streamflow.Candle) error {
			_, _, err := d.UpsertCandles(ctx, candles)
			return err
		},
		"copy": upsertByCopy,
	} {
		for _, size := range []int{500, 5000} {
			for _, grow := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/candles=%d/grow=%v", name, size, grow), func(b *testing.B) {
					d := newDB(b)
					round := 0
					b.ReportAllocs()
					for b.Loop() {
						b.StopTimer()
						round++
						start := round
						if grow {
							start = 0
						}
						candles := manyCandles(size, start, int64(round))
						b.StartTimer()
						if err := upsert(b.Context(), d, candles); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "rows/s")
				})
			}
		}
	}
}

// manyCandles returns candles of five intervals and many symbols.
func manyCandles(n, round int, trades int64) []streamflow.Candle {
	candles := make([]streamflow.Candle, n)
	for i := range candles {
		interval := streamflow.Intervals[1+i%5]
		candles[i] = streamflow.Candle{
			Symbol: fmt.Sprintf("S%04d", i/5), Interval: interval, Start: day.Add(time.Duration(round) * interval.Duration()),
			Open: 1, High: 3, Low: 0.5, Close: 2, Volume: trades * 10, Trades: trades, VWAP: 1.7,
			Last: streamflow.Position{Topic: streamflow.TopicTicks, Partition: int32(i % 3), Offset: trades},
		}
	}
	return candles
}

// upsertByCopy is what UpsertCandles is measured against.
func upsertByCopy(ctx context.Context, d *DB, candles []streamflow.Candle) error {
	rows := make([]*streamflow.Candle, len(candles))
	for i := range candles {
		rows[i] = &candles[i]
	}
	rows = fullest(rows)
	return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `CREATE TEMPORARY TABLE IF NOT EXISTS staging (LIKE candles) ON COMMIT DELETE ROWS`)
		if err != nil {
			return err
		}
		columns := []string{"symbol", "interval", "start", "open", "high", "low", "close", "volume", "trades", "vwap", "amended", "last_offset", "last_partition", "closed", "updated_at"}
		now := time.Now()
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"staging"}, columns, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
			c := rows[i]
			return []any{c.Symbol, string(c.Interval), c.Start, c.Open, c.High, c.Low, c.Close, c.Volume, c.Trades, c.VWAP, c.Amended, c.Last.Offset, c.Last.Partition, c.Closed, now}, nil
		}))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, sqlUpsertStaging)
		return err
	})
}

var sqlUpsertStaging = func() string {
	before, behind, _ := strings.Cut(sqlUpsert, "SELECT * FROM")
	_, behind, _ = strings.Cut(behind, "ON CONFLICT")
	return before + "SELECT " + candleNames + " FROM staging ON CONFLICT" + behind
}()
