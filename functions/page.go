package functions

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"streamflow"
)

// page is what the checkpoint message of a shard says. It is written anew with
// every batch of facts, in the same atomic write, so it is kept small.
type page struct {
	Function   string    `json:"function"`
	Version    string    `json:"version,omitempty"`
	Generation int       `json:"generation"`
	Epoch      string    `json:"epoch"` // tells the facts of this checkpoint from those of one that was lost
	Next       int64     `json:"next"`  // number of the next fact
	At         time.Time `json:"at"`
	Positions  vector    `json:"positions"`         // up to which facts are published
	Clock      int64     `json:"clock,omitempty"`   // of the newest round of wake-ups
	Due        int64     `json:"due,omitempty"`     // when the next key wants to be woken
	Snapshot   *snapshot `json:"snapshot,omitzero"` // nil: no states, no positions
	Journal    []wakeup  `json:"journal,omitempty"` // wake-ups since the snapshot
	Aside      []string  `json:"aside,omitempty"`   // positions set aside since the snapshot
	Floors     []floor   `json:"floors,omitempty"`
	Replay     *replay   `json:"replay,omitempty"`
	Making     bool      `json:"making,omitempty"` // its states are not there yet
	Closed     bool      `json:"closed,omitempty"` // by the next generation
}

// snapshot says where the newest image of all states is, and what it covers.
type snapshot struct {
	Slot      int       `json:"slot"`
	Pieces    int       `json:"pieces"`
	Bytes     int       `json:"bytes"`
	CRC       uint32    `json:"crc"` // Castagnoli
	Keys      int       `json:"keys"`
	Positions vector    `json:"positions"`
	Sequence  uint64    `json:"sequence"` // nothing at or below it in the stream is missing from the states
	At        time.Time `json:"at"`
}

// wakeup is a round of wake-ups, or the part of one that was committed
// together. The clock caused it, so it must be repeated where it was.
type wakeup struct {
	After vector   `json:"after"` // positions when it ran
	Clock int64    `json:"clock"`
	Last  place    `json:"last"` // who was woken last
	Muted []string `json:"muted,omitempty"`
	text  []byte   // its JSON: it is written with each batch of facts until the next snapshot
}

// plain is a wakeup without its methods.
type plain wakeup

// MarshalJSON writes w, once.
func (w *wakeup) MarshalJSON() ([]byte, error) {
	if w.text == nil {
		var err error
		if w.text, err = json.Marshal((*plain)(w)); err != nil {
			return nil, err
		}
	}
	return w.text, nil
}

// floor is what the shards of an earlier generation had done when they were
// closed: the messages of a key up to the positions of its old shard, which is
// that of its hash modulo their number.
type floor []vector

// replay repeats what was published before.
type replay struct {
	ID    string    `json:"id"`
	From  time.Time `json:"from"`
	Until []floor   `json:"until"` // what was published before
	// Woken is, by the shards of generations before, the clock of their newest
	// round of wake-ups: what was due by then was published before, too.
	Woken [][]int64 `json:"woken,omitempty"`
}

// woken returns up to when a key with this hash was woken before.
func (r *replay) woken(hash uint32) (clock int64) {
	for _, w := range r.Woken {
		clock = max(clock, w[hash%uint32(len(w))])
	}
	return clock
}

// over says that all that was published before was repeated: the states cover
// it, and so does the snapshot from which a crash would step it again, and who
// was woken before has been woken again.
func (r *replay) over(done, states vector, due int64) bool {
	for _, w := range r.Woken {
		if due != 0 && due <= slices.Max(w) {
			return false
		}
	}
	return len(ahead(r.Until, done)) == 0 && len(ahead(r.Until, states)) == 0
}

// vector is a [Checkpoint] whose JSON is one object, "topic/partition": offset.
type vector Checkpoint

// MarshalJSON writes the object, its members in order.
func (v vector) MarshalJSON() ([]byte, error) {
	text := make(map[string]int64, len(v))
	for p, offset := range v {
		text[p.Topic+"/"+strconv.Itoa(int(p.Number))] = offset
	}
	return json.Marshal(text)
}

