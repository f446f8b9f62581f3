// Package parquet writes ticks and candles as Apache Parquet, with the columns
// of their CSV.
package parquet

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"streamflow"
)

const (
	// groupRows is how many rows are written together: all that is held in
	// memory, compressed, and the least that a reader skips or gives a thread.
	groupRows = 122_880
	pageBytes = 256 << 10
	chunk     = 512
)

// tick is a row of ticks. What is not known is null; it is a pointer because the
// library writes some zero values of an optional column as values.
type tick struct {
	Time      int64    `parquet:"timestamp,delta,timestamp(microsecond:utc)"`
	Symbol    string   `parquet:"symbol,dict"`
	Price     float64  `parquet:"price"`
	Volume    int64    `parquet:"volume"`
	Bid       *float64 `parquet:"bid,optional"`
	Ask       *float64 `parquet:"ask,optional"`
	ID        *string  `parquet:"id,optional"`
	Exchange  *string  `parquet:"exchange,optional,dict"`
	Partition int32    `parquet:"partition"`
	Offset    int64    `parquet:"offset,delta"`
	Extra     *string  `parquet:"extra,optional"` // a JSON object as text: what it tags as JSON the library writes as null
}

// candle is a row of candles.
type candle struct {
	Symbol   string  `parquet:"symbol,dict"`
	Interval string  `parquet:"interval,dict"`
	Start    int64   `parquet:"start,delta,timestamp(microsecond:utc)"`
	Open     float64 `parquet:"open"`
	High     float64 `parquet:"high"`
	Low      float64 `parquet:"low"`
	Close    float64 `parquet:"close"`
	Volume   int64   `parquet:"volume"`
	Trades   int64   `parquet:"trades"`
	VWAP     float64 `parquet:"vwap"`
	Closed   bool    `parquet:"closed"`
	Amended  int64   `parquet:"amended"`
	Filled   bool    `parquet:"filled"`
}

// Writer writes rows T to a file. Memory is that of one group of rows.
type Writer[T any] struct {
	write func([]T) error
	close func() error
}

// Write adds rows.
func (w *Writer[T]) Write(rows []T) error { return w.write(rows) }

// Close writes what is held and the end of the file, without which it cannot be
// read. What the file is written to stays open.
func (w *Writer[T]) Close() error { return w.close() }

// Ticks returns a writer of ticks to w.
func Ticks(w io.Writer) *Writer[streamflow.Mirrored] {
	return newWriter(w, func(m *streamflow.Mirrored) tick {
		t := &m.Tick
		row := tick{
			Time: t.Time.UnixMicro(), Symbol: t.Symbol, Price: t.Price, Volume: t.Volume, Bid: known(&t.Bid), Ask: known(&t.Ask),
			ID: known(&t.ID), Exchange: known(&t.Exchange), Partition: m.Position.Partition, Offset: m.Position.Offset,
		}
		if len(t.Extra) > 0 {
			extra := "{" + string(t.Extra) + "}"
			row.Extra = &extra
		}
		return row
	})
}

// known returns v, nil if it is zero.
func known[T comparable](v *T) *T {
	var zero T
	if *v == zero {
		return nil
	}
	return v
}

// Candles returns a writer of candles to w.
func Candles(w io.Writer) *Writer[streamflow.Candle] {
	return newWriter(w, func(c *streamflow.Candle) candle {
		return candle{
			Symbol: c.Symbol, Interval: string(c.Interval), Start: c.Start.UnixMicro(), Open: c.Open, High: c.High, Low: c.Low, Close: c.Close,
			Volume: c.Volume, Trades: c.Trades, VWAP: c.VWAP, Closed: c.Closed, Amended: c.Amended, Filled: c.Trades == 0,
		}
	})
}

func newWriter[T, R any](out io.Writer, row func(*T) R) *Writer[T] {
	file := parquet.NewGenericWriter[R](out,
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault, Concurrency: 1}),
		parquet.MaxRowsPerRowGroup(groupRows), parquet.PageBufferSize(pageBytes),
		parquet.CreatedBy("StreamFlow", "1", "parquet-go")) // of this schema
	rows := make([]R, 0, chunk)
	return &Writer[T]{
		close: file.Close,
		write: func(all []T) error {
			for len(all) > 0 {
				n := min(len(all), chunk)
				rows = rows[:0]
				for i := range all[:n] {
					rows = append(rows, row(&all[i]))
				}
				if _, err := file.Write(rows); err != nil {
					return fmt.Errorf("parquet: %w", err)
				}
				all = all[n:]
			}
			return nil
		},
	}
}
