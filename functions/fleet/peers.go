package fleet

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"streamflow"
)

// Keys of bucket status, and of bucket functions beside the functions' names.
const (
	prefixWorker = "worker."
	prefixShard  = "shard."
	suffixLayout = ".layout"
	suffixNext   = ".next"
)

// ShardKey is the key of a shard's [ShardReport] in bucket status.
func ShardKey(function string, shard int) string {
	return prefixShard + function + "." + strconv.Itoa(shard)
}

// WorkerPrefix begins the keys of the [Worker]s in bucket status.
const WorkerPrefix = prefixWorker

// Phase is what a worker makes of a function.
type Phase string

// The phases. The first three are those of [streamflow.DesiredState], reached.
const (
	PhaseRunning  Phase = "running"
	PhasePaused   Phase = "paused"
	PhaseStopped  Phase = "stopped"
	PhaseAsleep   Phase = "asleep"   // running, and let go of until something waits
	PhaseChanging Phase = "changing" // on the way to what is desired
	PhaseRefused  Phase = "refused"  // what is desired cannot be: see the fault
)

// Worker is what a worker says of itself, each second, under its ID in bucket
// status.
type Worker struct {
	ID        string           `json:"id"`
	At        time.Time        `json:"at"`
	Started   time.Time        `json:"started"`
	Functions map[string]Place `json:"functions"`
}

// Place is where a worker stands with a function.
type Place struct {
	Phase      Phase  `json:"phase"`
	Revision   uint64 `json:"revision"` // of the desired state that this follows from
	Rules      uint64 `json:"rules,omitempty"`
	Generation int    `json:"generation"`
	// Asleep are the shards that it has let go of, one bit each: the word of the
	// first of the order goes for all.
	Asleep uint64 `json:"asleep,omitempty"`
	Fault  string `json:"fault,omitempty"`
}

// ShardReport is what is kept in bucket status about a shard.
type ShardReport struct {
	streamflow.ShardStatus
	Generation int  `json:"generation"`
	Due        bool `json:"due,omitempty"` // it waits for the clock
}

const (
	beatEvery = time.Second
	// deadAfter is how long a worker may be silent. It is counted from when we
	// heard of it, so clocks need not agree.
	deadAfter = 5 * time.Second
	// doubtAfter is how long a worker may be silent until others stand by for it,
	// should it be dead.
	doubtAfter = 2*beatEvery + beatEvery/2
	// settleFor is how long a worker must have been there before others hand it
	// what it should run: it has then attached itself to the durables.
	settleFor = 2 * time.Second
)

// peer is another worker.
type peer struct {
	Worker
	first, heard time.Time
}

func (p *peer) doubtful(now time.Time) bool { return now.Sub(p.heard) > doubtAfter }

// peers are the other workers, by ID.
type peers map[string]*peer

func (p peers) hear(id string, value []byte, now time.Time) {
	var w Worker
	if value == nil || json.Unmarshal(value, &w) != nil || w.ID != id {
		delete(p, id)
		return
	}
	known := p[id]
	if known == nil {
		known = &peer{first: now}
		p[id] = known
	}
	known.Worker, known.heard = w, now
}

// running returns, in no order, the workers that run a function.
func (p peers) running(function string) []string {
	var ids []string
	for id, w := range p {
		if place, has := w.Functions[function]; has && place.Phase != PhaseRefused {
			ids = append(ids, id)
		}
	}
	return ids
}

// asleep says that a worker has let go of a shard.
func (p peers) asleep(id, function string, shard int) bool {
	return p[id] != nil && p[id].Functions[function].Asleep&(1<<shard) != 0
}

// forget drops who has been silent for long, and returns who has just fallen silent.
func (p peers) forget(now time.Time) (silent []string) {
	for _, id := range slices.Sorted(maps.Keys(p)) {
		if now.Sub(p[id].heard) > deadAfter {
			silent = append(silent, id)
			delete(p, id)
		}
	}
	return silent
}

// cutKey returns the function of "<function>.layout" or "<function>.next".
func cutKey(key string) (function, suffix string) {
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		return key[:i], key[i:]
	}
	return key, ""
}
