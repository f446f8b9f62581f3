package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

type ticksInput struct {
	Symbol string    `path:"symbol" maxLength:"32" example:"AAPL" doc:"The symbol, percent-encoded: BTC/USD is BTC%2FUSD"`
	From   time.Time `query:"from" example:"2025-11-21T14:00:00Z" doc:"From this event time on"`
	To     time.Time `query:"to" example:"2025-11-21T15:00:00Z" doc:"Up to this event time, which is not included"`
	Limit  int       `query:"limit" minimum:"1" maximum:"10000" default:"100" example:"100" doc:"At most so many ticks"`
	Cursor string    `query:"cursor" maxLength:"200" doc:"Go on where a page ended: its \"next\", with everything else as it was"`
	Order  string    `query:"order" enum:"desc,asc" default:"desc" example:"desc" doc:"desc: newest first; asc: oldest first"`
}

// TickPage is the answer of GET /api/stocks/{symbol}/ticks.
type TickPage struct {
	Symbol string       `json:"symbol" example:"AAPL" doc:"The symbol"`
	Ticks  []StoredTick `json:"ticks" doc:"Ticks by event time, in the order that was asked for"`
	Next   *string      `json:"next" nullable:"true" example:"MTc2MzczNTgwMDAwMDAwMDAwMCwwLDQ3MTE" doc:"Cursor of the next page; null if this is the last"`
}

func (s *Server) registerTicks(api huma.API) {
	type output struct{ Body TickPage }
	huma.Register(api, get("list-ticks", "/api/stocks/{symbol}/ticks", "stocks", "Stored ticks of one stock",
		"The stored ticks of one stock by event time. Follow \"next\", with everything else as it was, for what comes after.",
		http.StatusNotFound, http.StatusServiceUnavailable, http.StatusGatewayTimeout),
		func(ctx context.Context, in *ticksInput) (*output, error) {
			page, err := s.ticks(ctx, in)
			if err != nil {
				return nil, err
			}
			return &output{*page}, nil
		})
}

func (s *Server) ticks(ctx context.Context, in *ticksInput) (*TickPage, error) {
	span := SpanParams{in.From, in.To}
	if err := span.check(); err != nil {
		return nil, err
	}
	// One more than asked for tells whether there is a next page.
	q := TicksQuery{Symbol: in.Symbol, From: in.From, To: in.To, Limit: in.Limit + 1, Descending: in.Order != "asc"}
	if in.Cursor != "" {
		after, err := parseCursor(in.Cursor)
		if err != nil {
			return nil, badCursor(in.Cursor, err)
		}
		q.After = &after
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	var found []streamflow.Mirrored
	for m, err := range s.storedTicks(ctx, q) {
		if err != nil {
			return nil, err
		}
		if found = append(found, m); len(found) > in.Limit {
			break
		}
	}
	if len(found) == 0 {
		if err := s.mustKnow(in.Symbol); err != nil {
			return nil, err
		}
	}
	return pageOf(in.Symbol, found, in.Limit), nil
}

func pageOf(symbol string, found []streamflow.Mirrored, limit int) *TickPage {
	page := &TickPage{Symbol: symbol}
	if len(found) > limit {
		found = found[:limit]
		last := found[limit-1]
		next := formatCursor(TickCursor{last.Tick.Time, last.Position.Partition, last.Position.Offset})
		page.Next = &next
	}
	page.Ticks = make([]StoredTick, len(found))
	for i := range found {
		page.Ticks[i] = StoredTick{found[i].Tick, found[i].Position}
	}
	return page
}
