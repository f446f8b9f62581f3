package functions

import (
	"context"
	"fmt"
	"time"
)

// Peeker is a [Sink] whose Load fences other workers, and which can also tell
// the checkpoint without doing that.
type Peeker interface {
	Peek(ctx context.Context) (Checkpoint, error)
}

func (r *Runner) peek(ctx context.Context) (Checkpoint, error) {
	if p, ok := r.Sink.(Peeker); ok {
		return p.Peek(ctx)
	}
	return r.Sink.Load(ctx)
}

// audit looks, when nothing is delivered, whether there is something that
// should have been.
//
// Something undelivered or unacknowledged may be with another worker. If not,
// the delivery has got stuck: the durable is gone, or a worker that was paused
// between its commit and its acknowledgement has, with a number from before a
// reset, put the durable's floor ahead of all that we acknowledge. To open the
// source anew cures both, and does a standby no harm.
//
// If nothing is, and a partition of the stream holds younger messages than the
// checkpoint, then the durable's idea of what was done is wrong (the stream was
// made anew, or lost its tail), and the stream is read again. The order matters:
//
//	pending? none | tick 7 arrives, is still on its way | heads? 7 | checkpoint? 6
//
// looks behind and is not. So the heads come first and pending second: what was
// in the stream by then and is not pending was acknowledged, hence committed.
func (r *Runner) audit(ctx context.Context) error {
	undelivered, unacked, err := r.Source.Pending(ctx)
	if err != nil || undelivered > 0 || unacked > 0 {
		r.Source.Close()
		return err
	}
	if r.minder != nil && r.checkpoint == nil {
		return r.standby(ctx)
	}
	if !r.progress && time.Since(r.audited) < 6*auditEvery {
		return nil
	}
	heads, err := r.Source.Heads(ctx)
	if err != nil {
		return err
	}
	if undelivered, unacked, err = r.Source.Pending(ctx); err != nil || undelivered > 0 || unacked > 0 {
		return err
	}
	checkpoint, err := r.peek(ctx)
	if err != nil {
		if r.minder != nil {
			r.giveUp(err)
		}
		return fmt.Errorf("look at the checkpoint: %w", err)
	}
	if checkpoint == nil {
		r.idempotent = true // there is nothing to compare with the heads
		return nil
	}
	r.audited, r.progress = time.Now(), false
	for p, head := range heads {
		done, known := checkpoint[p]
		if !known {
			done = -1
		}
		if done >= head {
			continue
		}
		if r.rewound[p].proves(done) {
			if r.minder != nil { // retention has taken it
				r.checkpoint[p] = head
				r.minder.gone(p, head)
			}
			continue
		}
		r.Logger.Warn("idle behind the stream: reading it again from its start", "partition", p, "checkpoint", done, "head", head)
		return r.again(ctx, p, done)
	}
	return nil
}
