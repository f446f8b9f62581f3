package bridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

// fetched is what one poll brought of a partition.
type fetched struct {
	records []*kgo.Record
	at      time.Time
}

// worker mirrors one partition. It alone writes its cursors, one batch at a
// time: the fence of a batch is the sequence that the batch before it returned.
type worker struct {
	s       *session
	p       streamflow.Partition
	target  Target // of the good ones
	log     *slog.Logger
	good    streamflow.Cursor // what is committed
	letters streamflow.Cursor
	topicID string // Kafka's, as it was when the partition was assigned; "" if it has none
	from    int64  // where it began
	in      chan fetched
	quit    chan struct{} // closed: take nothing more
	done    chan struct{} // closed: the last batch is settled
	sorter  sorter
	held    holding
	aside   []fetched    // what came while the partition was held
	tending *time.Ticker // says when to tend
	written time.Time    // when a cursor was written last
}

const (
	commitAtMost = 10 * time.Second
	loadAtMost   = 15 * time.Second
	tendEvery    = 10 * time.Second
	// tendAfter is how many messages may stand behind a cursor (of other
	// partitions, or stored one by one) before it is written again. It bounds
	// what a start must count, and keeps the cursor from ageing out.
	tendAfter = 20_000
	tendAge   = 10 * time.Minute
	// fencedWait is long enough for a bridge that was paused to hear from
	// Kafka that it no longer owns the partition.
	fencedWait = 2 * time.Second
)

// newWorker returns a worker whose cursors are still to be loaded.
func newWorker(s *session, p streamflow.Partition) *worker {
	route := s.route(p.Topic) // the client consumes no topic that has none
	w := &worker{
		s: s, p: p, target: route.Target, log: s.Logger.With("topic", p.Topic, "partition", p.Number),
		in: make(chan fetched, 1), quit: make(chan struct{}), done: make(chan struct{}),
		sorter: newSorter(route.Route, p, s.Mask, s.Letters.MaxPayload()),
	}
	w.sorter.tracer = s.Tracer
	return w
}

// load claims the partition, and reads which records between its two cursors
// are dead letters.
//
// It is bounded: a question that NATS took before it was killed is never
// answered, and the connection that comes back knows nothing of it.
func (w *worker) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loadAtMost)
	defer cancel()
	good, err := w.target.Claim(ctx, w.p)
	if err != nil {
		return fmt.Errorf("cursor of %s/%d: %w", w.p.Topic, w.p.Number, err)
	}
	letters, err := w.s.Letters.Claim(ctx, w.p)
	if err != nil {
		return fmt.Errorf("dead-letter cursor of %s/%d: %w", w.p.Topic, w.p.Number, err)
	}
	var refused map[int64]struct{}
	if letters.Next > good.Next {
		if refused, err = w.s.Letters.Offsets(ctx, w.p, good.Next); err != nil {
			return fmt.Errorf("dead letters of %s/%d: %w", w.p.Topic, w.p.Number, err)
		}
	}
	// Until place has compared them, the cursors keep the id that they have.
	good.TopicID, letters.TopicID = cmp.Or(w.topicID, good.TopicID), cmp.Or(w.topicID, letters.TopicID)
	w.good, w.letters, w.sorter.refused = good, letters, refused
	return nil
}

// hand gives records to the worker. It blocks while the worker is behind: that
// is the backpressure on the fetches.
func (w *worker) hand(ctx context.Context, f fetched) {
	select {
	case w.in <- f:
	case <-w.quit:
	case <-w.done:
	case <-ctx.Done():
	}
}

// stop ends the worker after the batch that is under way.
func (w *worker) stop() {
	select {
	case <-w.quit:
	default:
		close(w.quit)
	}
	<-w.done
}

func (w *worker) run(life context.Context) {
	defer close(w.done)
	ctx, cancel := context.WithCancel(life)
	defer cancel()
	go func() { // a quit also ends the wait for a server that is away
		select {
		case <-w.quit:
			cancel()
		case <-ctx.Done():
		}
	}()
	w.tending, w.written = time.NewTicker(tendEvery), time.Now()
	defer w.tending.Stop()
	defer w.release()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case f := <-w.in:
			err = w.mirror(ctx, f)
			for err == nil && len(w.aside) > 0 {
				f, w.aside = w.aside[0], w.aside[1:]
				err = w.mirror(ctx, f)
			}
		case <-w.tending.C:
			err = w.tendNow(ctx)
		}
		if err != nil {
			if ctx.Err() == nil {
				w.s.fail(fmt.Errorf("partition %s/%d: %w", w.p.Topic, w.p.Number, err))
			}
			return
		}
	}
}

