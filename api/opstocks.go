package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// StockList is the answer of GET /api/stocks.
type StockList struct {
	Stocks []Stock    `json:"stocks" doc:"All stocks, by symbol"`
	AsOf   *time.Time `json:"asOf" nullable:"true" example:"2025-11-21T14:30:00.125Z" doc:"When the stream took the newest tick of the list: a list that stands still looks old"`
}

func (s *Server) registerStocks(api huma.API) {
	type list struct{ Body StockList }
	huma.Register(api, get("list-stocks", "/api/stocks", "stocks", "All stocks",
		"The newest tick of every stock and what it did on the current UTC day, by event time. "+
			"The figures of the day are null while the database cannot be read.", http.StatusServiceUnavailable),
		func(context.Context, *struct{}) (*list, error) {
			stocks, asOf, ok := s.board.stocks(time.Now())
			if !ok {
				return nil, s.notRead()
			}
			for i := range stocks {
				stocks[i].Trend = string(s.trends.of(stocks[i].Symbol))
			}
			out := &list{StockList{Stocks: stocks}}
			if !asOf.IsZero() {
				out.Body.AsOf = &asOf
			}
			return out, nil
		})
	type one struct{ Body Stock }
	type input struct {
		Symbol string `path:"symbol" maxLength:"32" example:"AAPL" doc:"The symbol, percent-encoded: BTC/USD is BTC%2FUSD"`
	}
	huma.Register(api, get("get-stock", "/api/stocks/{symbol}", "stocks", "One stock",
		"The newest tick of one stock and what it did on the current UTC day.", http.StatusNotFound, http.StatusServiceUnavailable),
		func(_ context.Context, in *input) (*one, error) {
			stock, found, seeded := s.board.stock(in.Symbol, time.Now())
			switch {
			case !seeded:
				return nil, s.notRead()
			case !found:
				return nil, unknownSymbol(in.Symbol)
			}
			stock.Trend = string(s.trends.of(in.Symbol))
			return &one{stock}, nil
		})
}

// notRead says that the stream has not been read yet, and why.
func (s *Server) notRead() error {
	if why := s.live.Trouble(streamflow.StreamTicks); why != "" {
		return unavailable("the stream of ticks cannot be read: %s", why)
	}
	return unavailable("the stream of ticks is being read: try again in a moment")
}

// mustKnow is asked about a symbol of which nothing was found: is there nothing
// in that time, or is there no such stock?
func (s *Server) mustKnow(symbol string) error {
	_, known, seeded := s.board.stock(symbol, time.Now())
	if !streamflow.ValidSymbol(symbol) || seeded && !known {
		return unknownSymbol(symbol)
	}
	return nil
}

func unknownSymbol(symbol string) error {
	return huma.Error404NotFound("there is no stock " + symbol + ": GET /api/stocks lists those that there are")
}
