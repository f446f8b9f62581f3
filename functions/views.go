package functions

import (
	"context"
	"errors"
	"time"

	"streamflow"
)

const (
	viewsApart = 250 * time.Millisecond // of one key
	viewsLoad  = time.Second            // the same while messages wait
	// viewsAtOnce is about how many are shown at a time. Where many keys change
	// they are shown a few at a time: a tick that comes meanwhile would wait.
	viewsAtOnce = 128
)

// views are those that steps have left, which wait to be shown: the newest of
// each subject.
type views struct {
	index map[string]int
	list  []streamflow.Message
	at    time.Time // these are not to be shown before
	next  time.Time // nothing is
	some  []streamflow.Message
}

// add takes a view in the place of an older one of its subject.
func (v *views) add(out *Output, r *result) {
	if v.index == nil {
		v.index = make(map[string]int)
	}
	i, known := v.index[r.subject]
	if !known {
		i = len(v.list)
		v.index[r.subject] = i
		if i < cap(v.list) {
			v.list = v.list[:i+1] // with the memory of an earlier one
		} else {
			v.list = append(v.list, streamflow.Message{})
		}
		v.list[i].Subject = r.subject
	}
	m := &v.list[i]
	m.Data = append(m.Data[:0], out.data[r.from:r.to]...)
	m.Cause, m.Hops = r.cause, r.hops
}

func (v *views) clear() {
	clear(v.index)
	v.list = v.list[:0]
}

// wantViews says that there is something to show. How things stood long ago,
// which a replay comes by, is not what a view is for.
func (sh *shard) wantViews() bool {
	return sh.page.Replay == nil && (len(sh.views.list) > 0 || len(sh.m.dirty) > 0)
}

// viewsEvery is how long a key waits after it was shown.
func (sh *shard) viewsEvery(now time.Time) time.Duration {
	if sh.pace.latest(now) {
		return viewsApart
	}
	return viewsLoad
}

// viewsAt is when something is shown next, if something wants to be.
func (sh *shard) viewsAt(now time.Time) (at time.Time) {
	if len(sh.views.list) > 0 {
		at = sh.views.at
	}
	if len(sh.m.dirty) > 0 {
		if due := sh.m.dirty[0].shown.Add(sh.viewsEvery(now)); at.IsZero() || due.Before(at) {
			at = due
		}
	}
	if at.Before(sh.views.next) {
		at = sh.views.next
	}
	return at
}

// show publishes views that it is time for. They may be lost, so nothing waits
// for them: if the server is slow they come less often.
func (sh *shard) show(ctx context.Context, now time.Time) error {
	v, out, every := &sh.views, &sh.m.out, sh.viewsEvery(now)
	var err error
	if len(v.list) > 0 && !now.Before(v.at) {
		err = sh.showAll(ctx, v.list, now)
		v.clear()
		v.at = now.Add(every)
	}
	out.reset()
	if err := sh.m.viewSome(now, every, viewsAtOnce); err != nil {
		sh.stats.failed(err)
		sh.Logger.Error("a view fails and is left out", "error", err, "stack", stackOf(err))
	}
	v.some = v.some[:0]
	for i := range out.shown {
		v.some = append(v.some, out.message(&out.shown[i]))
	}
	if err == nil {
		err = sh.showAll(ctx, v.some, now)
	}
	out.reset()
	v.next = now.Add(4 * time.Since(now))
	if errors.Is(err, streamflow.ErrFenced) {
		return err
	}
	if err != nil {
		sh.Logger.Debug("views were lost", "error", err)
	}
	return nil
}

func (sh *shard) showAll(ctx context.Context, list []streamflow.Message, now time.Time) (err error) {
	hop := string(streamflow.AppendHop(nil, sh.Function.Name, now))
	for i := range list {
		list[i].Hops += hop
	}
	for len(list) > 0 && err == nil {
		n := min(len(list), MaxFacts)
		if err = sh.Ledger.Show(ctx, list[:n], sh.fence); err == nil {
			sh.Metrics.showed(sh.Function.Name, n)
			sh.steps.showed(sh.Function.Name, list[:n], now)
		}
		list = list[n:]
	}
	return err
}
