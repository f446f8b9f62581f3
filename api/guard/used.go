package guard

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// Used says when a key was last used, to the minute, and from where.
type Used struct {
	At   time.Time `json:"at"`
	From string    `json:"from"` // the address
}

// usedSuffix marks where a key's last use is kept, beside the key and not in it:
// so a process that notes a use can never undo a revocation.
const usedSuffix = ".used"

// UsedKey is the place of a key's last use in the bucket.
func UsedKey(id string) string { return id + usedSuffix }

// UsedID returns the id of the key whose last use is kept there, and whether it
// is such a place.
func UsedID(place string) (id string, ok bool) { return strings.CutSuffix(place, usedSuffix) }

// usedEvery is how often uses are written: one write for each key and process.
const usedEvery = time.Minute

// note remembers a use until it is written.
func (r *Ring) note(id string, u Used) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.keys[id]; known {
		r.used[id] = u
	}
}

// writeUsed writes what was noted. What cannot be written is noted anew by the
// next use, and is no reason to refuse anybody.
func (r *Ring) writeUsed(ctx context.Context) {
	r.mu.Lock()
	used := r.used
	r.used = make(map[string]Used)
	r.mu.Unlock()
	for id, u := range used {
		data, err := json.Marshal(u)
		if err == nil {
			err = r.store.Put(ctx, UsedKey(id), data)
		}
		if err != nil {
			r.log.Warn("the last use of an API key is not written", "key", id, "error", err)
			return
		}
	}
}
