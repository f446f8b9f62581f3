package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

// Scan calls fn with every stored tick whose offset is at or below the mark of
// its partition, in no order, all of one snapshot. Partitions of other topics
// have no rows here. It holds one row in memory at a time and takes as long as
// it takes: only ctx ends it. An error of fn ends it and is returned.
func (d *DB) Scan(ctx context.Context, upTo map[streamflow.Partition]int64, fn func(streamflow.Mirrored) error) error {
	partitions, marks := []int32{}, []int64{}
	for in, mark := range upTo {
		if in.Topic == d.topic {
			partitions, marks = append(partitions, in.Number), append(marks, mark)
		}
	}
	// Ending early closes the connection; to read the rest would take longer.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	snapshot := pgx.TxOptions{AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, d.pool, snapshot, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT `+tickColumns+` FROM `+streamflow.TableTicks+` t
			JOIN unnest($1::int[], $2::bigint[]) AS mark (kafka_partition, kafka_offset)
			  ON t.kafka_partition = mark.kafka_partition AND t.kafka_offset <= mark.kafka_offset`,
			pgx.QueryExecModeCacheDescribe, inBinary, partitions, marks)
		if err != nil {
			return err
		}
		r := d.reader()
		return each(rows, func(row [][]byte) error {
			m, err := r.tick(row)
			if err == nil {
				err = fn(m)
			}
			if err != nil {
				cancel()
			}
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("postgres: scan: %w", err)
	}
	return nil
}
