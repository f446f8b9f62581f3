package postgres

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

// tickColumns are those of a stored tick, in the order of [reader.tick]; t is
// the table. They are asked for in binary, and read without reflection: verify
// reads the whole table.
const (
	tickColumns = `t.time, t.price, t.volume, t.kafka_offset, t.bid, t.ask, t.kafka_partition, t.symbol, t.id, t.exchange, t.extra, t.stored_at`
	tickFields  = 12
)

// inBinary asks for all columns in binary, json too (its bytes are its text).
var inBinary = pgx.QueryResultFormats{pgx.BinaryFormatCode}

// reader turns rows into ticks. It keeps the few texts that come again and again.
type reader struct {
	topic string
	texts map[string]string
}

func (d *DB) reader() *reader { return &reader{topic: d.topic, texts: map[string]string{}} }

// tick reads a row that begins with tickColumns.
func (r *reader) tick(row [][]byte) (streamflow.Mirrored, error) {
	if len(row) < tickFields || len(row[0]) != 8 || len(row[1]) != 8 || len(row[2]) != 8 ||
		len(row[3]) != 8 || len(row[6]) != 4 || len(row[11]) != 8 {
		return streamflow.Mirrored{}, fmt.Errorf("a row of %s has another form than it should", streamflow.TableTicks)
	}
	m := streamflow.Mirrored{
		Tick: streamflow.Tick{
			Time:     goTime(integer(row[0])),
			Price:    float(row[1]),
			Volume:   integer(row[2]),
			Bid:      float(row[4]),
			Ask:      float(row[5]),
			Symbol:   r.text(row[7]),
			ID:       string(row[8]),
			Exchange: r.text(row[9]),
		},
		Position: streamflow.Position{
			Topic:     r.topic,
			Partition: int32(binary.BigEndian.Uint32(row[6])),
			Offset:    integer(row[3]),
		},
		Previous: -1, // the table does not say
		Stored:   goTime(integer(row[11])),
	}
	if extra := row[10]; len(extra) > 2 {
		m.Tick.Extra = append([]byte(nil), extra[1:len(extra)-1]...)
	}
	return m, nil
}

// maxTexts keeps a table with endless symbols from filling the memory.
const maxTexts = 1 << 16

func (r *reader) text(b []byte) string {
	if s, ok := r.texts[string(b)]; ok || b == nil {
		return s
	}
	s := string(b)
	if len(r.texts) < maxTexts {
		r.texts[s] = s
	}
	return s
}

// integer reads an int8; NULL is 0.
func integer(b []byte) int64 {
	if len(b) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

// float reads a float8; NULL is 0.
func float(b []byte) float64 { return math.Float64frombits(uint64(integer(b))) }

// instant reads a timestamptz; NULL is the zero time.
func instant(b []byte) time.Time {
	if b == nil {
		return time.Time{}
	}
	return goTime(integer(b))
}

// each calls fn with every row, which is valid until it returns.
func each(rows pgx.Rows, fn func(row [][]byte) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.RawValues()); err != nil {
			return err
		}
	}
	return rows.Err()
}

// collect reads all ticks.
func (r *reader) collect(rows pgx.Rows) ([]streamflow.Mirrored, error) {
	ticks := []streamflow.Mirrored{}
	err := each(rows, func(row [][]byte) error {
		m, err := r.tick(row)
		ticks = append(ticks, m)
		return err
	})
	return ticks, err
}
