package bridge

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"streamflow"
)

// claimsAtOnce is how many partitions are claimed at a time. A claim is a dozen
// questions, to which most of its time goes.
const claimsAtOnce = 8

type offsets = map[string]map[int32]kgo.Offset

// assigned returns the function that the client calls before it fetches newly
// assigned partitions: it reads their cursors, replaces the group's offsets by
// them, and starts their workers.
func (s *session) assigned(life context.Context) func(context.Context, offsets) (offsets, error) {
	return func(ctx context.Context, offsets offsets) (offsets, error) {
		// The group may be joined before Connect has returned.
		select {
		case <-s.ready:
		case <-life.Done():
			return nil, life.Err()
		}
		err := s.claim(ctx, life, offsets)
		if err == nil {
			return offsets, nil
		}
		// If it is because the group is being balanced anew, the client asks again
		// with what it then has. To begin anew here would be to leave the group,
		// which makes the others balance anew in turn.
		if ctx.Err() == nil {
			s.fail(err)
		}
		return nil, err
	}
}

// claim starts a worker for each partition and puts into offsets where it begins.
//
// The group may be balanced anew at any moment, and the client then asks for all
// of them again. What is claimed by then stays claimed, or a bridge whose claims
// take longer than the group is quiet would never come to its end:
//
//	bridge A claims 7 of 12 partitions | B joins: A is asked for the 12 again
//	A claims 7 of 12 partitions        | B, or its watch, has the group balance anew
func (s *session) claim(ctx, life context.Context, offsets offsets) error {
	var all []streamflow.Partition
	for topic, partitions := range offsets {
		for number := range partitions {
			all = append(all, streamflow.Partition{Topic: topic, Number: number})
		}
	}
	s.claiming(all, true)
	defer s.claiming(all, false)
	var mu sync.Mutex // offsets
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(claimsAtOnce)
	for _, p := range all {
		group.Go(func() error {
			w := s.worker(p)
			if w == nil {
				var err error
				if w, err = s.start(ctx, life, p); err != nil {
					return err
				}
			}
			mu.Lock()
			defer mu.Unlock()
			offsets[p.Topic][p.Number] = kgo.NewOffset().At(w.from)
			return nil
		})
	}
	return group.Wait()
}

// claiming notes whether partitions are being claimed: those are nobody's that
// need looking after, see watch.
func (s *session) claiming(all []streamflow.Partition, under bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range all {
		if under {
			s.claims[p] = true
		} else {
			delete(s.claims, p)
		}
	}
}

// start claims p and starts its worker.
func (s *session) start(ctx, life context.Context, p streamflow.Partition) (*worker, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w := newWorker(s, p)
	if err := w.begin(ctx); err != nil {
		return nil, err
	}
	if err := w.place(ctx); err != nil {
		return nil, err
	}
	w.from = w.good.Next
	s.mu.Lock()
	s.workers[p] = w
	s.mu.Unlock()
	s.Metrics.assigned(p, w.from)
	w.log.Info("partition assigned", "from", w.from)
	go w.run(life)
	return w, nil
}

// begin loads the cursors of a partition that was just assigned. A NATS that has
// lost a node needs some seconds to go on without it: it is waited for here,
// because to begin anew is to leave the group, and then all balance anew.
func (w *worker) begin(ctx context.Context) error {
	retry, began := backoff{}, time.Now()
	for {
		err := w.load(ctx)
		if err == nil || ctx.Err() != nil || time.Since(began) > loadAtMost {
			return err
		}
		w.log.Warn("the partition cannot be claimed yet, trying again", "error", err, "in", retry.next())
		retry.wait(ctx)
	}
}
