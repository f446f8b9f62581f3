package fleet

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"streamflow"
)

// rules are those of bucket rules.
type rules struct {
	byID     map[string]streamflow.Rule
	revision uint64    // of the newest change
	first    time.Time // of the changes that nobody has been built with yet
	last     time.Time
}

// Several changes at once, such as a file of rules, are taken up together.
const (
	rulesQuiet  = 300 * time.Millisecond
	rulesAtMost = 2 * time.Second
)

func (f *Fleet) heedRule(key string, value []byte, revision uint64) {
	r := &f.rules
	r.last = time.Now()
	if r.first.IsZero() {
		r.first = r.last
	}
	r.revision = max(r.revision, revision)
	var rule streamflow.Rule
	err := json.Unmarshal(value, &rule)
	if value != nil && (err != nil || rule.ID != key) {
		f.Logger.Warn("rule is left out: it is not JSON of a rule with this ID", "rule", key, "error", err)
	}
	if value == nil || err != nil || rule.ID != key {
		delete(r.byID, key)
		return
	}
	r.byID[key] = rule
}

// settled says that no more changes are likely to come right away.
func (r *rules) settled(now time.Time) bool {
	return now.Sub(r.last) >= rulesQuiet || now.Sub(r.first) >= rulesAtMost
}

// list returns the rules in the order of their IDs.
func (r *rules) list() []streamflow.Rule {
	list := make([]streamflow.Rule, 0, len(r.byID))
	for _, id := range slices.Sorted(maps.Keys(r.byID)) {
		list = append(list, r.byID[id])
	}
	return list
}
