package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// DeadLetter is a message that was refused.
type DeadLetter struct {
	ID          uint64        `json:"id" example:"42" doc:"Its sequence in stream DLQ"`
	State       string        `json:"state" enum:"open,sending,replayed,discarded" example:"open" doc:"What became of it; sending: a replay was begun, and is settled by the next one if its server has died"`
	Topic       string        `json:"topic" example:"stock_ticks" doc:"Topic of the record"`
	Partition   int32         `json:"partition" example:"0" doc:"Partition of the record"`
	Offset      int64         `json:"offset" example:"4711" doc:"Offset of the record"`
	Function    string        `json:"function,omitempty" example:"candles" doc:"The function that could not step it; left out if the bridge refused it"`
	Reason      string        `json:"reason" example:"missing_field" doc:"Code of what is wrong"`
	Detail      string        `json:"detail" example:"price is missing" doc:"The same for a person"`
	Stack       string        `json:"stack,omitempty" example:"goroutine 1" doc:"Where a function failed"`
	Key         *string       `json:"key" nullable:"true" example:"AAPL" doc:"Key of the record; null if it had none or it is withheld"`
	ValueText   *string       `json:"valueText" nullable:"true" example:"{\"symbol\":\"AAPL\"}" doc:"The value, if it is a text: UTF-8, and not in the wire format of a schema registry"`
	ValueBase64 *string       `json:"valueBase64" nullable:"true" example:"/w==" doc:"The value, if it is no text"`
	ValueJSON   *string       `json:"valueJson,omitempty" example:"{\"symbol\":\"AAPL\",\"price\":0}" doc:"What a value in the wire format of a schema registry (Avro, JSON Schema, Protobuf) says as JSON, if it can be read now"`
	ValueBytes  int           `json:"valueBytes" example:"17" doc:"Length of the value"`
	Truncated   bool          `json:"truncated" example:"false" doc:"The list shows only the beginning of the value; GET /api/deadletters/{id} shows all"`
	Cut         string        `json:"cut,omitempty" example:"value" doc:"What of the record is not here, because it was too long or may hold what is masked: key, headers, value"`
	Headers     []LetterField `json:"headers" nullable:"false" doc:"Headers of the record"`
	Produced    *time.Time    `json:"produced" nullable:"true" example:"2025-11-21T14:30:00.1Z" doc:"When the record was produced"`
	Time        time.Time     `json:"time" example:"2025-11-21T14:30:00.2Z" doc:"When the dead letter was stored"`
	History     []LetterAct   `json:"history" nullable:"false" doc:"What was done with it, the oldest first"`

	key string // of its marks
}

// LetterField is a header of a record.
type LetterField struct {
	Key   string `json:"key" example:"trace" doc:"Name of the header"`
	Value string `json:"value" example:"abc" doc:"Its value; bytes that are not UTF-8 are shown as U+FFFD"`
}

// LetterAct is something that was done with a dead letter.
type LetterAct struct {
	State     string    `json:"state" enum:"sending,replayed,discarded,failed" example:"discarded" doc:"What was done"`
	At        time.Time `json:"at" example:"2025-11-21T15:00:00Z" doc:"When"`
	By        string    `json:"by,omitempty" example:"ada (4q2xkvb7mt)" doc:"Who did it: name and ID of the API key, else the address"`
	Reason    string    `json:"reason,omitempty" example:"test data" doc:"Why it was discarded, or why a replay failed"`
	Position  string    `json:"position,omitempty" example:"stock_ticks/0/9001" doc:"Where the replayed record stands"`
	Corrected bool      `json:"corrected,omitempty" example:"true" doc:"The value was another one than that which was refused"`
	Value     string    `json:"value,omitempty" example:"{\"symbol\":\"AAPL\"}" doc:"The corrected value"`
}

// DeadLetterPage is the answer of GET /api/deadletters.
type DeadLetterPage struct {
	Items []DeadLetter `json:"items" nullable:"false" doc:"Dead letters, the newest first"`
	Next  *string      `json:"next" nullable:"true" example:"NDI" doc:"Cursor of the next page; null if this is the last. A page of a narrow filter may hold fewer than were asked for, or none, and have a next"`
}

// DeadLettersInput asks for a page of dead letters.
type DeadLettersInput struct {
	Limit    int    `query:"limit" minimum:"1" maximum:"500" default:"50" example:"50" doc:"At most so many"`
	Cursor   string `query:"cursor" maxLength:"200" doc:"Go on where a page ended: its \"next\""`
	Reason   string `query:"reason" maxLength:"64" example:"missing_field" doc:"With this reason only"`
	Topic    string `query:"topic" maxLength:"249" example:"stock_ticks" doc:"Of this topic only"`
	Function string `query:"function" maxLength:"64" example:"candles" doc:"Of this function only; bridge for what the bridge refused"`
	State    string `query:"state" enum:"open,sending,replayed,discarded" example:"open" doc:"In this state only"`
}

