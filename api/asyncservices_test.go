package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"streamflow"
	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
)

// shelf answers what is asked over NATS.
type shelf struct{}

func (shelf) Last(_ context.Context, symbol string) (streamflow.Tick, bool, error) {
	return streamflow.Tick{Symbol: symbol, Price: 1.5, Volume: 1, Time: epoch}, symbol != "NONE", nil
}

func (shelf) Candles(_ context.Context, symbol string, i streamflow.Interval, from, _ time.Time, limit int) ([]streamflow.Candle, error) {
	return []streamflow.Candle{{Symbol: symbol, Interval: i, Start: from, Trades: int64(limit), Last: streamflow.Position{Topic: streamflow.TopicTicks}}}, nil
}

func (shelf) List(context.Context) ([]streamflow.Tick, error) {
	return []streamflow.Tick{{Symbol: "A", Price: 1, Time: epoch}}, nil
}

// document is what is read of the AsyncAPI document here.
type document struct {
	Channels   map[string]asyncChannel
	Operations map[string]struct {
		Action   string
		Channel  link
		Bindings struct{ NATS struct{ Queue string } }
		Reply    *struct {
			Channel  link
			Messages []link
		}
	}
	Components struct{ Messages map[string]asyncMessage }
}

type asyncChannel struct {
	Address    *string
	Parameters map[string]struct{ Examples []string }
	Messages   map[string]link
}

type asyncMessage struct {
	Payload  json.RawMessage
	Headers  struct{ Required []string }
	Examples []struct{ Payload json.RawMessage }
}

type link struct {
	Ref string `json:"$ref"`
}

func (l link) name() string { return l.Ref[strings.LastIndex(l.Ref, "/")+1:] }

// The NATS services are as the document says: each request of it is answered, in
// the form that it says, and nothing is answered that it does not name.
func TestServicesSayWhatIsDocumented(t *testing.T) {
	nc := serve(t)
	text, err := AsyncAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	asked := map[string]string{} // queue groups, by the subject that NATS knows
	for name, op := range doc.Operations {
		if op.Reply == nil {
			continue
		}
		c := doc.Channels[op.Channel.name()]
		pattern, subject := *c.Address, *c.Address
		for p, v := range c.Parameters {
			pattern = strings.Replace(pattern, "{"+p+"}", "*", 1)
			subject = strings.Replace(subject, "{"+p+"}", v.Examples[0], 1)
		}
		asked[pattern] = op.Bindings.NATS.Queue
		for request := range c.Messages {
			var body []byte
			if examples := doc.Components.Messages[request].Examples; len(examples) > 0 {
				body = examples[0].Payload
			}
			m, err := nc.Request(subject, body, 2*time.Minute)
			if err != nil || len(m.Header) > 0 {
				t.Fatalf("%s: %v %v", subject, err, m)
			}
			answered(t, name, m.Data)
		}
		reply := doc.Channels[op.Reply.Channel.name()]
		if reply.Address != nil || len(op.Reply.Messages) != 2 || len(reply.Messages) != 2 {
			t.Errorf("%s: its reply is %+v in %+v", name, op.Reply, reply)
		}
	}
	for _, e := range endpoints(t, nc) {
		if asked[e.Subject] != e.QueueGroup {
			t.Errorf("endpoint %s of queue group %s: the document says %q", e.Subject, e.QueueGroup, asked[e.Subject])
		}
		delete(asked, e.Subject)
	}
	if len(asked) > 0 {
		t.Errorf("the document names %v, and nobody answers", asked)
	}
	for subject, code := range map[string]string{"stocks.NONE.last": "404", "stocks.A.candles.2m": "400"} {
		m, err := nc.Request(subject, nil, 2*time.Minute)
		if err != nil || m.Header.Get(headerServiceCode) != code || len(m.Data) > 0 || !slices.Contains(serviceCodes, code) {
			t.Errorf("%s: %v %v", subject, err, m)
		}
		for _, h := range doc.Components.Messages["serviceError"].Headers.Required {
			if m.Header.Get(h) == "" {
				t.Errorf("%s: header %s is missing in %v", subject, h, m.Header)
			}
		}
	}
}

// answered checks an answer by the schema of the service.
func answered(t *testing.T, operation string, data []byte) {
	t.Helper()
	i := slices.IndexFunc(services, func(s service) bool { return "answer."+s.id == operation })
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%s: %v in %s", operation, err, data)
	}
	registry, result := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer), &huma.ValidateResult{}
	huma.Validate(registry, registry.Schema(services[i].answer, true, ""), huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, result)
	if len(result.Errors) > 0 {
		t.Errorf("%s: %v in %s", operation, result.Errors, data)
	}
}

// serve runs the service on a server of its own until the test ends.
func serve(t *testing.T) *nats.Conn {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	server, err := embedded.StartNATS(embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: t.TempDir(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	js, err := jetstream.Connect(server.URL(), t.Name(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(js.Close)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- js.Serve(ctx, "1.2.3", shelf{}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	nc, err := nats.Connect(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	eventually(t, "the service answers", func() bool { return len(endpoints(t, nc)) == len(services) })
	return nc
}

// endpoints asks the service what it answers.
func endpoints(t *testing.T, nc *nats.Conn) []micro.EndpointInfo {
	t.Helper()
	m, err := nc.Request("$SRV.INFO."+streamflow.ServiceStocks, nil, 2*time.Minute)
	if err != nil {
		return nil // not there yet
	}
	var info micro.Info
	if err := json.Unmarshal(m.Data, &info); err != nil {
		t.Fatal(err)
	}
	return info.Endpoints
}