// mirror brings the records of one fetch over, batch by batch.
func (w *worker) mirror(ctx context.Context, f fetched) error {
	records := f.records
	for len(records) > 0 {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n, away := w.read(ctx, records[:min(len(records), w.s.Batch)])
		if n == 0 {
			if err := w.hold(ctx, away); err != nil {
				return err
			}
			continue
		}
		w.release()
		if err := w.settle(ctx, records[:n], f.at); err != nil {
			return err
		}
		w.written = time.Now()
		records = records[n:]
	}
	return nil
}

// settle commits one batch and stays with it until it is committed: by this
// call, or, as the claimed cursors then show, by one whose answer was lost.
func (w *worker) settle(ctx context.Context, records []*kgo.Record, at time.Time) error {
	retry := backoff{}
	for {
		err := w.commit(ctx, records, at)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, streamflow.ErrFenced) {
			// Somebody else writes this partition. If Kafka has given it away,
			// we are about to be told, and must write nothing until then.
			w.s.Metrics.fences.WithLabelValues(w.p.Topic).Inc()
			w.log.Warn("fenced: another bridge has written this partition")
			if !sleep(ctx, fencedWait) {
				return ctx.Err()
			}
		} else {
			w.s.Metrics.failures.WithLabelValues(w.p.Topic).Inc()
			w.log.Warn("commit failed, trying again", "error", err, "in", retry.next())
			retry.wait(ctx)
		}
		if err := w.reload(ctx); err != nil {
			return err
		}
	}
}

// commit checks the records that the cursors do not cover yet and writes them:
// first the dead letters, then the good ones.
func (w *worker) commit(ctx context.Context, records []*kgo.Record, at time.Time) error {
	good, bad, next, letters := w.sorter.sort(records, at, w.good, w.letters)
	// The batch that is under way is finished even if the partition is being
	// given up: its outcome is better known than open.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitAtMost)
	defer cancel()
	start := time.Now()
	if len(bad) > 0 {
		fence, err := w.s.Letters.Commit(ctx, w.p, bad, letters)
		if err != nil {
			return fmt.Errorf("dead letters: %w", err)
		}
		letters.Fence = fence
		w.letters = letters
		w.s.Metrics.reject(w.p.Topic, bad)
		w.sorter.record(true, len(bad))
	}
	if next.Next == w.good.Next {
		return nil
	}
	fence, err := w.target.Commit(ctx, w.p, good, next)
	if err != nil {
		return err
	}
	next.Fence = fence
	w.good = next
	w.s.Metrics.committed(w.p, good, time.Since(start), next.Next)
	w.sorter.record(false, len(good))
	w.s.mark(w.p, next.Next)
	return nil
}

// reload claims the partition again, for as long as it takes. [errAnew] says that
// the cursor has gone back: JetStream has lost what was committed, and
// only Kafka still has it.
func (w *worker) reload(ctx context.Context) error {
	retry := backoff{}
	for {
		before := w.good.Next
		err := w.load(ctx)
		if err == nil {
			if w.good.Next < before {
				return fmt.Errorf("from %d to %d: %w", before, w.good.Next, errAnew)
			}
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.log.Warn("the partition cannot be claimed, trying again", "error", err, "in", retry.next())
		retry.wait(ctx)
	}
}

// tendNow tends, and notes whether the cursor was written.
func (w *worker) tendNow(ctx context.Context) error {
	wrote, err := w.tend(ctx, time.Since(w.written))
	if wrote {
		w.written = time.Now()
	}
	return err
}

// tend looks after the cursor of an idle partition: whether it still stands
// (the stream may have been deleted), and whether it has fallen far behind the
// stream's end. wrote says that it was written again.
func (w *worker) tend(ctx context.Context, idle time.Duration) (wrote bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, commitAtMost)
	defer cancel()
	fence, err := w.target.Fence(ctx, w.p)
	if err != nil {
		return false, nil // away; the next batch, or the next round, tells more
	}
	if fence != w.good.Fence {
		return false, w.reload(ctx)
	}
	head, err := w.target.Head(ctx)
	if err != nil || fence == 0 || (head-fence < tendAfter && idle < tendAge) {
		return false, nil
	}
	if fence, err = w.target.Commit(ctx, w.p, nil, w.good); err != nil {
		return false, w.reload(ctx)
	}
	w.good.Fence = fence
	return true, nil
}
