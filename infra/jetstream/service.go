package jetstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"

	"streamflow"
)

// Stocks answers what is asked over NATS. Absence is an answer too: ok is false.
type Stocks interface {
	Last(ctx context.Context, symbol string) (tick streamflow.Tick, ok bool, err error)
	// Candles are the newest ones before to (zero: now), the oldest first.
	Candles(ctx context.Context, symbol string, i streamflow.Interval, from, to time.Time, limit int) ([]streamflow.Candle, error)
	List(ctx context.Context) ([]streamflow.Tick, error) // the newest of each symbol
}

// CandlesRequest is what may stand in a request for candles; an empty one asks
// for the newest.
type CandlesRequest struct {
	From  time.Time `json:"from,omitzero"` // of starts, half-open [from, to)
	To    time.Time `json:"to,omitzero"`
	Limit int       `json:"limit,omitempty"` // 1 to MaxServedCandles; 0: 100
}

// Limits of an answer, which is one message.
const (
	MaxServedCandles     = 1000
	defaultServedCandles = 100
	serveAtMost          = 4 * time.Second // `nats req` waits for 5
	maxServing           = 64              // requests at a time, of one process
)

// The codes of errors, as those of HTTP.
const (
	codeBad     = "400"
	codeUnknown = "404"
	codeFailed  = "500"
	codeBusy    = "503"
	codeSlow    = "504"
)

// serviceError is an error with its code.
type serviceError struct{ code, text string }

func (e *serviceError) Error() string { return e.text }

func bad(format string, args ...any) error {
	return &serviceError{codeBad, fmt.Sprintf(format, args...)}
}

// Serve answers requests until ctx ends:
//
//	stocks.<SYM>.last                  the newest tick
//	stocks.<SYM>.candles.<I>           candles; see [CandlesRequest]
//	stocks.list                        the newest tick of every symbol
//
// <SYM> is a [streamflow.Token]. Processes that serve share the requests. An
// error is one of the micro framework: the headers Nats-Service-Error and
// Nats-Service-Error-Code.
func (c *Client) Serve(ctx context.Context, version string, stocks Stocks) error {
	desk := &serviceDesk{ctx: ctx, nc: c.nc, stocks: stocks, places: make(chan struct{}, maxServing), max: int(c.nc.MaxPayload())}
	service, err := micro.AddService(c.nc, micro.Config{
		Name: streamflow.ServiceStocks, Version: semantic(version), Description: "Stocks: the newest tick, candles, and the list of all",
		ErrorHandler: func(_ micro.Service, err *micro.NATSError) {
			c.log.Warn("the NATS service reports", "subject", err.Subject, "error", err.Description)
		},
	})
	if err != nil {
		return fmt.Errorf("NATS service %s: %w", streamflow.ServiceStocks, err)
	}
	for _, e := range []struct {
		name, subject, does string
		answer              func(ctx context.Context, subject []string, data []byte) (any, error)
	}{
		{"last", streamflow.SubjectLastTick, "the newest tick of a symbol", desk.last},
		{"candles", streamflow.SubjectServedCandles, `candles of a symbol and interval; {"from":..., "to":..., "limit":...} may stand in the request`, desk.candles},
		{"list", streamflow.SubjectNewestTicks, "the newest tick of every symbol", desk.list},
	} {
		err := service.AddEndpoint(e.name, desk.handler(e.answer), micro.WithEndpointSubject(e.subject),
			micro.WithEndpointMetadata(map[string]string{"does": e.does, "answer": "application/json"}))
		if err != nil {
			return errors.Join(fmt.Errorf("NATS service %s: endpoint %s: %w", streamflow.ServiceStocks, e.name, err), service.Stop())
		}
	}
	<-ctx.Done()
	return service.Stop()
}

// LastTick returns the newest tick of a symbol that stream TICKS holds, and
// whether it holds one.
func (c *Client) LastTick(ctx context.Context, symbol string) (t streamflow.Mirrored, ok bool, err error) {
	s, err := c.looking(ctx, streamflow.StreamTicks)
	if err != nil {
		return t, false, err
	}
	raw, err := s.GetLastMsgForSubject(ctx, streamflow.TickSubject(symbol))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return t, false, nil
	}
	if err != nil {
		return t, false, fmt.Errorf("the last tick of %s: %w", symbol, err)
	}
	m := readStored(raw)
	t, ok = mirrored(&m)
	return t, ok, nil
}

// semantic makes a version one that the framework takes.
func semantic(version string) string {
	v := strings.TrimPrefix(version, "v")
	core, _, _ := strings.Cut(v, "-")
	core, _, _ = strings.Cut(core, "+")
	var a, b, p int
	if n, _ := fmt.Sscanf(core, "%d.%d.%d", &a, &b, &p); n == 3 && core == fmt.Sprintf("%d.%d.%d", a, b, p) {
		return core
	}
	return "0.0.0" // built from no release
}

