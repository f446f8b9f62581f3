package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

type tickPage struct {
	Symbol string
	Ticks  []struct {
		Price     float64
		Timestamp time.Time
		Partition *int32
		Offset    int64
		N         int64
	}
	Next *string
}

func (g *rig) page(t *testing.T, symbol, query string) tickPage {
	t.Helper()
	resp, body := g.do(t, "GET", "/api/stocks/"+url.PathEscape(symbol)+"/ticks?"+query)
	var p tickPage
	if err := json.Unmarshal([]byte(body), &p); err != nil || resp.StatusCode != 200 || p.Symbol != symbol || p.Ticks == nil {
		t.Fatalf("%s: %d %s", query, resp.StatusCode, body)
	}
	return p
}

func TestTicksPages(t *testing.T) {
	g := newRig(t, nil)
	at := time.Date(2025, 11, 21, 12, 0, 0, 0, time.UTC)
	for i := range 25 { // three at each instant
		g.store.put(g.tick("BTC/USD", float64(i+1), 1, at.Add(time.Duration(i/3)*time.Second)))
	}
	for _, limit := range []int{1, 4, 5, 24, 25, 100} {
		query, price := fmt.Sprintf("limit=%d", limit), 25.0
		for {
			p := g.page(t, "BTC/USD", query)
			for _, tick := range p.Ticks {
				if tick.Price != price || tick.Offset != int64(price) || tick.N != tick.Offset || tick.Partition == nil {
					t.Fatalf("limit %d: got %+v, want price %v", limit, tick, price)
				}
				price--
			}
			if p.Next == nil {
				break
			}
			query = fmt.Sprintf("limit=%d&cursor=%s", limit, *p.Next)
		}
		if price != 0 {
			t.Errorf("limit %d: the pages end before price %v", limit, price)
		}
	}
	p := g.page(t, "BTC/USD", "from="+at.Add(time.Second).Format(time.RFC3339)+"&to="+at.Add(2*time.Second).Format(time.RFC3339))
	if len(p.Ticks) != 3 || p.Ticks[0].Price != 6 || g.store.last.Limit != 101 {
		t.Errorf("between two times: %+v, limit %d", p, g.store.last.Limit)
	}
}

func TestTicksProblems(t *testing.T) {
	g := newRig(t, nil)
	const path = "/api/stocks/AAPL/ticks"
	g.problem(t, "GET", path, 404, "AAPL", "GET /api/stocks")
	g.problem(t, "GET", path+"?from=yesterday", 422, "query.from", "yesterday")
	g.problem(t, "GET", path+"?limit=0", 422, "query.limit")
	g.problem(t, "GET", path+"?limit=10001", 422, "query.limit", "10000")
	g.problem(t, "GET", path+"?limit=x", 422, "query.limit")
	g.problem(t, "GET", path+"?form=2025-11-21T12:00:00Z", 422, "query.form")
	g.problem(t, "GET", path+"?from=2025-11-21T12:00:00Z&to=2025-11-21T12:00:00Z", 422, "query.to", "later than from")
	for _, cursor := range []string{"x", "%21", "MQ", "MSwyLDMsNA", "MSwyLDAz"} {
		g.problem(t, "GET", path+"?cursor="+cursor, 422, "query.cursor", "broken")
	}
	g.store.fail(errors.New("dial tcp 127.0.0.1:5433: connection refused"))
	if resp := g.problem(t, "GET", path, 503, "connection refused"); resp.Header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
}

func TestTicksTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{config: Config{Store: &fakeStore{wait: true}}}
		_, err := s.ticks(context.Background(), &ticksInput{Symbol: "A", Limit: 1})
		var p *huma.ErrorModel
		if !errors.As(err, &p) || p.Status != 504 {
			t.Fatalf("got %v", err)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(formatCursor(TickCursor{time.Unix(1, 2), 3, 4}))
	f.Add("MSwyLDM")
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := parseCursor(s); err == nil && formatCursor(c) != s {
			t.Errorf("%q is read as %+v, which is written %q", s, c, formatCursor(c))
		}
	})
}
