package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"streamflow"
)

// worker delivers to one webhook.
type worker struct {
	hook     Webhook
	queue    Queue
	client   *http.Client
	recorder Recorder
	letters  DeadLetters
	log      *slog.Logger
	metrics  *Metrics
	gone     atomic.Bool // the receiver wants no more
}

// run takes one message after the other and makes up to Concurrency attempts at
// a time. A message is asked for only when there is room for its attempt, so
// that none waits here while its time to be acknowledged runs out.
func (w *worker) run(ctx context.Context) {
	defer w.queue.Close()
	reading, stop := context.WithCancel(ctx)
	defer stop()
	trying, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, abort) })()
	w.log.Info("webhook is served")
	room := make(chan struct{}, w.hook.Concurrency)
	var attempts sync.WaitGroup
	failures := 0
	for w.enter(reading, room) {
		m, delivered, err := w.queue.Next(reading)
		if err != nil {
			<-room
			if reading.Err() == nil {
				failures++
				w.log.Warn("the queue of the webhook cannot be read, tried again", "error", err)
				pause(reading, min(delay(failures, 0), grace))
			}
			continue
		}
		failures = 0
		attempts.Go(func() {
			defer func() { <-room }()
			if w.handle(trying, m, delivered); w.gone.Load() {
				stop()
			}
		})
	}
	attempts.Wait()
	w.log.Info("webhook is no longer served", "gone", w.gone.Load())
}

// enter waits for room for one more attempt; false says that there will be none.
func (w *worker) enter(ctx context.Context, room chan<- struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case room <- struct{}{}:
		return ctx.Err() == nil
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// handle does what is to be done with one message. A failure to say so to the
// queue is only noted: the message comes again, under the same delivery ID.
func (w *worker) handle(ctx context.Context, m streamflow.Message, attempt int) {
	if err := w.settle(ctx, m, max(attempt, 1)); err != nil {
		w.log.Warn("a message was not settled and comes again", "position", m.Position, "sequence", m.Sequence, "error", err)
	}
}

func (w *worker) settle(ctx context.Context, m streamflow.Message, attempt int) error {
	if m.Position.Topic == "" || replayed(m) {
		return w.queue.Ack(m.Sequence) // a view, or what was delivered before
	}
	var alert streamflow.Alert
	if err := json.Unmarshal(m.Data, &alert); err != nil || alert.ID == "" {
		return w.bury(ctx, m, "it is no alert", attempt)
	}
	if !w.hook.wants(&alert) {
		return w.queue.Ack(m.Sequence)
	}
	if attempt > w.hook.MaxAttempts { // the last one did not get as far as to be settled
		return w.bury(ctx, m, fmt.Sprintf("given up after %d attempts", attempt-1), attempt)
	}
	a := w.try(ctx, m, alert.ID, attempt)
	switch {
	case a.verdict == delivered:
		w.log.Debug("delivered", "alert", alert.ID, "attempt", attempt, "status", a.status)
		return w.queue.Ack(m.Sequence)
	case ctx.Err() != nil: // we broke it off
		return w.queue.NakWithDelay(m.Sequence, 0)
	case a.verdict == gone:
		if !w.gone.Swap(true) {
			w.log.Error("the receiver wants no more (410): it is not called again before the next start; change the URL, or take the webhook out")
		}
		return w.bury(ctx, m, a.err.Error(), attempt)
	case a.verdict == refused:
		return w.bury(ctx, m, a.err.Error(), attempt)
	case attempt >= w.hook.MaxAttempts:
		return w.bury(ctx, m, fmt.Sprintf("given up after %d attempts, the last: %v", attempt, a.err), attempt)
	}
	wait := delay(attempt, a.wait)
	w.log.Warn("not delivered, tried again", "alert", alert.ID, "attempt", attempt, "error", a.err, "in", wait)
	return w.queue.NakWithDelay(m.Sequence, wait)
}

// replayed says that the message repeats what was published before.
func replayed(m streamflow.Message) bool {
	return slices.ContainsFunc(m.Headers, func(h streamflow.Header) bool { return h.Key == streamflow.HeaderReplay })
}

// try makes an attempt and records it.
func (w *worker) try(ctx context.Context, m streamflow.Message, alert string, attempt int) answer {
	began := time.Now()
	a := post(ctx, w.client, &w.hook, m.Data, w.hook.Name+"."+alert, attempt)
	took := time.Since(began)
	w.metrics.attempt(w.hook.Name, a.verdict, took)
	d := Delivery{Time: began, Webhook: w.hook.Name, AlertID: alert, Attempt: attempt, Status: a.status, Duration: took}
	if a.err != nil {
		if d.Error = a.err.Error(); a.excerpt != "" {
			d.Error += ": " + a.excerpt
		}
	}
	w.record(ctx, d)
	return a
}

// record keeps an attempt. The database has no say in whether an alert is
// delivered: what it does not take is counted, and is in the log.
func (w *worker) record(ctx context.Context, d Delivery) {
	if w.recorder == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordAtMost)
	defer cancel()
	if err := w.recorder.RecordDelivery(ctx, d); err != nil {
		w.metrics.unrecorded.WithLabelValues(w.hook.Name).Inc()
		w.log.Warn("an attempt is not recorded", "alert", d.AlertID, "attempt", d.Attempt, "status", d.Status, "error", err)
	}
}

// bury gives an alert up, with the reason. Only once the dead letter is stored
// is the message done with.
func (w *worker) bury(ctx context.Context, m streamflow.Message, reason string, attempt int) error {
	letter := streamflow.DeadLetter{
		Position: m.Position, Time: m.Stored, Reason: ReasonUndelivered,
		Detail: "webhook " + w.hook.Name + ": " + reason, Value: m.Data,
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordAtMost)
	defer cancel()
	if err := w.letters.Reject(ctx, Durable(w.hook.Name), letter); err != nil {
		return errors.Join(fmt.Errorf("dead letter: %w", err), w.queue.NakWithDelay(m.Sequence, delay(attempt, 0)))
	}
	w.metrics.letters.WithLabelValues(w.hook.Name).Inc()
	w.log.Error("an alert is given up", "position", m.Position, "sequence", m.Sequence, "reason", reason)
	return w.queue.Term(m.Sequence, reason)
}
