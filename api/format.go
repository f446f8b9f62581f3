package api

import (
	"encoding/json"

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
		example: streamflow.CandleColumns + "\r\nAAPL,1m,2025-11-21T14:30:00Z,187.1,187.4,187.05,187.23,18250,211,187.201,true,0,false\r\n",
	},
	{
		name: "ndjson", title: "NDJSON", media: "application/x-ndjson", tick: jsonTick, candle: jsonCandle,
		doc:     "as one JSON object a line, in the form of the pages.",
		example: "{\"start\":\"2025-11-21T14:30:00Z\",\"open\":187.1,\"high\":187.4,\"low\":187.05,\"close\":187.23,...}\n",
	},
}

func csvTick(b []byte, m *streamflow.Mirrored) ([]byte, error) { return m.AppendCSV(b), nil }

func csvCandle(b []byte, c *streamflow.Candle) ([]byte, error) { return c.AppendCSV(b), nil }

func jsonTick(b []byte, m *streamflow.Mirrored) ([]byte, error) {
	text, err := StoredTick{m.Tick, m.Position}.MarshalJSON()
	return append(append(b, text...), '\n'), err
}

func jsonCandle(b []byte, c *streamflow.Candle) ([]byte, error) {
	text, err := json.Marshal(shownCandle(c))
	return append(append(b, text...), '\n'), err
}
