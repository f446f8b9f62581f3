package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"streamflow"
)

// change is the way of a function from one layout to the next.
type change struct {
	running bool
	retry   time.Time // not to be tried before
	said    int       // the generation of which it was logged that it begins
	tidying bool
	tidied  int // the generation for which it is done
}

// moveAtMost bounds one try. What was done by then counts: the next try finds it.
const moveAtMost = 5 * time.Minute

// move brings the function to the layout that is desired, and says whether it
// is on the way there: then no shard runs. One worker does it, the first in the
// order for "shard -1"; should two think that they are it, both do the same.
func (u *unit) move(ctx context.Context, now time.Time) bool {
	if u.fn.Sink {
		return false
	}
	from := u.layout.value
	next, other := want(u.desired, from)
	begun := u.next.value.Generation == from.Generation+1
	if begun {
		next = u.next.value // what was begun is finished first, whatever is desired by now
	}
	if !other && !begun {
		return false
	}
	if u.change.said != next.Generation {
		u.change.said = next.Generation
		if from.Generation > 0 {
			u.log.Info("function changes its layout", "generation", next.Generation, "shards", next.Shards, "from", from.Shards, "replay", next.Replay != nil)
		}
	}
	if u.change.running || now.Before(u.change.retry) || u.busy() || u.f.order(u, -1)[0] != u.f.ID {
		return true
	}
	u.change.running = true
	program, layout, intent := u.program, u.layout.revision, u.next.revision
	u.f.work.Go(func() {
		revision, err := u.f.moveTo(ctx, u.fn.Name, program, from, next, begun, intent, layout)
		u.f.notes <- func() { u.moved(kept[streamflow.Layout]{next.Layout, revision}, err) }
	})
	return true
}

// busy says that a shard still runs here.
func (u *unit) busy() bool {
	for _, s := range u.slots {
		if s.running {
			return true
		}
	}
	return false
}

// moveTo writes down where the function goes, goes there, and writes down that
// it has arrived. A worker that dies in between has left all that another one
// needs to finish it.
func (f *Fleet) moveTo(ctx context.Context, name string, p Program, from streamflow.Layout, next Next, begun bool, intent, layout uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, moveAtMost)
	defer cancel()
	if !begun {
		if _, err := f.update(ctx, name+suffixNext, next, intent); err != nil {
			return 0, err
		}
	}
	if err := p.Move(ctx, from, next.Layout, next.Replay); err != nil {
		return 0, fmt.Errorf("to generation %d: %w", next.Generation, err)
	}
	return f.update(ctx, name+suffixLayout, next.Layout, layout)
}

func (f *Fleet) update(ctx context.Context, key string, v any, revision uint64) (uint64, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return 0, err
	}
	return f.Desired.Update(ctx, key, data, revision)
}

func (u *unit) moved(now kept[streamflow.Layout], err error) {
	u.change.running = false
	switch {
	case err == nil:
		if now.revision > u.layout.revision {
			u.layout = now
		}
		if now.value.Generation > 1 {
			u.log.Info("function has its new layout", "generation", now.value.Generation, "shards", now.value.Shards)
		}
	case errors.Is(err, streamflow.ErrFenced):
		// Another worker was quicker; the bucket tells what it did.
		u.change.retry = time.Now().Add(retryEvery)
	default:
		u.change.retry = time.Now().Add(retryEvery)
		u.log.Warn("layout is not changed yet, trying again", "error", err, "in", retryEvery)
	}
}

// tidy removes what earlier layouts have left, once every shard of this one is
// at work, or asleep.
func (u *unit) tidy(ctx context.Context, now time.Time) {
	layout := u.layout.value
	if layout.Generation <= 1 || u.change.tidied == layout.Generation || u.change.tidying || u.f.order(u, -1)[0] != u.f.ID {
		return
	}
	for i := range layout.Shards {
		r := u.slots[i].said(now)
		if r.Generation != layout.Generation || r.Worker == "" && r.Lag > 0 {
			return
		}
	}
	u.change.tidying = true
	program := u.program
	u.f.work.Go(func() {
		own, cancel := context.WithTimeout(ctx, moveAtMost)
		defer cancel()
		err := program.Tidy(own, layout)
		u.f.notes <- func() {
			u.change.tidying = false
			if err == nil {
				u.change.tidied = layout.Generation
			} else if ctx.Err() == nil {
				u.log.Warn("what an earlier layout has left is not removed yet", "error", err)
			}
		}
	})
}
