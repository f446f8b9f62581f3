package main

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"streamflow"
	"streamflow/infra/postgres"
)

// exportRows writes rows in the form of the API's exports, with one difference:
// a text stays as it is, also if a spreadsheet would take it for a formula, so
// that what is read back is what was stored.
type exportRows struct {
	w     io.Writer
	json  bool
	named bool // the line of names is written
	count int64
	b     []byte
}

// The names of the columns.
const (
	exportTickNames   = "timestamp,symbol,price,volume,bid,ask,id,exchange,partition,offset,extra\r\n"
	exportCandleNames = "symbol,interval,start,open,high,low,close,volume,trades,vwap,closed,amended\r\n"
)

// ticks writes all pages of q.
func (e *exportRows) ticks(ctx context.Context, db *postgres.DB, q postgres.TicksQuery) error {
	e.names(exportTickNames)
	for {
		page, err := db.Ticks(ctx, q)
		for i := range page {
			if e.json {
				e.jsonTick(&page[i])
			} else {
				e.csvTick(&page[i])
			}
		}
		if err := e.flush(len(page), err); err != nil || len(page) < q.Limit {
			return err
		}
		after := postgres.CursorOf(page[len(page)-1])
		q.After = &after
	}
}

// candles writes all pages of q.
func (e *exportRows) candles(ctx context.Context, db *postgres.DB, q postgres.CandlesQuery) error {
	e.names(exportCandleNames)
	for {
		page, err := db.Candles(ctx, q)
		for i := range page {
			if e.json {
				e.b = append(page[i].AppendJSON(e.b), '\n')
			} else {
				e.csvCandle(&page[i])
			}
		}
		if err := e.flush(len(page), err); err != nil || len(page) < q.Limit {
			return err
		}
		q.After = page[len(page)-1].Start
	}
}

func (e *exportRows) names(line string) {
	if !e.json && !e.named {
		e.b, e.named = append(e.b, line...), true
	}
}

func (e *exportRows) flush(rows int, err error) error {
	if err != nil {
		return err
	}
	e.count += int64(rows)
	_, err = e.w.Write(e.b)
	e.b = e.b[:0]
	return err
}

// jsonTick writes a tick as it stands in Kafka; ingest sends it as it is.
func (e *exportRows) jsonTick(m *streamflow.Mirrored) { e.b = append(m.Tick.AppendJSON(e.b), '\n') }

func (e *exportRows) csvTick(m *streamflow.Mirrored) {
	t, b := &m.Tick, e.b
	b = t.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = exportCell(append(b, ','), t.Symbol)
	b = exportNumber(append(b, ','), t.Price)
	b = strconv.AppendInt(append(b, ','), t.Volume, 10)
	for _, quote := range [...]float64{t.Bid, t.Ask} {
		if b = append(b, ','); quote != 0 {
			b = exportNumber(b, quote)
		}
	}
	b = exportCell(append(b, ','), t.ID)
	b = exportCell(append(b, ','), t.Exchange)
	b = strconv.AppendInt(append(b, ','), int64(m.Position.Partition), 10)
	b = strconv.AppendInt(append(b, ','), m.Position.Offset, 10)
	if b = append(b, ','); len(t.Extra) > 0 {
		b = exportCell(b, "{"+string(t.Extra)+"}")
	}
	e.b = append(b, '\r', '\n')
}

func (e *exportRows) csvCandle(c *streamflow.Candle) {
	b := exportCell(e.b, c.Symbol)
	b = append(append(append(b, ','), c.Interval...), ',')
	b = c.Start.UTC().AppendFormat(b, time.RFC3339)
	for _, price := range [...]float64{c.Open, c.High, c.Low, c.Close} {
		b = exportNumber(append(b, ','), price)
	}
	b = strconv.AppendInt(append(b, ','), c.Volume, 10)
	b = strconv.AppendInt(append(b, ','), c.Trades, 10)
	b = exportNumber(append(b, ','), c.VWAP)
	b = strconv.AppendBool(append(b, ','), c.Closed)
	b = strconv.AppendInt(append(b, ','), c.Amended, 10)
	e.b = append(b, '\r', '\n')
}

// exportNumber writes the shortest digits that read back as v.
func exportNumber(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'f', -1, 64) }

// exportCell writes a text by RFC 4180.
func exportCell(b []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") && strings.TrimSpace(s) == s {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}
