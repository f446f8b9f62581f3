package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// Function is a function: what is wanted of it and how it stands.
type Function struct {
	Name          string           `json:"name" example:"candles" doc:"Its name"`
	Does          string           `json:"does" example:"sums ticks up to candles" doc:"What it does"`
	Reads         string           `json:"reads" example:"TICKS" doc:"The stream that it reads"`
	Writes        string           `json:"writes" example:"CANDLES" doc:"The stream, table or topic that it writes"`
	Kind          string           `json:"kind" enum:"step,sink" example:"step" doc:"step: it has a state and publishes results; sink: it leaves what it reads somewhere else"`
	Desired       DesiredFunction  `json:"desired" doc:"What is wanted of it"`
	Fault         string           `json:"fault,omitempty" example:"parameters of candles: grace: want 1s to 1h" doc:"Why what is wanted is not done"`
	Layout        FunctionLayout   `json:"layout" doc:"How its state is laid out"`
	Shards        []FunctionShard  `json:"shards" nullable:"false" doc:"Shards of which a worker has said something within the last seconds"`
	Workers       []FunctionWorker `json:"workers" nullable:"false" doc:"Workers that know the function, by ID"`
	Messages      uint64           `json:"messages" example:"120000" doc:"Messages that its workers have taken since they started"`
	Rate          float64          `json:"rate" example:"500" doc:"Messages a second, over the last 10 s, of all shards"`
	Lag           *uint64          `json:"lag" nullable:"true" example:"12" doc:"Messages of its input that are not delivered or not acknowledged; null while nobody can tell"`
	Errors        uint64           `json:"errors" example:"0" doc:"Errors since its workers started"`
	DeadLetters   uint64           `json:"deadLetters" example:"0" doc:"Messages that it could not step, since its workers started"`
	StepP50       *float64         `json:"stepP50Us" nullable:"true" example:"1.9" doc:"Microseconds that a message takes in the middle, of the slowest shard; null if none was measured in the last 10 s"`
	StepP99       *float64         `json:"stepP99Us" nullable:"true" example:"14.2" doc:"Microseconds within which 99 of 100 messages are done"`
	CheckpointAge *float64         `json:"checkpointAgeSeconds" nullable:"true" example:"4.2" doc:"Age of the oldest shard's snapshot; null if there is none"`
	History       []FunctionSample `json:"history,omitempty" nullable:"false" doc:"How it did in the last five minutes, every five seconds, the oldest first, as this API process has measured it; only in the list, where it was asked for"`
}

// FunctionListRequest asks for all functions.
type FunctionListRequest struct {
	History bool `query:"history" example:"false" doc:"Whether to tell how each of them did in the last five minutes"`
}

// DesiredFunction is what people want of a function.
type DesiredFunction struct {
	State  streamflow.DesiredState `json:"state" enum:"running,paused,stopped" example:"running" doc:"paused keeps its worker, stopped lets go of it; both keep its place"`
	Shards int                     `json:"shards" minimum:"1" maximum:"64" example:"1" doc:"Shares of its keys"`
	Params JSONObject              `json:"params" doc:"Its own settings; null for its defaults"`
	Replay *FunctionReplay         `json:"replay,omitempty" doc:"The newest replay that was asked for"`
	By     string                  `json:"by,omitempty" example:"ada (4q2xkvb7mt)" doc:"Who has changed this last: name and ID of the API key, else an address or a command"`
}

// FunctionReplay is a replay of a function.
type FunctionReplay struct {
	ID   string    `json:"id" example:"20251121T143000.000000000Z" doc:"Header Replay of what it publishes again"`
	From time.Time `json:"from" example:"2025-11-21T12:00:00Z" doc:"Results of messages produced since then are published again"`
}

// FunctionLayout is how the state of a function is laid out.
type FunctionLayout struct {
	Generation int    `json:"generation" example:"1" doc:"0: it has never run"`
	Shards     int    `json:"shards" example:"1" doc:"Shares of its keys"`
	Replay     string `json:"replay,omitempty" example:"20251121T143000.000000000Z" doc:"The replay that made this generation"`
}

