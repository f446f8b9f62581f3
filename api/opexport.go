package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// TicksExportInput asks for all ticks of a time.
type TicksExportInput struct {
	SymbolParam
	SpanParams
}

// CandlesExportInput asks for all candles of a time.
type CandlesExportInput struct {
	SymbolParam
	IntervalParam
	SpanParams
	Fill string `query:"fill" enum:"none,previous" default:"none" example:"none" doc:"What stands where there were no ticks: nothing, or the close before, with volume 0. That there were none is known 10 s after the end of a candle: so long the gap stays"`
}

const exportDescription = " The oldest comes first. The answer streams while it is read: if it is cut off (the connection ends " +
	"without the last chunk), a query failed on the way. It is not paged: bound it with from and to."

// maxExports is how many exports run at one time: each holds a chunk of rows,
// and takes the database's time for as long as its client reads.
const maxExports = 8

func (s *Server) registerExports(api huma.API) {
	places := make(gate, maxExports)
	for _, f := range formats {
		huma.Register(api, exportOperation("export-ticks-"+f.name, "/api/stocks/{symbol}/ticks."+f.name, "stocks", f,
			"Ticks as "+f.title, "All stored ticks of a time, "+f.doc+exportDescription),
			func(ctx context.Context, in *TicksExportInput) (*huma.StreamResponse, error) {
				return s.exportTicks(ctx, in, f, places)
			})
		huma.Register(api, exportOperation("export-candles-"+f.name, "/api/stocks/{symbol}/candles."+f.name, "candles", f,
			"Candles as "+f.title, "All stored candles of a time, "+f.doc+exportDescription),
			func(ctx context.Context, in *CandlesExportInput) (*huma.StreamResponse, error) {
				return s.exportCandles(ctx, in, f, places)
			})
	}
}

func (s *Server) exportTicks(ctx context.Context, in *TicksExportInput, f format, places gate) (*huma.StreamResponse, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	rows := s.storedTicks(ctx, TicksQuery{Symbol: in.Symbol, From: in.From, To: in.To, Limit: chunk})
	return export(s, in.Symbol, "ticks", f, rows, f.tick, streamflow.TickColumns, places)
}

func (s *Server) exportCandles(ctx context.Context, in *CandlesExportInput, f format, places gate) (*huma.StreamResponse, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	rows := s.candles(ctx, candleView{
		symbol: in.Symbol, interval: in.Interval, from: in.From, to: in.To, fill: in.Fill == "previous", rows: chunk,
	})
	return export(s, in.Symbol, "candles-"+string(in.Interval), f, rows, f.candle, streamflow.CandleColumns, places)
}

func exportOperation(id, path, tag string, f format, summary, description string) huma.Operation {
	op := get(id, path, tag, summary, description, append([]int{http.StatusNotFound}, errorsOfQueries...)...)
	op.Responses = map[string]*huma.Response{"200": {
		Description: "OK",
		Headers:     map[string]*huma.Param{"Content-Disposition": {Schema: &huma.Schema{Type: huma.TypeString}, Description: "Names the file"}},
		Content:     map[string]*huma.MediaType{f.media: {Schema: &huma.Schema{Type: huma.TypeString}, Example: f.example}},
	}}
	return op
}
