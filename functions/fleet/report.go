package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// news says that this worker stands elsewhere with a function than it has said:
// who waits for it should not wait for the next second.
func (f *Fleet) news() bool {
	return slices.ContainsFunc(f.units, func(u *unit) bool { return f.told[u.fn.Name] != u.place() })
}

// report writes what this worker does into bucket status: itself, and the
// shards that it has, or would have if anybody had them.
func (f *Fleet) report(ctx context.Context) {
	if f.beating {
		return // the server is slow; a report a second would only queue up
	}
	now := time.Now()
	me := Worker{ID: f.ID, At: now, Started: f.started, Functions: make(map[string]Place, len(f.units))}
	var shards []shardReport
	for _, u := range f.units {
		me.Functions[u.fn.Name] = u.place()
		if u.program == nil {
			continue
		}
		for _, i := range u.sorted() {
			if r, ok := u.slots[i].report(now); ok {
				shards = append(shards, r)
			}
		}
	}
	f.beating, f.told = true, me.Functions
	f.work.Go(func() {
		send, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookAtMost)
		defer cancel()
		err := f.send(send, me, shards)
		f.notes <- func() {
			f.beating = false
			if err != nil {
				f.Logger.Debug("status was not heard", "error", err) // the next one says it again
				return
			}
			f.listen(time.Now())
		}
	})
}

// shardReport is a report on its way.
type shardReport struct {
	ShardReport
	program Program
}

// report says how the shard stands, if that is ours to say: we own it, or
// nobody does and we would be the first to.
func (s *slot) report(now time.Time) (shardReport, bool) {
	u := s.u
	r := ShardReport{Generation: u.shape().Generation}
	if s.running {
		own := s.work.Report()
		r.ShardStatus, r.Due = own.ShardStatus, own.Due
	}
	first, said := u.f.order(u, s.shard)[0], s.said(now)
	switch {
	case !s.owned.IsZero() && !u.f.peers.asleep(first, u.fn.Name, s.shard):
		r.Worker = u.f.ID
	case first != u.f.ID:
		return shardReport{}, false
	case !s.asleep && said.Worker != "" && said.Worker != u.f.ID && u.f.peers[said.Worker] != nil:
		return shardReport{}, false // it has not handed it to us yet
	}
	r.Function, r.Shard, r.At, r.Asleep = u.fn.Name, s.shard, now, s.asleep
	if u.fault != nil {
		r.LastError = u.fault.Error()
	} else if s.failed != "" {
		r.LastError = s.failed
	}
	return shardReport{r, u.program}, true
}

// send tells that we live before anything else: others wait for that.
func (f *Fleet) send(ctx context.Context, me Worker, shards []shardReport) error {
	data, err := json.Marshal(me)
	if err == nil {
		err = f.Status.Put(ctx, prefixWorker+f.ID, data)
	}
	for _, r := range shards {
		if n, failed := r.program.Pending(ctx, r.Shard); failed == nil {
			r.Lag = n
		}
		data, failed := json.Marshal(r.ShardReport)
		if failed == nil {
			failed = f.Status.Put(ctx, ShardKey(r.Function, r.Shard), data)
		}
		err = errors.Join(err, failed)
	}
	return err
}
