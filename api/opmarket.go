package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// registerMarket adds what is derived from ticks: candles, indicators, rules
// and alerts.
func (s *Server) registerMarket(api huma.API) {
	s.registerCandles(api)
	s.registerIndicators(api)
	s.registerCompare(api)
	s.registerExports(api)
	s.registerFormulas(api)
	s.registerRules(api)
	s.registerRuleTest(api)
	s.registerAlerts(api)
}

// errorsOfQueries are the statuses that a query of the database may end with.
var errorsOfQueries = []int{http.StatusServiceUnavailable, http.StatusGatewayTimeout}

// SymbolParam names a stock in a path.
type SymbolParam struct {
	Symbol string `path:"symbol" maxLength:"32" example:"AAPL" doc:"The symbol, percent-encoded: BTC/USD is BTC%2FUSD"`
}

// SpanParams bound event times.
type SpanParams struct {
	From time.Time `query:"from" example:"2025-11-21T14:00:00Z" doc:"From this event time on"`
	To   time.Time `query:"to" example:"2025-11-21T15:00:00Z" doc:"Up to this event time, which is not included; left out, it is open, and what still grows is there too"`
}

// check refuses what holds no time.
func (p *SpanParams) check() error {
	if !p.From.IsZero() && !p.To.IsZero() && !p.From.Before(p.To) {
		return badField("query.to", p.To, "to must be later than from")
	}
	return nil
}

// IntervalParam is the length of candles.
type IntervalParam struct {
	Interval streamflow.Interval `query:"interval" enum:"1s,1m,5m,15m,1h,1d" default:"1m" example:"1m" doc:"Length of a candle"`
}

// write describes an operation that changes something, with the statuses that a
// body can lead to.
func write(method, id, path, tag, summary, description string, errors ...int) huma.Operation {
	op := get(id, path, tag, summary, description, append([]int{
		http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
	}, errors...)...)
	op.Method, op.MaxBodyBytes = method, maxBody
	return op
}

// maxBody is more than the largest sensible body of these operations has.
const maxBody = 64 << 10