// FunctionShard is what the worker of a shard says of it.
type FunctionShard struct {
	Shard       int        `json:"shard" example:"0" doc:"Its number, from 0"`
	Generation  int        `json:"generation" example:"1" doc:"Of the layout that it belongs to"`
	Worker      string     `json:"worker,omitempty" example:"host-1" doc:"Who works on it; left out if nobody does"`
	At          time.Time  `json:"at" example:"2025-11-21T14:30:00.5Z" doc:"When this was measured"`
	Messages    uint64     `json:"messages" example:"120000" doc:"Messages taken since the worker started"`
	Rate        float64    `json:"rate" example:"500" doc:"Messages a second, over the last 10 s"`
	Lag         uint64     `json:"lag" example:"12" doc:"Messages that are not delivered or not acknowledged"`
	Errors      uint64     `json:"errors" example:"0" doc:"Errors since the worker started"`
	DeadLetters uint64     `json:"deadLetters" example:"0" doc:"Messages that it could not step"`
	Facts       uint64     `json:"facts" example:"2400" doc:"Results published"`
	StepP50     float64    `json:"stepP50Us" example:"1.9" doc:"Microseconds that a message takes in the middle; 0 if none was measured"`
	StepP99     float64    `json:"stepP99Us" example:"14.2" doc:"Microseconds within which 99 of 100 messages are done; 0 if none was measured"`
	Checkpoint  *time.Time `json:"checkpoint" nullable:"true" example:"2025-11-21T14:29:56Z" doc:"When its newest snapshot was written"`
	NewestInput *time.Time `json:"newestInput" nullable:"true" example:"2025-11-21T14:30:00.2Z" doc:"When the newest message that it has taken was produced"`
	Keys        int        `json:"keys" example:"500" doc:"Keys of its state, such as symbols"`
	Asleep      bool       `json:"asleep" example:"false" doc:"Released until something comes"`
	LastError   string     `json:"lastError,omitempty" example:"connection refused" doc:"The newest error"`
}

// FunctionWorker is where a worker stands with a function.
type FunctionWorker struct {
	ID       string `json:"id" example:"host-1" doc:"The worker"`
	Phase    string `json:"phase" example:"running" doc:"What it does with the function"`
	Revision uint64 `json:"revision" example:"7" doc:"Revision of the desired state that it has made so"`
	Fault    string `json:"fault,omitempty" example:"parameters: grace is negative" doc:"Why it does not do what is wanted"`
}

// FunctionList is the answer of GET /api/functions.
type FunctionList struct {
	Functions []Function `json:"functions" nullable:"false" doc:"All functions, in the order of the registry"`
	At        time.Time  `json:"at" example:"2025-11-21T14:30:00.5Z" doc:"When this was read"`
}

// FunctionName names a function in a path.
type FunctionName struct {
	Name string `path:"name" minLength:"1" maxLength:"64" pattern:"^[a-z0-9-]+$" example:"candles" doc:"Name of the function"`
}

// FunctionPatch changes what is wanted of a function.
type FunctionPatch struct {
	FunctionName
	Body struct {
		State  streamflow.DesiredState `json:"state,omitempty" enum:"running,paused,stopped" example:"paused" doc:"What it should be doing"`
		Shards int                     `json:"shards,omitempty" minimum:"1" maximum:"64" example:"2" doc:"Shares of its keys"`
		Params JSONObject              `json:"params,omitempty" doc:"Its own settings, in place of all that it has; null for its defaults"`
	}
}

// FunctionReplayRequest asks for a replay.
type FunctionReplayRequest struct {
	FunctionName
	Body struct {
		From string `json:"from" minLength:"1" maxLength:"40" example:"2h" doc:"Results of messages produced since then are published again: an age such as 2h or 3d, or a time of RFC 3339"`
	}
}

// FunctionReplayed is the answer to it.
type FunctionReplayed struct {
	FunctionReplay
	Function string `json:"function" example:"candles" doc:"The function"`
}

func (s *Server) registerFunctions(api huma.API) {
	type list struct{ Body FunctionList }
	type one struct{ Body Function }
	type replayed struct{ Body FunctionReplayed }
	missing := append([]int{http.StatusNotFound}, errorsOfServers...)
	huma.Register(api, get("list-functions", "/api/functions", "functions", "All functions",
		"What is wanted of each function, who works on it, how fast and how far behind it is.", errorsOfServers...),
		func(ctx context.Context, in *FunctionListRequest) (*list, error) {
			l, err := s.functionList(ctx, in.History)
			return &list{l}, err
		})
	huma.Register(api, get("get-function", "/api/functions/{name}", "functions", "One function", "One function with its shards.", missing...),
		func(ctx context.Context, in *FunctionName) (*one, error) {
			f, err := s.function(ctx, in.Name)
			return &one{f}, err
		})
	huma.Register(api, write(http.MethodPatch, "change-function", "/api/functions/{name}", "functions", "Change what is wanted of a function",
		"Starts, pauses, stops or scales a function, or gives it other parameters. It is checked before it is written; the workers "+
			"take it up within a second, and \"workers\" and \"layout\" show how far they are.", missing...),
		func(ctx context.Context, in *FunctionPatch) (*one, error) {
			f, err := s.patchFunction(ctx, in)
			return &one{f}, err
		})
	op := write(http.MethodPost, "replay-function", "/api/functions/{name}/replay", "functions", "Replay a function",
		"Computes a function anew from the start of its stream, and publishes again what follows from messages produced since a time, "+
			"with header Replay. What was published before that is not repeated.", missing...)
	op.DefaultStatus = http.StatusAccepted
	huma.Register(api, op, func(ctx context.Context, in *FunctionReplayRequest) (*replayed, error) {
		r, err := s.replayFunction(ctx, in)
		return &replayed{r}, err
	})
}
