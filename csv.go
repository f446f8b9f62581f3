package streamflow

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The columns of CSV, in the order in which [Mirrored.AppendCSV] and
// [Candle.AppendCSV] write them.
const (
	TickColumns   = "timestamp,symbol,price,volume,bid,ask,id,exchange,partition,offset,extra"
	CandleColumns = "symbol,interval,start,open,high,low,close,volume,trades,vwap,closed,amended,filled"
)

// AppendCSV appends m as a line of [TickColumns] (RFC 4180, with its end). What
// is not known is empty; extra is a JSON object.
func (m *Mirrored) AppendCSV(b []byte) []byte {
	t := &m.Tick
	b = t.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = appendCell(append(b, ','), t.Symbol)
	b = appendPlain(append(b, ','), t.Price)
	b = strconv.AppendInt(append(b, ','), t.Volume, 10)
	for _, quote := range [...]float64{t.Bid, t.Ask} {
		if b = append(b, ','); quote != 0 {
			b = appendPlain(b, quote)
		}
	}
	b = appendCell(append(b, ','), t.ID)
	b = appendCell(append(b, ','), t.Exchange)
	b = strconv.AppendInt(append(b, ','), int64(m.Position.Partition), 10)
	b = strconv.AppendInt(append(b, ','), m.Position.Offset, 10)
	if b = append(b, ','); len(t.Extra) > 0 {
		b = appendCell(b, "{"+string(t.Extra)+"}")
	}
	return append(b, '\r', '\n')
}

// AppendCSV appends c as a line of [CandleColumns] (RFC 4180, with its end).
// Filled is a candle without a trade, which stands where there were no ticks.
func (c *Candle) AppendCSV(b []byte) []byte {
	b = appendCell(b, c.Symbol)
	b = append(append(append(b, ','), c.Interval...), ',')
	b = c.Start.UTC().AppendFormat(b, time.RFC3339)
	for _, price := range [...]float64{c.Open, c.High, c.Low, c.Close} {
		b = appendPlain(append(b, ','), price)
	}
	b = strconv.AppendInt(append(b, ','), c.Volume, 10)
	b = strconv.AppendInt(append(b, ','), c.Trades, 10)
	b = appendPlain(append(b, ','), c.VWAP)
	b = strconv.AppendBool(append(b, ','), c.Closed)
	b = strconv.AppendInt(append(b, ','), c.Amended, 10)
	b = strconv.AppendBool(append(b, ','), c.Trades == 0)
	return append(b, '\r', '\n')
}

// appendPlain writes the shortest digits that read back as v, without an
// exponent: not every reader of CSV takes one.
func appendPlain(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'f', -1, 64) }

// appendCell writes a text of a tick, which anybody may have sent. What a
// spreadsheet would take for a formula gets an apostrophe before it, and so is
// shown as the text that it is; [CellText] takes it away again.
func appendCell(b []byte, s string) []byte {
	if isFormula(s) {
		s = "'" + s
	}
	if !strings.ContainsAny(s, ",;\"\r\n\t ") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}

// CellText returns the text that was written as a cell of CSV, when its quotes
// are gone: without the apostrophe that kept it from being a formula.
func CellText(cell string) string {
	if text, ok := strings.CutPrefix(cell, "'"); ok && isFormula(text) {
		return text
	}
	return cell
}

// isFormula reports whether s, or s behind apostrophes, is what a spreadsheet
// would compute. With the apostrophes every text has a cell of its own.
func isFormula(s string) bool {
	s = strings.TrimLeft(strings.TrimLeft(s, "'"), " \u00a0\ufeff")
	first, size := utf8.DecodeRuneInString(s)
	return size > 0 && strings.ContainsRune("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", first)
}
