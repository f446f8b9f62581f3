package fleet

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"

	"streamflow"
)

// Parse reads what bucket functions holds for a function, fills in what is not
// said, and says what is wrong with it. No value is the function's default.
func (fn *Function) Parse(value []byte) (streamflow.Desired, error) {
	d := fn.Default
	if value != nil {
		d = streamflow.Desired{}
		in := json.NewDecoder(bytes.NewReader(value))
		in.DisallowUnknownFields()
		if err := in.Decode(&d); err != nil {
			return d, fmt.Errorf("desired state of %s: %w", fn.Name, err)
		}
	}
	d.State = cmp.Or(d.State, fn.Default.State, streamflow.StateRunning)
	d.Shards = cmp.Or(d.Shards, fn.Default.Shards, 1)
	return d, fn.Check(d)
}

// Check says what is wrong with d, the parameters left aside.
func (fn *Function) Check(d streamflow.Desired) error {
	switch d.State {
	case streamflow.StateRunning, streamflow.StatePaused, streamflow.StateStopped:
	default:
		return fmt.Errorf("function %s: state is %q, want %s, %s or %s", fn.Name, d.State,
			streamflow.StateRunning, streamflow.StatePaused, streamflow.StateStopped)
	}
	switch {
	case fn.Sink && d.Shards != 1:
		return fmt.Errorf("function %s: shards are %d, want 1: it writes to one place, in order", fn.Name, d.Shards)
	case d.Shards < 1 || d.Shards > streamflow.MaxShards:
		return fmt.Errorf("function %s: shards are %d, want 1 to %d", fn.Name, d.Shards, streamflow.MaxShards)
	case fn.Sink && d.Replay != nil:
		return fmt.Errorf("function %s cannot be replayed: what it stores is stored once", fn.Name)
	case d.Replay != nil && d.Replay.ID == "":
		return fmt.Errorf("function %s: replay has no id", fn.Name)
	}
	return nil
}

// kept is a JSON value of a bucket with its revision.
type kept[T any] struct {
	value    T
	revision uint64 // 0: not there
}

// heed takes a value up unless a younger one is known: who writes a key knows
// of it before the watch tells.
func (k *kept[T]) heed(value []byte, revision uint64) {
	if revision < k.revision {
		return
	}
	var v T
	if value != nil && json.Unmarshal(value, &v) == nil {
		*k = kept[T]{v, revision}
		return
	}
	*k = kept[T]{revision: revision}
}

// Next is the layout that a function is on the way to: bucket functions, key =
// the function's name and ".next". It is written before anything is moved, so
// that whoever moves moves to the same place.
type Next struct {
	streamflow.Layout
	Replay *streamflow.Replay `json:"replaying,omitempty"` // nil for a change of shards
}

// want returns the layout that follows from d, and whether it is another one.
func want(d streamflow.Desired, now streamflow.Layout) (Next, bool) {
	next := Next{Layout: streamflow.Layout{Generation: now.Generation + 1, Shards: d.Shards, Replay: now.Replay}}
	if d.Replay != nil && d.Replay.ID != now.Replay {
		next.Layout.Replay, next.Replay = d.Replay.ID, d.Replay
	}
	if now.Generation == 0 {
		next.Replay = nil // there is nothing to repeat
	}
	return next, now.Generation == 0 || next.Replay != nil || d.Shards != now.Shards
}
