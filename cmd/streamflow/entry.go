package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/fleet"
)

// entry is a function of the registry.
type entry struct {
	name, does, reads, writes string
	state                     streamflow.DesiredState // of a function of which nobody has said anything
	rules                     bool                    // it is built anew when one changes
	alone                     bool                    // see [fleet.Function]
	// build makes a function with state; nil for a sink.
	build func(params json.RawMessage, rules []streamflow.Rule) (*functions.Function, error)
	// checkParams and open are those of a sink.
	checkParams func(params json.RawMessage) error
	open        func(j *joint, e *entry, params json.RawMessage) (fleet.Program, error)
}

func stepEntry(build func(json.RawMessage, []streamflow.Rule) (*functions.Function, error)) *entry {
	fn, err := build(nil, nil)
	if err != nil {
		panic(err) // its author's defaults are no good
	}
	return &entry{name: fn.Name, does: fn.Does, reads: fn.Reads, writes: fn.Writes, state: streamflow.StateRunning, build: build}
}

// sink is a function that leaves what it reads somewhere else, and has no
// parameters.
func sink(name, does, reads, writes string, open func(ctx context.Context, j *joint, e *entry) (*opened, error)) *entry {
	return &entry{
		name: name, does: does, reads: reads, writes: writes, state: streamflow.StateRunning,
		checkParams: func(params json.RawMessage) error {
			if len(params) > 0 {
				return fmt.Errorf("it takes none, and was given %s", params)
			}
			return nil
		},
		open: func(j *joint, e *entry, _ json.RawMessage) (fleet.Program, error) {
			return &sinkProgram{j: j, e: e, open: open}, nil
		},
	}
}

// check says what is wrong with parameters.
func (e *entry) check(params json.RawMessage) error {
	if e.build == nil {
		return e.checkParams(params)
	}
	_, err := e.build(params, nil)
	return err
}

// function is what the fleet knows of it. With a nil j it can be looked at, and
// not built.
func (e *entry) function(j *joint) *fleet.Function {
	return &fleet.Function{
		Name: e.name, Sink: e.build == nil, Rules: e.rules, Alone: e.alone, Default: streamflow.Desired{State: e.state, Shards: 1},
		Build: func(params json.RawMessage, rules []streamflow.Rule) (fleet.Program, error) {
			if e.build == nil {
				if err := e.checkParams(params); err != nil {
					return nil, err
				}
				return e.open(j, e, params)
			}
			fn, err := e.build(params, rules)
			if err != nil {
				return nil, err
			}
			return newStepProgram(j, fn), nil
		},
	}
}

// lookUp finds a function by its name; the error lists what there is.
func lookUp(name string) (*entry, error) {
	var names []string
	for _, e := range registry {
		if e.name == name {
			return e, nil
		}
		names = append(names, e.name)
	}
	return nil, fmt.Errorf("there is no function %q; there are: %s", name, strings.Join(names, ", "))
}

// writers are the functions that keep their state in a stream of results, by
// stream.
func writers() map[string][]string {
	byStream := make(map[string][]string)
	for _, e := range registry {
		if e.build != nil {
			byStream[e.writes] = append(byStream[e.writes], e.name)
		}
	}
	return byStream
}

// lookUpAll finds functions by their names, all of them for none.
func lookUpAll(names []string) ([]*entry, error) {
	if len(names) == 0 {
		return registry, nil
	}
	var list []*entry
	for _, name := range names {
		e, err := lookUp(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(list, e) {
			list = append(list, e)
		}
	}
	return list, nil
}

// strict reads one JSON value and refuses members that v does not have.
func strict(data []byte, v any) error {
	in := json.NewDecoder(bytes.NewReader(data))
	in.DisallowUnknownFields()
	return in.Decode(v)
}

func contains(list []*entry, name string) bool {
	return slices.ContainsFunc(list, func(e *entry) bool { return e.name == name })
}