// serviceDesk answers requests, a bounded number at a time.
type serviceDesk struct {
	ctx    context.Context
	nc     *nats.Conn
	stocks Stocks
	places chan struct{}
	max    int // bytes of an answer
}

// handler answers beside the subscription, which hands on one request at a time.
// When it returns, the framework looks into the request, which belongs to it
// again: so the answer is sent without it.
func (d *serviceDesk) handler(answer func(context.Context, []string, []byte) (any, error)) micro.Handler {
	return micro.HandlerFunc(func(r micro.Request) {
		select {
		case d.places <- struct{}{}:
		default:
			_ = r.Error(codeBusy, fmt.Sprintf("%d requests are answered already: try again", maxServing), nil)
			return
		}
		go func() {
			defer func() { <-d.places }()
			ctx, cancel := context.WithTimeout(d.ctx, serveAtMost)
			defer cancel()
			d.respond(ctx, r, answer)
		}()
	})
}

func (d *serviceDesk) respond(ctx context.Context, r micro.Request, answer func(context.Context, []string, []byte) (any, error)) {
	v, err := answer(ctx, strings.Split(r.Subject(), "."), r.Data())
	var data []byte
	if err == nil {
		if data, err = json.Marshal(v); err == nil && len(data) > d.max {
			err = bad("the answer has %d bytes, the limit is %d: ask for less", len(data), d.max)
		}
	}
	m := &nats.Msg{Subject: r.Reply(), Data: data}
	if err != nil {
		m.Data, m.Header = nil, nats.Header{micro.ErrorHeader: {err.Error()}, micro.ErrorCodeHeader: {codeOf(err)}}
	}
	_ = d.nc.PublishMsg(m) // who asked may be gone
}

func codeOf(err error) string {
	code, fault := codeFailed, (*serviceError)(nil)
	switch {
	case errors.As(err, &fault):
		code = fault.code
	case errors.Is(err, context.DeadlineExceeded):
		code = codeSlow
	}
	return code
}

func symbolIn(token string) (string, error) {
	symbol, err := streamflow.ParseToken(token)
	if err != nil || !streamflow.ValidSymbol(symbol) {
		return "", bad("%.40q is no symbol as it stands in a subject (BRK.B is BRK%%2EB)", token)
	}
	return symbol, nil
}

func (d *serviceDesk) last(ctx context.Context, subject []string, _ []byte) (any, error) {
	symbol, err := symbolIn(subject[1])
	if err != nil {
		return nil, err
	}
	tick, ok, err := d.stocks.Last(ctx, symbol)
	if err == nil && !ok {
		err = &serviceError{codeUnknown, "nothing is known of " + symbol}
	}
	return tick, err
}

func (d *serviceDesk) candles(ctx context.Context, subject []string, data []byte) (any, error) {
	symbol, err := symbolIn(subject[1])
	if err != nil {
		return nil, err
	}
	interval, err := streamflow.ParseInterval(subject[3])
	if err != nil {
		return nil, bad("%v", err)
	}
	var q CandlesRequest
	if len(strings.TrimSpace(string(data))) > 0 {
		if err := strictly(data, &q); err != nil {
			return nil, bad("the request: %v: want nothing, or such as {\"limit\":100,\"from\":\"2025-01-02T15:04:05Z\"}", err)
		}
	}
	if q.Limit == 0 {
		q.Limit = defaultServedCandles
	}
	switch {
	case q.Limit < 0 || q.Limit > MaxServedCandles:
		return nil, bad("limit %d: want 1 to %d", q.Limit, MaxServedCandles)
	case !q.To.IsZero() && !q.From.Before(q.To):
		return nil, bad("from: it must be before to")
	}
	found, err := d.stocks.Candles(ctx, symbol, interval, q.From, q.To, q.Limit)
	if found == nil {
		found = []streamflow.Candle{}
	}
	return found, err
}

// strictly reads one JSON value, and refuses members that v does not have: one
// that is misspelt would be taken for one that is left out.
func strictly(data []byte, v any) error {
	in := json.NewDecoder(bytes.NewReader(data))
	in.DisallowUnknownFields()
	if err := in.Decode(v); err != nil {
		return err
	}
	if _, err := in.Token(); err != io.EOF {
		return errors.New("something stands after it")
	}
	return nil
}

func (d *serviceDesk) list(ctx context.Context, _ []string, _ []byte) (any, error) {
	all, err := d.stocks.List(ctx)
	if all == nil {
		all = []streamflow.Tick{}
	}
	return all, err
}
