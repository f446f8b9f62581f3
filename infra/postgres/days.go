package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

// sqlDays goes from symbol to symbol in the index, instead of through all rows
// for the few different symbols that they have, and takes what is newest of
// each from there. Only the sums of the day need the rows of the day.
const sqlDays = `
WITH RECURSIVE symbols AS (
	(SELECT symbol FROM stock_ticks ORDER BY symbol LIMIT 1)
	UNION ALL
	SELECT (SELECT t.symbol FROM stock_ticks t WHERE t.symbol > s.symbol ORDER BY t.symbol LIMIT 1)
	FROM symbols s WHERE s.symbol IS NOT NULL
), sums AS MATERIALIZED (
	SELECT symbol, max(price) AS high, min(price) AS low, count(*) AS ticks,
	       least(sum(volume), 9223372036854775807)::bigint AS volume
	FROM stock_ticks WHERE time >= $1 AND time < $2
	GROUP BY symbol
)
SELECT ` + tickColumns + `, opening.price, opening.time, d.high, d.low, d.volume, d.ticks, reference.price, reference.time
FROM symbols s
CROSS JOIN LATERAL (
	SELECT * FROM stock_ticks t WHERE t.symbol = s.symbol AND t.time < $2
	ORDER BY t.time DESC, t.kafka_partition DESC, t.kafka_offset DESC LIMIT 1) t
LEFT JOIN LATERAL (
	SELECT o.price, o.time FROM stock_ticks o WHERE o.symbol = s.symbol AND o.time >= $1 AND o.time < $2
	ORDER BY o.time, o.kafka_partition, o.kafka_offset LIMIT 1) opening ON true
LEFT JOIN LATERAL (
	SELECT r.price, r.time FROM stock_ticks r WHERE r.symbol = s.symbol AND r.time < $1
	ORDER BY r.time DESC, r.kafka_partition DESC, r.kafka_offset DESC LIMIT 1) reference ON true
LEFT JOIN sums d ON d.symbol = s.symbol
WHERE s.symbol IS NOT NULL
ORDER BY s.symbol`

// Days returns what every symbol did on the day that begins at date (24 hours,
// by event time), and the positions up to which that is so: those of function
// [streamflow.FunctionArchive] in the same snapshot, from which a reader of the
// stream goes on. A symbol whose first tick is after the day is not there; one
// that rested on the day has Ticks 0, and its Last and Reference. Symbols are
// in byte order.
func (d *DB) Days(ctx context.Context, date time.Time) (days []streamflow.Day, positions map[streamflow.Partition]int64, err error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	date = up(date).UTC()
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, d.pool, snapshot, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sqlPositions, streamflow.FunctionArchive)
		if err != nil {
			return err
		}
		if positions, err = collectPositions(rows); err != nil {
			return err
		}
		// Planned anew each time, for how many rows the day has decides the plan.
		rows, err = tx.Query(ctx, sqlDays, pgx.QueryExecModeCacheDescribe, inBinary, date, date.Add(24*time.Hour))
		if err != nil {
			return err
		}
		r := d.reader()
		return each(rows, func(row [][]byte) error {
			day, err := r.day(date, row)
			days = append(days, day)
			return err
		})
	})
	if err != nil {
		return nil, nil, fmt.Errorf("postgres: days of %s: %w", date.Format(time.DateOnly), err)
	}
	return days, positions, nil
}

func (r *reader) day(date time.Time, row [][]byte) (streamflow.Day, error) {
	last, err := r.tick(row)
	if err != nil {
		return streamflow.Day{}, err
	}
	row = row[tickFields:]
	return streamflow.Day{
		Symbol:        last.Tick.Symbol,
		Date:          date,
		Open:          float(row[0]),
		OpenTime:      instant(row[1]),
		High:          float(row[2]),
		Low:           float(row[3]),
		Volume:        integer(row[4]),
		Ticks:         integer(row[5]),
		Reference:     float(row[6]),
		ReferenceTime: instant(row[7]),
		Last:          last.Tick,
	}, nil
}
