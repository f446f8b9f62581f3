package functions

import (
	"encoding/json"
	"fmt"

	"streamflow"
)

// Bench is a machine by itself, for benchmarks.
type Bench struct{ m *machine }

// NewBench returns a machine for the only shard.
func NewBench(f *Function) Bench { return Bench{newMachine(f, 0, 1)} }

// Step takes a message in.
func (b Bench) Step(m *streamflow.Message) {
	b.m.out.reset()
	if key, err := b.m.read(m); err != nil || key == "" {
		panic("not a message of ours")
	}
	if _, err := b.m.step(); err != nil {
		panic(err)
	}
}

// Entries returns what an image says of each key, as text.
func Entries(image []byte) (map[string]string, error) {
	head, rest, err := readHead(image)
	if err != nil {
		return nil, err
	}
	all := make(map[string]string)
	err = readEntries(head, rest, func(e entry) error {
		all[e.key] = fmt.Sprintf("due %d, cause %v, hops %s, state %s", e.due, e.cause, e.hops, e.state)
		return nil
	})
	return all, err
}

// Page is what tests may know of a checkpoint.
type Page struct {
	Positions       Checkpoint
	Settled, Closed bool
	Keys            int
	Slot, Pieces    int
	Journal, Aside  int
	Replay          bool
}

// ReadPage reads a checkpoint.
func ReadPage(data []byte) (Page, error) {
	var p page
	if err := json.Unmarshal(data, &p); err != nil {
		return Page{}, err
	}
	out := Page{
		Positions: Checkpoint(p.Positions), Settled: p.settled(), Closed: p.Closed,
		Journal: len(p.Journal), Aside: len(p.Aside), Replay: p.Replay != nil,
	}
	if p.Snapshot != nil {
		out.Slot, out.Pieces, out.Keys = p.Snapshot.Slot, p.Snapshot.Pieces, p.Snapshot.Keys
	}
	return out, nil
}
