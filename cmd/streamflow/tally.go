package main

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"math"
	"slices"

	"streamflow"
)

// tallyKey is a symbol in a partition, or, with an empty symbol, the dead
// letters of a partition.
type tallyKey struct {
	Partition int32  `json:"partition"`
	Symbol    string `json:"symbol"`
}

// tally is what one store holds under a key: how many, in which range of
// offsets, and the sum of their checksums, which does not depend on the order.
type tally struct {
	Count int64  `json:"count"`
	First int64  `json:"first_offset"`
	Last  int64  `json:"last_offset"`
	Sum   uint64 `json:"checksum"`
	// Disorder counts messages whose offset was not above that of the one
	// before in their partition: doubled, or out of order. Only a store that
	// keeps an order can have it.
	Disorder int64 `json:"disorder,omitempty"`
}

// tallies is what one store holds.
type tallies map[tallyKey]*tally

func (t tallies) add(key tallyKey, offset int64, sum uint64) *tally {
	e := t[key]
	if e == nil {
		e = &tally{First: offset, Last: offset}
		t[key] = e
	}
	e.Count++
	e.First, e.Last = min(e.First, offset), max(e.Last, offset)
	e.Sum += sum
	return e
}

// keys returns the keys of all stores, in order.
func keys(stores ...tallies) (all []tallyKey) {
	seen := make(map[tallyKey]bool)
	for _, t := range stores {
		for k := range t {
			if !seen[k] {
				seen[k] = true
				all = append(all, k)
			}
		}
	}
	slices.SortFunc(all, func(a, b tallyKey) int {
		return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.Partition, b.Partition))
	})
	return all
}

// checksum of a tick where it stands in Kafka. Time counts in microseconds,
// which is what the database keeps.
func checksum(p streamflow.Position, t *streamflow.Tick) uint64 {
	h := fnv.New64a()
	var b [8]byte
	word := func(v uint64) {
		binary.LittleEndian.PutUint64(b[:], v)
		_, _ = h.Write(b[:])
	}
	word(uint64(p.Partition))
	word(uint64(p.Offset))
	_, _ = h.Write([]byte(t.Symbol))
	word(math.Float64bits(t.Price))
	word(uint64(t.Volume))
	word(uint64(t.Time.UnixMicro()))
	return h.Sum64()
}

// checksumBytes is the checksum of a dead letter.
func checksumBytes(p streamflow.Position, value []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(p.AppendTo(nil))
	_, _ = h.Write(value)
	return h.Sum64()
}
