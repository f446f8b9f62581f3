package jetstream_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"streamflow"
	"streamflow/infra/jetstream"
)

// shelf answers with what it is asked for.
type shelf struct {
	served atomic.Int64
	fail   error
}

func (s *shelf) Last(_ context.Context, symbol string) (streamflow.Tick, bool, error) {
	s.served.Add(1)
	return streamflow.Tick{Symbol: symbol, Price: 1.5, Time: time.Unix(0, 0).UTC()}, symbol != "NONE", s.fail
}

func (s *shelf) Candles(_ context.Context, symbol string, i streamflow.Interval, from, _ time.Time, limit int) ([]streamflow.Candle, error) {
	return []streamflow.Candle{{Symbol: symbol, Interval: i, Start: from, Trades: int64(limit)}}, s.fail
}

func (s *shelf) List(context.Context) ([]streamflow.Tick, error) { return nil, s.fail }

// serving runs the service until the test ends, and waits until it answers.
func serving(t *testing.T, url string, s jetstream.Stocks) *nats.Conn {
	t.Helper()
	c := connect(t, url)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Serve(ctx, "v1.2.3-dirty", s) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	for deadline := time.Now().Add(2 * time.Minute); ; {
		if _, err := nc.Request("stocks.list", nil, time.Second); err == nil {
			return nc
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestServe(t *testing.T) {
	_, url := start(t)
	s := &shelf{}
	nc := serving(t, url, s)
	for _, c := range []struct{ subject, request, want, code string }{
		{"stocks.AAPL.last", "", `{"symbol":"AAPL","price":1.5,"volume":0,"timestamp":"1970-01-01T00:00:00Z"}`, ""},
		{"stocks.BRK%2EB.last", "", `"BRK.B"`, ""},
		{"stocks.NONE.last", "", "nothing is known of NONE", "404"},
		{"stocks.BRK%2eB.last", "", "is no symbol", "400"},
		{"stocks.AAPL.candles.1m", "", `"trades":100`, ""},
		{"stocks.AAPL.candles.1m", `{"limit":7,"from":"2025-01-02T15:04:00Z"}`, `"start":"2025-01-02T15:04:00Z"`, ""},
		{"stocks.AAPL.candles.2m", "", "want one of", "400"},
		{"stocks.AAPL.candles.1m", `{"limit":1001}`, "want 1 to 1000", "400"},
		{"stocks.AAPL.candles.1m", `{"limit":`, "the request", "400"},
		{"stocks.AAPL.candles.1m", `{"limt":7}`, `unknown field "limt"`, "400"},
		{"stocks.AAPL.candles.1m", `{"limit":7} and more`, "after", "400"},
		{"stocks.AAPL.candles.1m", `{"from":"2025-01-02T00:00:00Z","to":"2025-01-01T00:00:00Z"}`, "before to", "400"},
		{"stocks.list", "", "[]", ""},
	} {
		m, err := nc.Request(c.subject, []byte(c.request), time.Minute)
		if err != nil {
			t.Fatalf("%s: %v", c.subject, err)
		}
		got := string(m.Data) + m.Header.Get(micro.ErrorHeader)
		if m.Header.Get(micro.ErrorCodeHeader) != c.code || !strings.Contains(got, c.want) {
			t.Errorf("%s %s: %q, code %q; want %q, %q", c.subject, c.request, got, m.Header.Get(micro.ErrorCodeHeader), c.want, c.code)
		}
	}
	s.fail = errors.New("the database is away")
	if m, err := nc.Request("stocks.list", nil, time.Minute); err != nil || m.Header.Get(micro.ErrorCodeHeader) != "500" {
		t.Errorf("%+v, %v", m, err)
	}
}

// It is listed, and two who serve share the requests: each is answered once.
func TestServeTogether(t *testing.T) {
	_, url := start(t)
	a, b := &shelf{}, &shelf{}
	serving(t, url, a)
	nc := serving(t, url, b)
	inbox := nats.NewInbox()
	replies, err := nc.SubscribeSync(inbox)
	if err != nil {
		t.Fatal(err)
	}
	// The first one answers for the second too, until that is there with all that it has.
	whole := make(map[string]bool)
	for deadline := time.Now().Add(2 * time.Minute); len(whole) < 2; {
		if time.Now().After(deadline) {
			t.Fatalf("%d of 2 are listed", len(whole))
		}
		if err := nc.PublishRequest("$SRV.INFO.stocks", inbox, nil); err != nil {
			t.Fatal(err)
		}
		for m, err := replies.NextMsg(time.Second); err == nil; m, err = replies.NextMsg(100 * time.Millisecond) {
			var info micro.Info
			if err := json.Unmarshal(m.Data, &info); err != nil || info.Version != "1.2.3" {
				t.Errorf("%s, %v", m.Data, err)
			}
			if len(info.Endpoints) == 3 {
				whole[info.ID] = true
			}
		}
	}
	const n = 100
	for range n {
		if err := nc.PublishRequest("stocks.AAPL.last", inbox, nil); err != nil {
			t.Fatal(err)
		}
	}
	for range n {
		if _, err := replies.NextMsg(time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if a.served.Load()+b.served.Load() != n || a.served.Load() == 0 || b.served.Load() == 0 {
		t.Errorf("%d and %d of %d", a.served.Load(), b.served.Load(), n)
	}
}

func TestLastTick(t *testing.T) {
	c, _ := start(t)
	if _, ok, err := c.LastTick(t.Context(), "AAPL"); ok || err != nil {
		t.Errorf("an empty stream has one: %v", err)
	}
	commit(t, c.Ticks(), streamflow.Start, 0, 9)
	all, err := c.Newest(t.Context(), streamflow.StreamTicks, streamflow.SubjectAllTicks)
	if err != nil || len(all) == 0 {
		t.Fatal(len(all), err)
	}
	want := all[len(all)-1]
	tick, err := want.Tick()
	if err != nil {
		t.Fatal(err)
	}
	got, ok, err := c.LastTick(t.Context(), tick.Symbol)
	if err != nil || !ok || got.Sequence != want.Sequence {
		t.Errorf("%+v, %v, %v", got, ok, err)
	}
}