// DeadLetterID names a dead letter in a path.
type DeadLetterID struct {
	ID uint64 `path:"id" minimum:"1" example:"42" doc:"ID of the dead letter"`
}

// DeadLetterReplay asks to send dead letters again.
type DeadLetterReplay struct {
	Body struct {
		IDs            []uint64 `json:"ids" minItems:"1" maxItems:"500" nullable:"false" example:"[42]" doc:"IDs of dead letters"`
		Value          *string  `json:"value,omitempty" maxLength:"1048576" example:"{\"symbol\":\"AAPL\",\"price\":187.23,\"volume\":100,\"timestamp\":\"2025-11-21T14:30:00Z\"}" doc:"The corrected value, for a single dead letter; else it is sent as it was"`
		AllowDuplicate bool     `json:"allowDuplicate,omitempty" example:"false" doc:"Also send what a function could not step: everybody else has it already, and gets it twice. Else replay the function"`
	}
}

// DeadLetterDiscard marks dead letters as done with.
type DeadLetterDiscard struct {
	Body struct {
		IDs    []uint64 `json:"ids" minItems:"1" maxItems:"500" nullable:"false" example:"[42]" doc:"IDs of dead letters"`
		Reason string   `json:"reason" minLength:"1" maxLength:"500" example:"test data" doc:"Why, for those who look at it later"`
	}
}

// DeadLetterResults say what was done with each dead letter.
type DeadLetterResults struct {
	Done    int                `json:"done" example:"1" doc:"How many are as they were asked to be"`
	Failed  int                `json:"failed" example:"0" doc:"How many are not"`
	Results []DeadLetterResult `json:"results" nullable:"false" doc:"One for each ID, in their order"`
}

// DeadLetterResult says what was done with a dead letter.
type DeadLetterResult struct {
	ID       uint64 `json:"id" example:"42" doc:"ID of the dead letter"`
	State    string `json:"state,omitempty" enum:"open,sending,replayed,discarded" example:"replayed" doc:"How it stands now"`
	Position string `json:"position,omitempty" example:"stock_ticks/0/9001" doc:"Where the replayed record stands"`
	Already  bool   `json:"already" example:"false" doc:"It was so before: nothing was done"`
	Code     string `json:"code,omitempty" enum:"not_found,already_replayed,in_progress,incomplete,refused,would_duplicate,unknown_topic,unavailable" example:"not_found" doc:"Why it was not done"`
	Error    string `json:"error,omitempty" example:"there is no dead letter 42" doc:"The same for a person"`
}

func (s *Server) registerLetters(api huma.API) {
	type page struct{ Body DeadLetterPage }
	type one struct{ Body DeadLetter }
	type results struct{ Body DeadLetterResults }
	huma.Register(api, get("list-deadletters", "/api/deadletters", "dead letters", "Dead letters",
		"What the bridge refused and what functions could not step, the newest first.", errorsOfServers...),
		func(ctx context.Context, in *DeadLettersInput) (*page, error) {
			p, err := s.letterPage(ctx, in)
			return &page{p}, err
		})
	huma.Register(api, get("get-deadletter", "/api/deadletters/{id}", "dead letters", "One dead letter", "One dead letter with all of its value.",
		append([]int{http.StatusNotFound}, errorsOfServers...)...),
		func(ctx context.Context, in *DeadLetterID) (*one, error) {
			l, err := s.letter(ctx, in.ID)
			return &one{l}, err
		})
	replay := write(http.MethodPost, "replay-deadletters", "/api/deadletters/replay", "dead letters", "Send dead letters again",
		"Produces the records to their topic again, as they were or, for a single one, with a corrected value, with header Dead-Letter. "+
			"Each is sent once, however often it is asked for: a second request gets the answer of the first.", errorsOfServers...)
	replay.MaxBodyBytes = 2 << 20 // a corrected value, escaped
	huma.Register(api, replay, func(ctx context.Context, in *DeadLetterReplay) (*results, error) {
		r, err := s.replayLetters(ctx, in)
		return &results{r}, err
	})
	huma.Register(api, write(http.MethodPost, "discard-deadletters", "/api/deadletters/discard", "dead letters", "Discard dead letters",
		"Marks dead letters as done with, with a reason. They are not deleted, and may be replayed later.", errorsOfServers...),
		func(ctx context.Context, in *DeadLetterDiscard) (*results, error) {
			r, err := s.discardLetters(ctx, in)
			return &results{r}, err
		})
}