// UnmarshalJSON reads the object.
func (v *vector) UnmarshalJSON(data []byte) error {
	var text map[string]int64
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	*v = make(vector, len(text))
	for s, offset := range text {
		i := strings.LastIndexByte(s, '/')
		n, err := strconv.ParseUint(s[i+1:], 10, 31)
		if i <= 0 || err != nil {
			return fmt.Errorf("partition %q: want <topic>/<partition>", s)
		}
		(*v)[streamflow.Partition{Topic: s[:i], Number: int32(n)}] = offset
	}
	return nil
}

// of returns the offset of p, -1 if there is none.
func (v vector) of(p streamflow.Partition) int64 {
	if offset, ok := v[p]; ok {
		return offset
	}
	return -1
}

// covers says that v is nowhere behind o.
func (v vector) covers(o vector) bool {
	for p, offset := range o {
		if v.of(p) < offset {
			return false
		}
	}
	return true
}

// covers says that the old shard of a key with this hash had done p.
func (f floor) covers(hash uint32, p streamflow.Position) bool {
	return len(f) > 0 && f[hash%uint32(len(f))].of(p.In()) >= p.Offset
}

// covered says that one of the floors covers p.
func covered(floors []floor, hash uint32, p streamflow.Position) bool {
	for _, f := range floors {
		if f.covers(hash, p) {
			return true
		}
	}
	return false
}

// ahead returns the floors that done has not passed yet.
func ahead(floors []floor, done vector) []floor {
	return slices.DeleteFunc(slices.Clone(floors), func(f floor) bool { return f.passed(done) })
}

// passed says that nothing at or below the floor comes any more.
func (f floor) passed(done vector) bool {
	for _, v := range f {
		if !done.covers(v) {
			return false
		}
	}
	return true
}

// least returns for each partition the lowest offset of all vectors. A
// partition that one of them has not seen is not in it.
func (f floor) least() vector {
	if len(f) == 0 {
		return vector{}
	}
	least := maps.Clone(f[0])
	for p := range least {
		for _, v := range f[1:] {
			least[p] = min(least[p], v.of(p))
		}
	}
	maps.DeleteFunc(least, func(_ streamflow.Partition, offset int64) bool { return offset < 0 })
	return least
}

// settled says that the states of the snapshot are those of the page.
func (p *page) settled() bool {
	if len(p.Journal) > 0 {
		return false
	}
	return p.Snapshot == nil && len(p.Positions) == 0 || p.Snapshot != nil && p.Snapshot.Positions.covers(p.Positions)
}

// from returns the positions that the snapshot covers, and the sequence up to
// which no message is missing from it.
func (p *page) from() (vector, uint64) {
	if p.Snapshot == nil {
		return vector{}, 0
	}
	return p.Snapshot.Positions, p.Snapshot.Sequence
}

// parsePage reads a checkpoint of f.
func parsePage(f *Function, generation int, data []byte) (*page, error) {
	var p page
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("checkpoint of %s: %w", f.Name, err)
	}
	switch {
	case p.Function != f.Name || p.Generation != generation:
		return nil, fmt.Errorf("checkpoint of %s, generation %d, stands where %s, generation %d, is looked for", p.Function, p.Generation, f.Name, generation)
	case p.Epoch == "" || p.Next < 0:
		return nil, errors.New("checkpoint of " + f.Name + ": it has no epoch, or a negative number")
	}
	return &p, nil
}

// newPage returns the first checkpoint of a shard.
func newPage(f *Function, generation int, now time.Time) *page {
	return &page{
		Function: f.Name, Version: f.Version, Generation: generation,
		Epoch: strconv.FormatInt(now.UnixNano(), 36), At: now.UTC(), Positions: vector{},
	}
}

// encode writes p as JSON.
func (p *page) encode() []byte {
	data, err := json.Marshal(p)
	if err != nil {
		panic(err) // nothing in a page can fail to be JSON
	}
	return data
}
