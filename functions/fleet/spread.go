package fleet

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strconv"
)

// order returns workers in the order in which they should run a shard. Each
// worker has its own pseudo-random weight for each shard and the heaviest comes
// first, so a worker that comes or goes moves only the shards that it takes or
// had (rendezvous hashing).
func order(workers []string, function string, shard int) []string {
	type weighed struct {
		id     string
		weight uint64
	}
	list := make([]weighed, len(workers))
	for i, id := range workers {
		list[i] = weighed{id, weigh(id, function, shard)}
	}
	slices.SortFunc(list, func(a, b weighed) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.id, b.id))
	})
	ids := make([]string, len(list))
	for i, w := range list {
		ids[i] = w.id
	}
	return ids
}

func weigh(id, function string, shard int) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id + "/" + function + "/" + strconv.Itoa(shard)))
	// FNV hardly mixes its last bytes, which is where shards differ: finish as
	// splitmix64 does.
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
