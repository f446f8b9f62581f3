package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// JourneyInput names a message by its coordinates.
type JourneyInput struct {
	Topic     string `path:"topic" minLength:"1" maxLength:"249" pattern:"^[A-Za-z0-9._-]+$" example:"stock_ticks" doc:"Topic of Kafka"`
	Partition int32  `path:"partition" minimum:"0" example:"0" doc:"Partition of the topic"`
	Offset    int64  `path:"offset" minimum:"0" example:"4711" doc:"Offset in the partition"`
}

// Journey is the way that one message took.
type Journey struct {
	Position string          `json:"position" example:"stock_ticks/0/4711" doc:"Where it stands in Kafka"`
	Symbol   string          `json:"symbol,omitempty" example:"AAPL" doc:"Symbol of a tick"`
	Subject  string          `json:"subject,omitempty" example:"ticks.AAPL" doc:"Its subject in the stream; left out if it is not mirrored, or not kept any more"`
	Sequence uint64          `json:"sequence,omitempty" example:"4830" doc:"Its sequence in the stream"`
	TraceID  string          `json:"traceId,omitempty" example:"4bf92f3577b34da6a3ce929d0e0e4736" doc:"If it is traced: the ID of its trace, for whatever shows traces"`
	Tick     JSONValue       `json:"tick" doc:"The message as it stands in the stream, else in Kafka, else in the database"`
	Hops     []JourneyHop    `json:"hops" nullable:"false" doc:"The moments that are known, the earliest first"`
	Results  []JourneyResult `json:"results" nullable:"false" doc:"What the functions made of it: results that carry it as their cause, and where a function published none, its next result of the symbol, which counts it in"`
	Letter   *DeadLetter     `json:"deadLetter,omitempty" doc:"If it was refused: the dead letter"`
	Missing  []string        `json:"missing" nullable:"false" example:"[\"database: not stored yet\"]" doc:"Where it was looked for and not found, and why"`
}

// JourneyHop is a moment on the way.
type JourneyHop struct {
	Name  string    `json:"name" example:"bridge" doc:"kafka: produced; bridge: read by the bridge; stream: committed to the stream; a function: stepped by it; its stream: published; archive: stored in the database"`
	At    time.Time `json:"at" example:"2025-11-21T14:30:00.124Z" doc:"When"`
	After *float64  `json:"afterMs" nullable:"true" example:"0.7" doc:"Milliseconds since the hop that it came from; null for the first"`
	Since string    `json:"since,omitempty" example:"kafka" doc:"The hop that it came from"`
	Total float64   `json:"totalMs" example:"0.7" doc:"Milliseconds since the first hop"`
}

// JourneyResult is what a function made of a message.
type JourneyResult struct {
	Subject  string    `json:"subject" example:"candles.1m.AAPL" doc:"Subject of the result"`
	Kind     string    `json:"kind" enum:"fact,view" example:"view" doc:"fact: published exactly once; view: how it stands"`
	Exact    bool      `json:"exact" example:"true" doc:"It has this very message as its cause; else it is the next one of its subject"`
	Cause    string    `json:"cause" example:"stock_ticks/0/4711" doc:"The message that caused it"`
	Output   string    `json:"output,omitempty" example:"candles.k3x9/0/17" doc:"Of a fact: where it stands among the results of its function"`
	Sequence uint64    `json:"sequence" example:"9120" doc:"Its sequence in its stream"`
	At       time.Time `json:"at" example:"2025-11-21T14:30:00.131Z" doc:"When its stream took it"`
	After    *float64  `json:"afterMs" nullable:"true" example:"7.1" doc:"Milliseconds since the message was produced; null if that is not known"`
	Data     JSONValue `json:"data" doc:"The result"`
}

func (s *Server) registerJourney(api huma.API) {
	type output struct{ Body Journey }
	huma.Register(api, get("get-journey", "/api/journey/{topic}/{partition}/{offset}", "pipeline", "The way of one message",
		"When a message was produced, mirrored, stepped by each function, published and stored, with the time that each took. "+
			"It is found by its coordinates in Kafka, in the streams by a few reads, and in the database.",
		append([]int{http.StatusNotFound}, errorsOfServers...)...),
		func(ctx context.Context, in *JourneyInput) (*output, error) {
			j, err := s.journey(ctx, in)
			return &output{j}, err
		})
}
