package api

import (
	"context"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// CompareInput asks for a comparison.
type CompareInput struct {
	Symbols []string `query:"symbols" required:"true" nullable:"false" minItems:"1" maxItems:"20" maxLength:"32" example:"[\"AAPL\",\"MSFT\"]" doc:"The symbols, with commas between"`
	IntervalParam
	SpanParams
}

// Comparison is the answer of GET /api/compare.
type Comparison struct {
	Interval string          `json:"interval" enum:"1s,1m,5m,15m,1h,1d" example:"1m" doc:"Length of a candle"`
	From     *time.Time      `json:"from" nullable:"true" example:"2025-11-21T14:00:00Z" doc:"Start of the first candle that all of them have, at whose close all stand at 0; null if there is none"`
	Series   []PercentSeries `json:"series" nullable:"false" doc:"One for each symbol, in the order that was asked for"`
}

// PercentSeries is what one symbol of a [Comparison] did.
type PercentSeries struct {
	Symbol string         `json:"symbol" example:"AAPL" doc:"The symbol"`
	Points []PercentPoint `json:"points" nullable:"false" doc:"One for each of its candles, the oldest first"`
}

// PercentPoint is one point of a [PercentSeries].
type PercentPoint struct {
	Time    time.Time `json:"time" example:"2025-11-21T14:30:00Z" doc:"Start of the candle"`
	Percent float64   `json:"percent" example:"0.932615" doc:"Change of the close since the first common candle, in percent"`
}

func (s *Server) registerCompare(api huma.API) {
	type output struct {
		CacheControl string `header:"Cache-Control" doc:"private, max-age=30 where the time is over, else no-store"`
		Body         Comparison
	}
	huma.Register(api, get("compare-stocks", "/api/compare", "candles", "Compare stocks",
		"What several stocks did in per cent since the first candle that all of them have. Without from, the last 500 candles of each up to \"to\".",
		append([]int{http.StatusNotFound}, errorsOfQueries...)...),
		func(ctx context.Context, in *CompareInput) (*output, error) {
			c, err := s.compare(ctx, in)
			if err != nil {
				return nil, err
			}
			return &output{s.cacheFor(in.To), *c}, nil
		})
}

// maxCompared is how many candles of each symbol are compared.
const maxCompared = 5000

func (s *Server) compare(ctx context.Context, in *CompareInput) (*Comparison, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	for n, symbol := range in.Symbols {
		if slices.Contains(in.Symbols[:n], symbol) {
			return nil, badField("query.symbols", symbol, "%s is there twice", symbol)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	all := make([][]streamflow.Candle, len(in.Symbols))
	for n, symbol := range in.Symbols {
		var err error
		if all[n], err = s.history(ctx, symbol, in.Interval, in.SpanParams, maxCompared); err != nil {
			return nil, err
		}
	}
	c := &Comparison{Interval: string(in.Interval), Series: make([]PercentSeries, len(all))}
	start, ok := common(all)
	if ok {
		c.From = &start
	}
	for n, symbol := range in.Symbols {
		c.Series[n] = PercentSeries{symbol, []PercentPoint{}}
		if ok {
			c.Series[n].Points = percents(all[n], start)
		}
	}
	return c, nil
}

// common returns the first start that all series have, and whether there is one.
func common(all [][]streamflow.Candle) (time.Time, bool) {
	at := make([]int, len(all))
	var start time.Time
	for {
		moved := false
		for n, candles := range all {
			for at[n] < len(candles) && candles[at[n]].Start.Before(start) {
				at[n]++
			}
			if at[n] == len(candles) {
				return time.Time{}, false
			}
			if next := candles[at[n]].Start; next.After(start) {
				start, moved = next, true
			}
		}
		if !moved {
			return start.UTC(), true
		}
	}
}

// percents are the changes of the close since that of the candle at start.
func percents(candles []streamflow.Candle, start time.Time) []PercentPoint {
	first := slices.IndexFunc(candles, func(c streamflow.Candle) bool { return c.Start.Equal(start) })
	candles = candles[first:]
	points := make([]PercentPoint, len(candles))
	for n := range candles {
		change := (candles[n].Close/candles[0].Close - 1) * 100
		points[n] = PercentPoint{candles[n].Start.UTC(), math.Round(change*1e6) / 1e6}
	}
	return points
}
