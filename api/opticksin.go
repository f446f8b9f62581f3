package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Limits of ticks in.
const (
	maxTicksIn     = 1000
	maxTicksInBody = 4 << 20
)

// TicksInRequest brings ticks. The body is read as it stands, because Kafka
// gets the very bytes that were sent.
type TicksInRequest struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"128" pattern:"^[A-Za-z0-9._:-]*$" example:"6f1d0a3e-7c55-4a8a-a0f5-6f2c3b6c5d10" doc:"The same key and body get the same answer and are written once, for 10 minutes (of at most 10,000 keys); the same key with another body is refused"`
	Traceparent    string `header:"traceparent" example:"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" doc:"Trace of the request (W3C Trace Context). If it is sampled, the ticks go on in it; one that cannot be read is left alone"`
	ContentType    string `header:"Content-Type" hidden:"true"`
	RawBody        []byte
}

// TickIn is a tick as it comes in.
type TickIn struct {
	_         struct{}  `json:"-" additionalProperties:"true"`
	Symbol    string    `json:"symbol" maxLength:"32" example:"AAPL" doc:"The symbol"`
	Price     float64   `json:"price" exclusiveMinimum:"0" example:"187.23" doc:"The price"`
	Volume    int64     `json:"volume" minimum:"0" example:"100" doc:"Units that changed hands"`
	Timestamp time.Time `json:"timestamp" example:"2025-11-21T14:30:00.123Z" doc:"Event time, not more than 5 minutes ahead; a number of seconds or milliseconds since 1970 is taken too"`
	ID        string    `json:"id,omitempty" example:"T-1" doc:"Id of the trade at its source"`
	Exchange  string    `json:"exchange,omitempty" example:"XNAS" doc:"The exchange"`
	Bid       float64   `json:"bid,omitempty" example:"187.22" doc:"Best bid at that time"`
	Ask       float64   `json:"ask,omitempty" example:"187.24" doc:"Best ask at that time"`
}

// TickBatchIn is several ticks.
type TickBatchIn struct {
	Ticks []TickIn `json:"ticks" minItems:"1" maxItems:"1000" nullable:"false" doc:"The ticks; those of a symbol keep their order"`
}

// TicksInAnswer says what became of each tick.
type TicksInAnswer struct {
	Accepted int            `json:"accepted" example:"1" doc:"How many Kafka has"`
	Rejected int            `json:"rejected" example:"0" doc:"How many were refused"`
	Results  []TickInResult `json:"results" nullable:"false" doc:"One for each tick, in their order"`
}

// TickInResult says what became of a tick.
type TickInResult struct {
	Index    int    `json:"index" example:"0" doc:"Its place in the request"`
	Position string `json:"position,omitempty" example:"stock_ticks/0/4711" doc:"Where it stands in Kafka; left out if it was refused"`
	Reason   string `json:"reason,omitempty" enum:"too_large,not_utf8,not_json,missing_field,unparsable_field,bad_symbol,bad_price,bad_volume,future_timestamp,key_mismatch,not_written" example:"bad_price" doc:"Why it was refused, as the bridge would; not_written: Kafka refused it"`
	Detail   string `json:"detail,omitempty" example:"price -1: want a finite number above 0" doc:"The same for a person"`
}

func (s *Server) registerTicksIn(api huma.API) {
	type output struct {
		Replayed string `header:"Idempotency-Replayed" doc:"true: this is the answer to an earlier request with this key"`
		Body     TicksInAnswer
	}
	op := write(http.MethodPost, "post-ticks", "/api/ticks", "stocks", "Ticks in",
		"One tick, or {\"ticks\":[...]} with up to 1,000. Each is checked as the bridge would, and the answer comes when Kafka has them in all replicas. "+
			"A batch with some bad ticks is taken without them; if all are bad the answer is 422. After 503 or 504 it is not known whether they are "+
			"written: send them again with the same Idempotency-Key, and they are written once.", errorsOfServers...)
	op.DefaultStatus, op.MaxBodyBytes, op.SkipValidateBody = http.StatusCreated, maxTicksInBody, true
	schemas := api.OpenAPI().Components.Schemas
	op.RequestBody = &huma.RequestBody{
		Required: true, Description: "One tick or a batch",
		Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Ref: "#/components/schemas/TicksIn"}}},
	}
	// It has a name of its own, or generated clients cannot fill it in.
	schemas.Map()["TicksIn"] = &huma.Schema{OneOf: []*huma.Schema{
		schemas.Schema(reflect.TypeFor[TickIn](), true, "TickIn"), schemas.Schema(reflect.TypeFor[TickBatchIn](), true, "TickBatchIn"),
	}}
	huma.Register(api, op, func(ctx context.Context, in *TicksInRequest) (*output, error) {
		answer, again, err := s.ticksIn(ctx, in)
		out := &output{Body: answer}
		if again {
			out.Replayed = "true"
		}
		return out, err
	})
	delete(op.RequestBody.Content, "application/octet-stream") // what huma says of every raw body
}
