package bridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

// Values reads values in the wire format of a schema registry.
type Values interface {
	// JSON returns what a framed value says as the JSON text that a schema takes
	// that knows these members. The error is a [*streamflow.RejectError] if the
	// value is at fault; any other says that it cannot be told now.
	JSON(ctx context.Context, value []byte, members []streamflow.Member) ([]byte, error)
}

// reading is what a framed value says, or why it says nothing.
type reading struct {
	json  []byte
	fault error
}

// noValues stands for a registry that nobody has set.
type noValues struct{}

func (noValues) JSON(_ context.Context, value []byte, _ []streamflow.Member) ([]byte, error) {
	return nil, cmp.Or(streamflow.CheckFramed(value), streamflow.ErrNoRegistry)
}

// read reads the framed values among records, for the sorter, and returns how
// many records from the first on are ready to be sorted. If they are not all of
// them, the error says why. Plain JSON is ready as it is.
func (w *worker) read(ctx context.Context, records []*kgo.Record) (ready int, err error) {
	clear(w.sorter.readings)
	for i, r := range records {
		if !streamflow.Framed(r.Value) || r.Offset < w.good.Next || r.Attrs.IsControl() {
			continue
		}
		if _, done := w.sorter.refused[r.Offset]; done {
			continue
		}
		text, err := w.s.Values.JSON(ctx, r.Value, w.sorter.route.Members)
		var fault *streamflow.RejectError
		switch {
		case err == nil:
		case !errors.As(err, &fault):
			return i, err
		case r.Offset < w.letters.Next && unsettled(fault.Reason):
			return i, fmt.Errorf("it could be read before, and now cannot: is it the same registry? %w", err)
		}
		w.sorter.readings[r.Offset] = reading{text, err}
	}
	return len(records), nil
}

// unsettled reports whether the registry may say something else another time.
// Such a verdict must not turn, behind the cursor of the dead letters, against
// a record that is none of them: the next bridge would skip it as one.
//
//	bridge A | record 7 is good, record 8 is not: 8 is committed to DLQ
//	         | A is killed before it commits the ticks of the batch
//	bridge B | has another registry, which does not know the schema of 7
func unsettled(r streamflow.Reason) bool {
	return r == streamflow.ReasonNoRegistry || r == streamflow.ReasonNoSchema || r == streamflow.ReasonBadSchema
}

// holding is the state of a worker that waits for a registry.
type holding struct {
	retry backoff
	since time.Time // zero: it does not wait
}

// hold waits a while, longer each time, because a value cannot be read now. The
// partition is fetched no further meanwhile: what waits for this worker to take
// more would keep the other partitions waiting too. What is on its way is put
// aside.
func (w *worker) hold(ctx context.Context, cause error) error {
	if w.held.since.IsZero() {
		w.held.since = time.Now()
		w.s.client.PauseFetchPartitions(map[string][]int32{w.p.Topic: {w.p.Number}})
		w.s.Metrics.hold(w.p, true)
	}
	w.log.Warn("the partition is held: a value cannot be read yet", "error", cause, "at", w.good.Next, "in", w.held.retry.next())
	w.held.retry.delay = w.held.retry.next()
	timer := time.NewTimer(w.held.retry.delay)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return nil
		case f := <-w.in:
			w.aside = append(w.aside, f)
		case <-w.tending.C:
			if err := w.tendNow(ctx); err != nil {
				return err
			}
		}
	}
}

// release ends the hold, if there is one.
func (w *worker) release() {
	if w.held.since.IsZero() {
		return
	}
	w.s.Metrics.hold(w.p, false)
	w.s.client.ResumeFetchPartitions(map[string][]int32{w.p.Topic: {w.p.Number}})
	w.log.Info("the partition goes on", "held", time.Since(w.held.since).Round(time.Millisecond))
	w.held = holding{}
}
