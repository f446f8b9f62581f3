package functions

import (
	"context"
	"fmt"
	"time"

	"streamflow"
)

// minder is a [Sink] that has to do with time, and whose states are not where
// its results are.
type minder interface {
	// seek sees to it that the source delivers what follows the states that were
	// loaded, given the sequence of the message that it would begin with.
	seek(ctx context.Context, first uint64) (moved bool, err error)
	// came says that messages have come, the newest of them last.
	came(now time.Time, newest *streamflow.Message)
	// mind does what time brings, and says when it wants to be called again, zero
	// for not before a message comes.
	mind(ctx context.Context, now time.Time) (next time.Time, err error)
	// overdue says, of a shard that is another worker's, or nobody's, whether it
	// has been left alone, and where in the stream to begin to take it over.
	overdue(ctx context.Context, now time.Time, heads map[streamflow.Partition]int64) (sequence uint64, left bool, err error)
	// lastResort returns a checkpoint if there is no point in waiting for messages.
	lastResort(ctx context.Context) (Checkpoint, error)
	// gone says that retention has taken what the states have not seen up to head.
	gone(p streamflow.Partition, head int64)
	// lag says how many messages wait.
	lag(n uint64)
	// leave makes it easy for who comes next.
	leave(ctx context.Context)
}

// patience is how long to wait for a message.
func (r *Runner) patience() time.Duration {
	if r.mindAt.IsZero() {
		return auditEvery
	}
	return min(max(time.Until(r.mindAt), time.Millisecond), auditEvery)
}

// mind lets time do its work, if there is anything to do.
func (r *Runner) mind(ctx context.Context) error {
	if r.minder == nil || r.checkpoint == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitAtMost)
	defer cancel()
	next, err := r.minder.mind(ctx, time.Now())
	if err != nil {
		r.giveUp(err)
		r.mindAt, r.heard = time.Now(), time.Time{} // see at once how it stands
		return err
	}
	r.mindAt = next
	if time.Since(r.measured) >= auditEvery {
		r.measured = time.Now()
		if undelivered, unacked, err := r.Source.Pending(ctx); err == nil {
			r.minder.lag(undelivered + uint64(max(unacked, 0)))
		}
	}
	return nil
}

// idle is what is done when no message comes.
func (r *Runner) idle(ctx context.Context) error {
	if err := r.mind(ctx); err != nil {
		return err
	}
	if r.checkpoint == nil {
		r.mindAt = time.Time{}
	}
	if time.Since(r.heard) < auditEvery {
		return nil
	}
	r.heard = time.Now()
	if r.idempotent {
		return r.unstick(ctx)
	}
	return r.audit(ctx)
}

// standby looks whether the worker of the shard is still there. A worker that
// dies while messages come is replaced by the source; one that dies while none
// do leaves what only the clock would have brought about, or messages that it
// had acknowledged and had not published the results of. To begin the delivery
// anew a little earlier brings messages to whoever is there to take them.
func (r *Runner) standby(ctx context.Context) error {
	heads, err := r.Source.Heads(ctx)
	if err != nil {
		return err
	}
	sequence, left, err := r.minder.overdue(ctx, time.Now(), heads)
	if err != nil || !left {
		return err
	}
	if r.checkpoint, err = r.minder.lastResort(ctx); err != nil || r.checkpoint != nil {
		r.mindAt = time.Now()
		return err
	}
	r.Logger.Warn("nobody works on the shard, and something is left to do: taking it over", "sequence", sequence)
	r.Metrics.rewind(r.Function)
	return r.Source.(StepSource).Seek(ctx, sequence)
}

// unstick opens the source anew if something is there and does not come.
func (r *Runner) unstick(ctx context.Context) error {
	undelivered, unacked, err := r.Source.Pending(ctx)
	if err != nil || undelivered > 0 || unacked > 0 {
		r.Source.Close()
	}
	if err != nil {
		return fmt.Errorf("look at what is pending: %w", err)
	}
	return nil
}
