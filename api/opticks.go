package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// queryTimeout is how long the database may take for one answer.
const queryTimeout = 10 * time.Second

type ticksInput struct {
	Symbol string    `path:"symbol" maxLength:"32" example:"AAPL" doc:"The symbol, percent-encoded: BTC/USD is BTC%2FUSD"`
	From   time.Time `query:"from" example:"2025-11-21T14:00:00Z" doc:"From this event time on"`
	To     time.Time `query:"to" example:"2025-11-21T15:00:00Z" doc:"Up to this event time, which is not included"`
	Limit  int       `query:"limit" minimum:"1" maximum:"10000" default:"100" example:"100" doc:"At most so many ticks"`
	Cursor string    `query:"cursor" maxLength:"200" doc:"Go on where a page ended: its \"next\""`
}

// TickPage is the answer of GET /api/stocks/{symbol}/ticks.
type TickPage struct {
	Symbol string       `json:"symbol" example:"AAPL" doc:"The symbol"`
	Ticks  []StoredTick `json:"ticks" doc:"Ticks, the newest first by event time"`
	Next   *string      `json:"next" nullable:"true" doc:"Cursor of the next page; null if this is the last"`
}

func (s *Server) registerTicks(api huma.API) {
	type output struct{ Body TickPage }
	huma.Register(api, get("list-ticks", "/api/stocks/{symbol}/ticks", "stocks", "Stored ticks of one stock",
		"The stored ticks of one stock, the newest first by event time. Follow \"next\" with the same from and to for older ones.",
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
	if !in.From.IsZero() && !in.To.IsZero() && !in.From.Before(in.To) {
		return nil, badField("query.to", in.To, "to must be later than from")
	}
	// One more than asked for tells whether there is a next page.
	q := TicksQuery{Symbol: in.Symbol, From: in.From, To: in.To, Limit: in.Limit + 1, Descending: true}
	if in.Cursor != "" {
		after, err := parseCursor(in.Cursor)
		if err != nil {
			return nil, badField("query.cursor", in.Cursor, "%v: take it from \"next\" of the page before", err)
		}
		q.After = &after
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	found, err := s.config.Store.Ticks(ctx, q)
	if err != nil {
		return nil, s.storeFault(ctx, err)
	}
	if len(found) == 0 {
		if _, known, seeded := s.board.stock(in.Symbol, time.Now()); seeded && !known {
			return nil, unknownSymbol(in.Symbol)
		}
	}
	return pageOf(in.Symbol, found, in.Limit), nil
}

func (s *Server) storeFault(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return huma.Error504GatewayTimeout("the database did not answer within " + queryTimeout.String() +
			": ask for a shorter time (from, to) or fewer ticks (limit)")
	}
	s.log.Warn("the database cannot be read", "error", err)
	return unavailable("the database cannot be read: %v", err)
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
