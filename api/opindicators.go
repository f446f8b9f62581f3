package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// IndicatorsInput asks for indicators.
type IndicatorsInput struct {
	SymbolParam
	IntervalParam
	SpanParams
	Spec []string `query:"spec,explode" required:"true" nullable:"false" minItems:"1" maxItems:"16" maxLength:"64" example:"[\"sma(20)\",\"rsi(14)\"]" doc:"What to compute, as GET /api/formulas lists it; repeat it for several"`
}

// IndicatorSeries is the answer of GET /api/stocks/{symbol}/indicators.
type IndicatorSeries struct {
	Symbol   string           `json:"symbol" example:"AAPL" doc:"The symbol"`
	Interval string           `json:"interval" enum:"1s,1m,5m,15m,1h,1d" example:"1m" doc:"Length of a candle"`
	Names    []string         `json:"names" nullable:"false" example:"[\"sma_20\",\"rsi_14\"]" doc:"The names of the values, in the order of the specs"`
	Points   []IndicatorPoint `json:"points" nullable:"false" doc:"One point for each candle, the oldest first"`
}

// IndicatorPoint is the values after one candle.
type IndicatorPoint struct {
	Time   time.Time          `json:"time" example:"2025-11-21T14:30:00Z" doc:"Start of the candle"`
	Price  float64            `json:"price" example:"187.23" doc:"Its close"`
	Values map[string]float64 `json:"values" example:"{\"sma_20\":186.9,\"rsi_14\":58.2}" doc:"The values by name; what has not warmed up is not there"`
	Trend  string             `json:"trend,omitempty" enum:"up,down,flat" example:"up" doc:"Where the price goes, if a trend was asked for"`
	Closed bool               `json:"closed" example:"true" doc:"Whether the candle is closed; if not, the values still move"`
}

func (s *Server) registerIndicators(api huma.API) {
	type output struct {
		CacheControl string `header:"Cache-Control" doc:"private, max-age=30 where the time is over, else no-store"`
		Body         IndicatorSeries
	}
	huma.Register(api, get("get-indicators", "/api/stocks/{symbol}/indicators", "candles", "Indicators of one stock",
		"Indicators over stored candles, by the same formulas as the live ones. Candles before \"from\" are read too, so that values are warm there; "+
			"those that add up since the beginning (obv) begin with the first candle that is read. Without from, the last 500 candles up to \"to\".",
		append([]int{http.StatusNotFound}, errorsOfQueries...)...),
		func(ctx context.Context, in *IndicatorsInput) (*output, error) {
			series, err := s.indicators(ctx, in)
			if err != nil {
				return nil, err
			}
			return &output{s.cacheFor(in.To), *series}, nil
		})
}

// maxPoints is how many points one answer holds.
const maxPoints = 10_000

func (s *Server) indicators(ctx context.Context, in *IndicatorsInput) (*IndicatorSeries, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	formulas := s.config.Market.Formulas
	if formulas == nil {
		return nil, notJoined("formulas")
	}
	plan, err := formulas.Plan(in.Spec)
	if err != nil {
		return nil, badField("query.spec", in.Spec, "%v: GET /api/formulas lists what there is", err)
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	candles, err := s.history(ctx, in.Symbol, in.Interval, in.SpanParams, maxPoints)
	if err != nil {
		return nil, err
	}
	series := &IndicatorSeries{Symbol: in.Symbol, Interval: string(in.Interval), Names: plan.Names, Points: []IndicatorPoint{}}
	if len(candles) == 0 {
		return series, nil
	}
	before, err := s.lead(ctx, in.Symbol, in.Interval, candles[0].Start, plan.WarmUp+plan.Settle, plan.Daily)
	if err != nil {
		return nil, err
	}
	values, err := formulas.Compute(in.Spec, slices.Concat(before, candles))
	if err != nil {
		return nil, err
	}
	series.Points = points(values, candles)
	return series, nil
}

// points are the values at each of candles, in the same order; a candle without
// values has an empty point, so that there is one for each.
func points(values []streamflow.Indicators, candles []streamflow.Candle) []IndicatorPoint {
	all := make([]IndicatorPoint, len(candles))
	for n := range candles {
		c := &candles[n]
		p := IndicatorPoint{Time: c.Start.UTC(), Price: c.Close, Values: map[string]float64{}, Closed: c.Closed}
		for len(values) > 0 && values[0].Time.Before(c.Start) {
			values = values[1:]
		}
		if len(values) > 0 && values[0].Time.Equal(c.Start) {
			p.Trend = string(values[0].Trend)
			for _, v := range values[0].Values {
				p.Values[v.Name] = v.Value
			}
		}
		all[n] = p
	}
	return all
}
