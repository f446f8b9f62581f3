package fleet

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"streamflow"
)

// note has fn called by the goroutine of Run, unless ctx ends before.
func (f *Fleet) note(ctx context.Context, fn func()) {
	select {
	case f.notes <- fn:
	case <-ctx.Done():
	}
}

// watch tells every change of a bucket, for as long as ctx lives.
func (f *Fleet) watch(ctx context.Context, name string, b Bucket, heed func(key string, value []byte, revision uint64)) {
	for ctx.Err() == nil {
		own, cancel := context.WithCancel(ctx)
		f.note(ctx, func() { f.begin(name, cancel) })
		err := b.Watch(own, func(key string, value []byte, revision uint64) {
			f.note(own, func() {
				if key == "" {
					f.complete(name)
				} else {
					heed(key, value, revision)
				}
			})
		})
		cancel()
		if ctx.Err() != nil {
			return
		}
		f.Logger.Warn("bucket is not watched, trying again", "bucket", name, "error", err, "in", retryEvery)
		select {
		case <-ctx.Done():
		case <-time.After(retryEvery):
		}
	}
}

// listen begins the watch of the bucket of status anew if we do not hear
// ourselves in it. It is in memory: a server that was killed has lost it, and
// who watches the one that is made anew hears nothing.
func (f *Fleet) listen(now time.Time) {
	if now.Sub(f.echo) > deadAfter && f.deaf != nil {
		f.echo = now
		f.deaf()
	}
}

const (
	retryEvery  = time.Second
	decideEvery = 250 * time.Millisecond // for what only time brings about
)

// begin notes that all keys of a bucket are told from the start. Until they
// are, nothing is decided: what is not known must not be taken for the default.
//
// Of others nothing need be known: where two think that they are the first, the
// durable knows one owner.
func (f *Fleet) begin(bucket string, again context.CancelFunc) {
	switch bucket {
	case bucketStatus:
		f.deaf, f.echo = again, time.Now()
		return
	case bucketRules:
		f.seen[bucket] = false
		return
	}
	f.seen[bucket] = false
	for _, u := range f.units {
		u.told, u.layout, u.next = false, kept[streamflow.Layout]{}, kept[Next]{}
	}
}

func (f *Fleet) complete(bucket string) {
	f.seen[bucket] = true
	for _, u := range f.units {
		if bucket == bucketFunctions && !u.told {
			u.heed(nil, 0)
		}
	}
}

// The buckets, in words.
const (
	bucketFunctions = streamflow.BucketFunctions
	bucketRules     = streamflow.BucketRules
	bucketStatus    = streamflow.BucketStatus
)

func (f *Fleet) heedDesired(key string, value []byte, revision uint64) {
	name, suffix := cutKey(key)
	u := f.byName[name]
	switch {
	case u == nil: // another worker's, or of another version of this program
	case suffix == suffixLayout:
		u.layout.heed(value, revision)
	case suffix == suffixNext:
		u.next.heed(value, revision)
	case suffix == "":
		u.heed(value, revision)
	}
}

func (f *Fleet) heedStatus(key string, value []byte, _ uint64) {
	if id, ok := strings.CutPrefix(key, prefixWorker); ok {
		if id == f.ID {
			f.echo = time.Now()
		} else {
			f.peers.hear(id, value, time.Now())
		}
		return
	}
	var r ShardReport
	if value == nil || json.Unmarshal(value, &r) != nil {
		delete(f.status, key)
		return
	}
	f.status[key] = heard{r, time.Now()}
}
