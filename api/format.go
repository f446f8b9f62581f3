package api

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"streamflow"
)

// format is a form in which rows are exported.
type format struct {
	name, title, media, doc, example string
	header                           bool // a line of names comes first
	tick                             func(b []byte, m *streamflow.Mirrored) ([]byte, error)
	candle                           func(b []byte, c *streamflow.Candle) ([]byte, error)
}

var formats = []format{
	{
		name: "csv", title: "CSV", media: "text/csv", header: true, tick: csvTick, candle: csvCandle,
		doc:     "as CSV (RFC 4180) with a line of names. A text that a spreadsheet could take for a formula has an apostrophe before it.",
		example: candleColumns + "\r\n2025-11-21T14:30:00Z,187.1,187.4,187.05,187.23,18250,211,187.201,true,0,false\r\n",
	},
	{
		name: "ndjson", title: "NDJSON", media: "application/x-ndjson", tick: jsonTick, candle: jsonCandle,
		doc:     "as one JSON object a line, in the form of the pages.",
		example: "{\"start\":\"2025-11-21T14:30:00Z\",\"open\":187.1,\"high\":187.4,\"low\":187.05,\"close\":187.23,...}\n",
	},
}

// The names of the columns.
const (
	tickColumns   = "timestamp,symbol,price,volume,bid,ask,id,exchange,partition,offset,extra"
	candleColumns = "start,open,high,low,close,volume,trades,vwap,closed,amended,filled"
)

func csvTick(b []byte, m *streamflow.Mirrored) ([]byte, error) {
	t := &m.Tick
	b = t.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = appendCell(append(b, ','), t.Symbol)
	b = appendPrice(append(b, ','), t.Price)
	b = strconv.AppendInt(append(b, ','), t.Volume, 10)
	for _, quote := range [...]float64{t.Bid, t.Ask} {
		if b = append(b, ','); quote != 0 {
			b = appendPrice(b, quote)
		}
	}
	b = appendCell(append(b, ','), t.ID)
	b = appendCell(append(b, ','), t.Exchange)
	b = strconv.AppendInt(append(b, ','), int64(m.Position.Partition), 10)
	b = strconv.AppendInt(append(b, ','), m.Position.Offset, 10)
	if b = append(b, ','); len(t.Extra) > 0 {
		b = appendCell(b, "{"+string(t.Extra)+"}")
	}
	return append(b, '\r', '\n'), nil
}

func csvCandle(b []byte, c *streamflow.Candle) ([]byte, error) {
	b = c.Start.UTC().AppendFormat(b, time.RFC3339)
	for _, price := range [...]float64{c.Open, c.High, c.Low, c.Close} {
		b = appendPrice(append(b, ','), price)
	}
	b = strconv.AppendInt(append(b, ','), c.Volume, 10)
	b = strconv.AppendInt(append(b, ','), c.Trades, 10)
	b = appendPrice(append(b, ','), c.VWAP)
	b = strconv.AppendBool(append(b, ','), c.Closed)
	b = strconv.AppendInt(append(b, ','), c.Amended, 10)
	b = strconv.AppendBool(append(b, ','), c.Trades == 0)
	return append(b, '\r', '\n'), nil
}

func jsonTick(b []byte, m *streamflow.Mirrored) ([]byte, error) {
	text, err := StoredTick{m.Tick, m.Position}.MarshalJSON()
	return append(append(b, text...), '\n'), err
}

func jsonCandle(b []byte, c *streamflow.Candle) ([]byte, error) {
	text, err := json.Marshal(shownCandle(c))
	return append(append(b, text...), '\n'), err
}

func appendPrice(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'f', -1, 64) }

// appendCell writes a text of a tick, which anybody may have sent. What a
// spreadsheet would take for a formula gets an apostrophe before it, and so is
// shown as the text that it is.
func appendCell(b []byte, s string) []byte {
	if trimmed := strings.TrimLeft(s, " \u00a0\ufeff"); trimmed != "" && strings.ContainsRune("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", firstRune(trimmed)) {
		s = "'" + s
	}
	if !strings.ContainsAny(s, ",;\"\r\n\t ") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}
