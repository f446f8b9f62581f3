package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

// BenchmarkArchive is the whole transaction, against the server.
func BenchmarkArchive(b *testing.B) {
	for _, size := range []int{1, 100, 1000, 5000} {
		b.Run(fmt.Sprintf("ticks=%d", size), func(b *testing.B) {
			d := newDB(b)
			rng := rand.New(rand.NewPCG(1, 2))
			start := time.Now().UTC().Truncate(time.Microsecond)
			from, next := positions{}, int64(0)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				ticks, to := makeTicks(rng, size, 500, next, start, 10*time.Microsecond)
				for in, offset := range from {
					to[in] = max(to[in], offset)
				}
				next, start = next+int64(size), start.Add(time.Duration(size)*10*time.Microsecond)
				b.StartTimer()
				if err := d.Archive(b.Context(), streamflow.FunctionArchive, ticks, from, to); err != nil {
					b.Fatal(err)
				}
				from = to
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkCopy compares our encoder with pgx's, within one transaction shape.
func BenchmarkCopy(b *testing.B) {
	for _, size := range []int{1000, 5000} {
		for name, store := range map[string]func(context.Context, *pgx.Conn, []streamflow.Mirrored) error{
			"pgx": copyByPgx,
			"own": func(ctx context.Context, conn *pgx.Conn, ticks []streamflow.Mirrored) error {
				rows := encodeTicks(ticks)
				defer rows.free()
				_, err := conn.PgConn().CopyFrom(ctx, rows, `COPY stock_ticks (`+copyColumns+`) FROM STDIN (FORMAT binary)`)
				return err
			},
		} {
			b.Run(fmt.Sprintf("%s/ticks=%d", name, size), func(b *testing.B) {
				d := newDB(b)
				conn, err := d.pool.Acquire(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				defer conn.Release()
				rng := rand.New(rand.NewPCG(1, 2))
				start, next := time.Now().UTC(), int64(0)
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					ticks, _ := makeTicks(rng, size, 500, next, start, 10*time.Microsecond)
					next, start = next+int64(size), start.Add(time.Duration(size)*10*time.Microsecond)
					b.StartTimer()
					if err := store(b.Context(), conn.Conn(), ticks); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

// copyByPgx is what the encoder is measured against: pgx.CopyFrom with one
// slice of values for all rows.
func copyByPgx(ctx context.Context, conn *pgx.Conn, ticks []streamflow.Mirrored) error {
	columns := []string{"time", "price", "volume", "kafka_offset", "bid", "ask", "kafka_partition", "symbol", "id", "exchange", "extra"}
	i, values := 0, make([]any, len(columns))
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	quote := func(f float64) any {
		if f == 0 {
			return nil
		}
		return f
	}
	_, err := conn.CopyFrom(ctx, pgx.Identifier{streamflow.TableTicks}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		if i == len(ticks) {
			return nil, nil
		}
		t, p := &ticks[i].Tick, &ticks[i].Position
		i++
		values[0], values[1], values[2], values[3] = t.Time, t.Price, t.Volume, p.Offset
		values[4], values[5], values[6], values[7] = quote(t.Bid), quote(t.Ask), p.Partition, t.Symbol
		values[8], values[9], values[10] = text(t.ID), text(t.Exchange), nil
		if len(t.Extra) > 0 {
			values[10] = append(append([]byte("{"), t.Extra...), '}')
		}
		return values, nil
	}))
	return err
}

func BenchmarkEncode(b *testing.B) {
	ticks, _ := makeTicks(rand.New(rand.NewPCG(1, 2)), 5000, 500, 0, day, time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		encodeTicks(ticks).free()
	}
	b.ReportMetric(float64(b.N*5000)/b.Elapsed().Seconds(), "rows/s")
}
