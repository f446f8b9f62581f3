package api

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

func (s *Server) functionStates(ctx context.Context) ([]FunctionState, error) {
	desk := s.config.Operations.Functions
	if desk == nil {
		return nil, notJoined("functions")
	}
	return ask(ctx, s, serverNATS, desk.Functions)
}

func (s *Server) functionList(ctx context.Context, history bool) (FunctionList, error) {
	states, err := s.functionStates(ctx)
	now := time.Now().UTC()
	list := FunctionList{Functions: make([]Function, 0, len(states)), At: now}
	for i := range states {
		f := viewFunction(&states[i], now)
		if history {
			f.History = s.pipeline.trails.last(f.Name, now)
		}
		list.Functions = append(list.Functions, f)
	}
	return list, err
}

func (s *Server) function(ctx context.Context, name string) (Function, error) {
	states, err := s.functionStates(ctx)
	if err != nil {
		return Function{}, err
	}
	var names []string
	for i := range states {
		if states[i].Name == name {
			return viewFunction(&states[i], time.Now()), nil
		}
		names = append(names, states[i].Name)
	}
	return Function{}, huma.Error404NotFound("there is no function " + name + "; there are: " + strings.Join(names, ", "))
}

func (s *Server) patchFunction(ctx context.Context, in *FunctionPatch) (Function, error) {
	b := &in.Body
	if b.State == "" && b.Shards == 0 && b.Params == nil {
		return Function{}, badField("body", nil, "nothing is to be changed: give state, shards or params")
	}
	edit := func(d *streamflow.Desired) error {
		if b.State != "" {
			d.State = b.State
		}
		if b.Shards != 0 {
			d.Shards = b.Shards
		}
		if b.Params != nil {
			d.Params = []byte(b.Params)
			if string(b.Params) == "null" {
				d.Params = nil
			}
		}
		return nil
	}
	err := s.changeFunction(ctx, in.Name, "body", func(ctx context.Context) error {
		return s.config.Operations.Functions.Change(ctx, in.Name, edit)
	})
	if err != nil {
		return Function{}, err
	}
	return s.function(ctx, in.Name)
}

func (s *Server) replayFunction(ctx context.Context, in *FunctionReplayRequest) (r FunctionReplayed, err error) {
	r.Function = in.Name
	err = s.changeFunction(ctx, in.Name, "body.from", func(ctx context.Context) error {
		replay, err := s.config.Operations.Functions.Replay(ctx, in.Name, in.Body.From)
		r.FunctionReplay = FunctionReplay(replay)
		return err
	})
	return r, err
}

// changeFunction makes a change; what is wrong with it is a 422 at a place of
// the request.
func (s *Server) changeFunction(ctx context.Context, name, place string, change func(context.Context) error) error {
	if _, err := s.function(ctx, name); err != nil {
		return err
	}
	_, err := ask(ctx, s, serverNATS, func(ctx context.Context) (struct{}, error) {
		err := change(ctx)
		var fault *FunctionFault
		if errors.As(err, &fault) {
			err = badField(place, nil, "%s", fault.Message)
		}
		return struct{}{}, err
	})
	return err
}

// viewFunction sums up the shards: latencies of the slowest, the oldest snapshot.
func viewFunction(st *FunctionState, now time.Time) Function {
	f := Function{
		Name: st.Name, Does: st.Does, Reads: st.Reads, Writes: st.Writes, Kind: "step",
		Desired: DesiredFunction{State: st.Desired.State, Shards: st.Desired.Shards, Params: JSONObject(st.Desired.Params), By: st.Desired.By},
		Fault:   st.Fault, Layout: FunctionLayout(st.Layout), Workers: slices.Clone(st.Workers), Shards: []FunctionShard{}, Lag: lagOf(st),
	}
	if st.Sink {
		f.Kind = "sink"
	}
	if f.Workers == nil {
		f.Workers = []FunctionWorker{}
	}
	if r := st.Desired.Replay; r != nil {
		replay := FunctionReplay(*r)
		f.Desired.Replay = &replay
	}
	var checkpoint time.Time
	for i := range st.Shards {
		sh := &st.Shards[i]
		f.Shards = append(f.Shards, viewShard(sh))
		f.Messages, f.Rate = f.Messages+sh.Messages, f.Rate+sh.Rate
		f.Errors, f.DeadLetters = f.Errors+sh.Errors, f.DeadLetters+sh.DeadLetters
		f.StepP50, f.StepP99 = slower(f.StepP50, sh.StepP50), slower(f.StepP99, sh.StepP99)
		if !sh.Checkpoint.IsZero() && (checkpoint.IsZero() || sh.Checkpoint.Before(checkpoint)) {
			checkpoint = sh.Checkpoint
		}
	}
	if !checkpoint.IsZero() {
		age := max(now.Sub(checkpoint), 0).Seconds()
		f.CheckpointAge = &age
	}
	return f
}

// lagOf is what waits for a function, by its consumers, else by what its workers
// say; nil if neither can tell.
func lagOf(st *FunctionState) *uint64 {
	if st.Waiting != nil || len(st.Shards) == 0 {
		return st.Waiting
	}
	var lag uint64
	for i := range st.Shards {
		lag += st.Shards[i].Lag
	}
	return &lag
}

// slower keeps the larger of two latencies; 0 was not measured.
func slower(a *float64, b float64) *float64 {
	if b == 0 || a != nil && *a >= b {
		return a
	}
	return &b
}

func viewShard(sh *ShardState) FunctionShard {
	return FunctionShard{
		Shard: sh.Shard, Generation: sh.Generation, Worker: sh.Worker, At: sh.At.UTC(),
		Messages: sh.Messages, Rate: sh.Rate, Lag: sh.Lag, Errors: sh.Errors, DeadLetters: sh.DeadLetters, Facts: sh.Facts,
		StepP50: sh.StepP50, StepP99: sh.StepP99, Checkpoint: timeOrNil(sh.Checkpoint), NewestInput: timeOrNil(sh.NewestInput),
		Keys: sh.Keys, Asleep: sh.Asleep, LastError: sh.LastError,
	}
}

// timeOrNil is null for a time that is not known.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
