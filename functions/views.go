package functions

import (
	"context"
	"errors"
	"time"

	"streamflow"
)

const (
	viewsApart = 250 * time.Millisecond
	viewsLoad  = time.Second // apart while messages wait
)

// views are those that wait to be shown: the newest of each subject.
type views struct {
	index map[string]int
	list  []streamflow.Message
	next  time.Time // not to be shown before
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

// show publishes views. They may be lost, so nothing waits for them: if the
// server is slow they come less often.
func (sh *shard) show(ctx context.Context, now time.Time) error {
	out := &sh.m.out
	out.reset()
	if err := sh.m.viewAll(); err != nil {
		sh.stats.failed(err)
		sh.Logger.Error("a view fails and is left out", "error", err, "stack", stackOf(err))
	}
	for i := range out.shown {
		sh.views.add(out, &out.shown[i])
	}
	out.reset()
	list := sh.views.list
	hop := string(streamflow.AppendHop(nil, sh.Function.Name, now))
	for i := range list {
		list[i].Hops += hop
	}
	var err error
	for len(list) > 0 && err == nil {
		n := min(len(list), MaxFacts)
		if err = sh.Ledger.Show(ctx, list[:n], sh.fence); err == nil {
			sh.Metrics.showed(sh.Function.Name, n)
			sh.steps.showed(sh.Function.Name, list[:n], now)
		}
		list = list[n:]
	}
	sh.views.clear()
	sh.views.next = now.Add(max(viewsApart, 4*time.Since(now)))
	if errors.Is(err, streamflow.ErrFenced) {
		return err
	}
	if err != nil {
		sh.Logger.Debug("views were lost", "error", err)
	}
	return nil
}
