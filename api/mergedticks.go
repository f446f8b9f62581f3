package api

import (
	"cmp"
	"container/heap"
	"context"
	"iter"
	"time"

	"streamflow"
)

// maxMerged is how many stocks are read side by side.
const maxMerged = 1000

// ticksFor yields the stored ticks that concern a rule, by time.
func (s *Server) ticksFor(ctx context.Context, symbol string, from, to time.Time) (iter.Seq2[streamflow.Mirrored, error], error) {
	if symbol != "*" {
		return s.storedTicks(ctx, TicksQuery{Symbol: symbol, From: from, To: to, Limit: chunk}), nil
	}
	stocks, _, seeded := s.board.stocks(time.Now())
	switch {
	case !seeded:
		return nil, s.notRead()
	case len(stocks) > maxMerged:
		return nil, badField("body.rule.symbol", symbol, "there are %d stocks, the limit for a test is %d: test the rule on one of them", len(stocks), maxMerged)
	}
	var all []iter.Seq2[streamflow.Mirrored, error]
	for i := range stocks {
		// Small pages: all stocks have one in memory at the same time.
		all = append(all, s.storedTicks(ctx, TicksQuery{Symbol: stocks[i].Symbol, From: from, To: to, Limit: max(50, chunk/len(stocks))}))
	}
	return merged(all), nil
}

// merged yields the ticks of several series, each ordered by time, as one.
func merged(all []iter.Seq2[streamflow.Mirrored, error]) iter.Seq2[streamflow.Mirrored, error] {
	return func(yield func(streamflow.Mirrored, error) bool) {
		var h heads
		defer func() {
			for _, x := range h {
				x.stop()
			}
		}()
		for _, series := range all {
			x := &head{}
			x.next, x.stop = iter.Pull2(series)
			if x.advance() {
				h = append(h, x)
			}
		}
		heap.Init(&h)
		for len(h) > 0 {
			x := h[0]
			if !yield(x.m, x.err) || x.err != nil {
				return
			}
			if x.advance() {
				heap.Fix(&h, 0)
			} else {
				heap.Pop(&h)
			}
		}
	}
}

// head is the next tick of a series.
type head struct {
	m    streamflow.Mirrored
	err  error
	next func() (streamflow.Mirrored, error, bool)
	stop func()
}

func (x *head) advance() bool {
	var ok bool
	x.m, x.err, ok = x.next()
	return ok
}

// heads are ordered by time; an error comes before all.
type heads []*head

func (h heads) Len() int      { return len(h) }
func (h heads) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h heads) Less(i, j int) bool {
	a, b := h[i], h[j]
	if a.err != nil || b.err != nil {
		return a.err != nil
	}
	return cmp.Or(a.m.Tick.Time.Compare(b.m.Tick.Time), cmp.Compare(a.m.Position.Partition, b.m.Position.Partition),
		cmp.Compare(a.m.Position.Offset, b.m.Position.Offset)) < 0
}

// Push is not used: all series are there from the beginning.
func (h *heads) Push(x any) { *h = append(*h, x.(*head)) }

// Pop implements [heap.Interface].
func (h *heads) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return x
}
