package functions

import (
	"context"
	"errors"
	"fmt"

	"streamflow"
)

// ReasonStepFailed is the reason of a dead letter of a function: its step has
// failed, or panicked, each time it was tried.
const ReasonStepFailed streamflow.Reason = "step_failed"

// HeaderStack is the header of such a dead letter that holds the stack of a
// panic.
const HeaderStack = "Stack"

const (
	stepTries   = 3       // in all
	stackAtMost = 8 << 10 // bytes
	trusting    = 8       // so many keys may fail before all are taken to
)

// again tries a step again that has failed. aside is why it is given up.
//
// If its state could not be left as it was, everything is loaded anew, which
// costs what a crash costs; from then on a copy of this key's state is made
// before each of its steps, so that it happens once, not once for every message
// that is wrong.
func (sh *shard) again(undone bool, failed error, step func() (undone bool, err error)) (aside, err error) {
	for range stepTries - 1 {
		if !undone {
			break
		}
		if undone, failed = step(); failed == nil {
			return nil, nil
		}
	}
	if undone {
		return failed, nil
	}
	var e *StepError
	if errors.As(failed, &e) && !sh.suspects[e.Key] {
		sh.suspects[e.Key] = true
		sh.careful = len(sh.suspects) >= trusting
	}
	return nil, fmt.Errorf("the states are loaded anew: %w", failed)
}

// reject sets a message aside.
func (sh *shard) reject(ctx context.Context, msg *streamflow.Message, failed error) error {
	letter := streamflow.DeadLetter{
		Position: msg.Position, Reason: ReasonStepFailed, Detail: failed.Error(), Value: msg.Data, Headers: msg.Headers,
	}
	letter.Time, _ = streamflow.FindHop(msg.Hops, streamflow.HopKafka)
	if stack := stackOf(failed); stack != "" {
		letter.Headers = append(letter.Headers[:len(letter.Headers):len(letter.Headers)], streamflow.Header{Key: HeaderStack, Value: []byte(stack)})
	}
	if err := sh.Ledger.Reject(ctx, letter); err != nil {
		return fmt.Errorf("dead letter of %v: %w", msg.Position, err)
	}
	sh.aside[msg.Position] = true
	sh.page.Aside = append(sh.page.Aside, msg.Position.String())
	sh.pace.changed()
	sh.stats.rejected(failed)
	sh.Metrics.rejected(sh.Function.Name)
	sh.Logger.Error("a message is set aside: its step fails", "position", msg.Position, "subject", msg.Subject, "error", failed)
	return nil
}

// stackOf returns the stack of a panic, "" if it was none.
func stackOf(err error) string {
	var e *StepError
	if !errors.As(err, &e) {
		return ""
	}
	return string(e.Stack[:min(len(e.Stack), stackAtMost)])
}
