package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// EventsInput asks for events.
type EventsInput struct {
	Topic  string `query:"topic" maxLength:"249" pattern:"^[A-Za-z0-9._-]*$" example:"user-events" doc:"Of this topic only"`
	Type   string `query:"type" maxLength:"64" pattern:"^[A-Za-z0-9._-]*$" example:"login" doc:"Of this type only"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" example:"100" doc:"At most so many"`
	Cursor string `query:"cursor" maxLength:"200" doc:"Go on where a page ended: its \"next\""`
}

// StreamEvent is an event as it stands in the stream.
type StreamEvent struct {
	Subject  string    `json:"subject" example:"events.user-events.login" doc:"Its subject"`
	Topic    string    `json:"topic" example:"user-events" doc:"Its topic in Kafka"`
	Type     string    `json:"type" example:"login" doc:"Its type"`
	Sequence uint64    `json:"sequence" example:"17" doc:"Its sequence in stream EVENTS"`
	Position string    `json:"position" example:"user-events/0/16" doc:"Where it stands in Kafka"`
	At       time.Time `json:"at" example:"2025-11-21T14:30:00.2Z" doc:"When the stream took it"`
	Data     JSONValue `json:"data" doc:"The event, with what is masked by its route"`
}

// EventPage is the answer of GET /api/events.
type EventPage struct {
	Events []StreamEvent `json:"events" nullable:"false" doc:"Events, the newest first"`
	Next   *string       `json:"next" nullable:"true" example:"MTc" doc:"Cursor of the next page; null if this is the last"`
}

// ResultsInput asks for the results of a function.
type ResultsInput struct {
	Function string `path:"function" minLength:"1" maxLength:"64" pattern:"^[a-z0-9-]+$" example:"buckets" doc:"Name of the function"`
	Limit    int    `query:"limit" minimum:"1" maximum:"1000" default:"100" example:"100" doc:"At most so many"`
	Cursor   string `query:"cursor" maxLength:"400" doc:"Go on where a page ended: its \"next\""`
}

// FunctionResult is the newest that a function says about a key.
type FunctionResult struct {
	Key      string    `json:"key" example:"low" doc:"What it is about"`
	Subject  string    `json:"subject" example:"results.buckets.low" doc:"Its subject"`
	Kind     string    `json:"kind" enum:"fact,view" example:"view" doc:"fact: published exactly once; view: how it stands"`
	Sequence uint64    `json:"sequence" example:"17" doc:"Its sequence in its stream"`
	Cause    string    `json:"cause,omitempty" example:"events/0/16" doc:"The message that caused it"`
	At       time.Time `json:"at" example:"2025-11-21T14:30:00.2Z" doc:"When the stream took it"`
	Data     JSONValue `json:"data" doc:"The result"`
}

// ResultList is the answer of GET /api/results/{function}.
type ResultList struct {
	Function string           `json:"function" example:"buckets" doc:"The function"`
	Results  []FunctionResult `json:"results" nullable:"false" doc:"The newest result about each key, by key"`
	Next     *string          `json:"next" nullable:"true" example:"bG93" doc:"Cursor of the next page; null if this is the last"`
}

func (s *Server) registerEvents(api huma.API) {
	type page struct{ Body EventPage }
	type results struct{ Body ResultList }
	huma.Register(api, get("list-events", "/api/events", "events", "Events",
		"Events of the shop and what users do, such as logins, the newest first.", errorsOfServers...),
		func(ctx context.Context, in *EventsInput) (*page, error) {
			p, err := s.eventPage(ctx, in)
			return &page{p}, err
		})
	huma.Register(api, get("list-results", "/api/results/{function}", "events", "Results of a function",
		"The newest result, fact or view, of a function about each key. Candles, indicators and alerts have operations of their own.",
		append([]int{http.StatusNotFound}, errorsOfServers...)...),
		func(ctx context.Context, in *ResultsInput) (*results, error) {
			l, err := s.resultList(ctx, in)
			return &results{l}, err
		})
}
