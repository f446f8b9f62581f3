package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// CandlePage is the answer of GET /api/stocks/{symbol}/candles.
type CandlePage struct {
	Symbol   string   `json:"symbol" example:"AAPL" doc:"The symbol"`
	Interval string   `json:"interval" enum:"1s,1m,5m,15m,1h,1d" example:"1m" doc:"Length of a candle"`
	Candles  []Candle `json:"candles" nullable:"false" doc:"Candles by start, in the order that was asked for"`
	Next     *string  `json:"next" nullable:"true" example:"MTc2MzczNTgwMDAwMDAwMDAwMA" doc:"Cursor of the next page; null if this is the last"`
}

// Candle sums up the ticks of an interval.
type Candle struct {
	Start   time.Time `json:"start" example:"2025-11-21T14:30:00Z" doc:"First instant of the interval"`
	Open    float64   `json:"open" example:"187.1" doc:"Price of the first tick by event time"`
	High    float64   `json:"high" example:"187.4" doc:"Highest price"`
	Low     float64   `json:"low" example:"187.05" doc:"Lowest price"`
	Close   float64   `json:"close" example:"187.23" doc:"Price of the last tick by event time"`
	Volume  int64     `json:"volume" minimum:"0" example:"18250" doc:"Units that changed hands"`
	Trades  int64     `json:"trades" minimum:"0" example:"211" doc:"Number of ticks; 0 where the gap was filled"`
	VWAP    float64   `json:"vwap" example:"187.201" doc:"Volume-weighted mean price"`
	Closed  bool      `json:"closed" example:"true" doc:"Whether its time is over; if not, it still grows"`
	Amended int64     `json:"amended" minimum:"0" example:"0" doc:"Late ticks that have changed it after it was closed"`
	Filled  bool      `json:"filled" example:"false" doc:"Whether there were no ticks, and the close before was carried on (fill=previous)"`
}

// CandlesInput asks for a page of candles.
type CandlesInput struct {
	SymbolParam
	IntervalParam
	SpanParams
	Limit  int    `query:"limit" minimum:"1" maximum:"10000" default:"500" example:"500" doc:"At most so many candles"`
	Cursor string `query:"cursor" maxLength:"200" doc:"Go on where a page ended: its \"next\", with everything else as it was"`
	Order  string `query:"order" enum:"desc,asc" default:"desc" example:"desc" doc:"desc: newest first; asc: oldest first"`
	Fill   string `query:"fill" enum:"none,previous" default:"none" example:"none" doc:"What stands where there were no ticks: nothing, or the close before, with volume 0. That there were none is known 10 s after the end of a candle: so long the gap stays"`
}

// cachePast is how long an answer about a time that is over may be kept. Late
// ticks may still amend candles; who keeps it sees that so much later.
const cachePast = "private, max-age=30"

func (s *Server) registerCandles(api huma.API) {
	type output struct {
		CacheControl string `header:"Cache-Control" doc:"private, max-age=30 where the time is over, else no-store"`
		Body         CandlePage
	}
	huma.Register(api, get("list-candles", "/api/stocks/{symbol}/candles", "candles", "Candles of one stock",
		"The candles of one stock by start. Without \"to\", the candle that still grows is there too, as the live stream shows it. "+
			"Follow \"next\", with everything else as it was, for what comes after.", append([]int{http.StatusNotFound}, errorsOfQueries...)...),
		func(ctx context.Context, in *CandlesInput) (*output, error) {
			page, err := s.candlePage(ctx, in)
			if err != nil {
				return nil, err
			}
			return &output{s.cacheFor(in.To), *page}, nil
		})
}

// cacheFor says whether an answer up to a time may be kept.
func (s *Server) cacheFor(to time.Time) string {
	if to.IsZero() || time.Since(to) < time.Hour {
		return "no-store"
	}
	return cachePast
}

func (s *Server) candlePage(ctx context.Context, in *CandlesInput) (*CandlePage, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	v := candleView{
		symbol: in.Symbol, interval: in.Interval, from: in.From, to: in.To,
		descending: in.Order != "asc", fill: in.Fill == "previous", rows: in.Limit + 1,
	}
	if in.Cursor != "" {
		var err error
		if v.after, err = candleCursor(in.Cursor, in.Interval); err != nil {
			return nil, badCursor(in.Cursor, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	page := &CandlePage{Symbol: in.Symbol, Interval: string(in.Interval), Candles: make([]Candle, 0, min(in.Limit, 1000))}
	for c, err := range s.candles(ctx, v) {
		if err != nil {
			return nil, err
		}
		if n := len(page.Candles); n == in.Limit {
			next := opaque(microText(page.Candles[n-1].Start))
			page.Next = &next
			break
		}
		page.Candles = append(page.Candles, shownCandle(&c))
	}
	if len(page.Candles) == 0 {
		if err := s.mustKnow(in.Symbol); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// candleCursor reads the start of a candle.
func candleCursor(s string, i streamflow.Interval) (time.Time, error) {
	text, err := transparent(s)
	if err != nil {
		return time.Time{}, err
	}
	start, err := microTime(text)
	if err == nil && !start.Truncate(i.Duration()).Equal(start) {
		err = errors.New("the cursor is of another interval")
	}
	return start, err
}

func shownCandle(c *streamflow.Candle) Candle {
	return Candle{
		Start: c.Start.UTC(), Open: c.Open, High: c.High, Low: c.Low, Close: c.Close, Volume: c.Volume, Trades: c.Trades,
		VWAP: c.VWAP, Closed: c.Closed, Amended: c.Amended, Filled: c.Trades == 0,
	}
}
