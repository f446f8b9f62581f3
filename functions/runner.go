package functions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"streamflow"
)

// Source is the input of a function. It delivers to one worker at a time.
type Source interface {
	// Next waits for at least one message and returns up to limit, in stream
	// order and without gaps since the last acknowledged one. fresh says that
	// another worker may have moved the checkpoint since the last call. The
	// messages are valid until the next call.
	Next(ctx context.Context, limit int) (messages []streamflow.Message, fresh bool, err error)
	// Ack says that all that Next has returned is done with.
	Ack() error
	// Rewind makes Next begin anew at the first message of the stream.
	Rewind(ctx context.Context) error
	// Heads returns the offset of the newest message in the stream by partition.
	Heads(ctx context.Context) (map[streamflow.Partition]int64, error)
	// Pending returns how many messages were not delivered yet, and how many
	// were and are not acknowledged.
	Pending(ctx context.Context) (undelivered uint64, unacked int, err error)
	// Close gives the source up; Next may be called again.
	Close()
}

// Checkpoint is how far a function has come: the offset of the last message
// that is done, by partition. It is an alias so that other rooms can satisfy
// [Sink] without importing this one.
type Checkpoint = map[streamflow.Partition]int64

// Sink is where a function leaves its results.
type Sink interface {
	// Load reads the checkpoint, empty if there is none yet. A nil one, without an
	// error, says that the sink keeps none, because it does no harm to store a
	// message twice: an upsert, an insert of what has an ID. It is given views too.
	Load(ctx context.Context) (Checkpoint, error)
	// Commit stores what follows from messages, and moves the checkpoint from
	// one value to the other, all or nothing. [streamflow.ErrFenced] says that
	// the checkpoint was not at from. After any other error the outcome is
	// open: Load tells it.
	Commit(ctx context.Context, messages []streamflow.Message, from, to Checkpoint) error
}

// Config of a runner.
type Config struct {
	Function string
	Source   Source
	Sink     Sink
	Limit    int // messages in one commit at most; 0 means 5000
	// Apart is the least time from one commit to the next while few messages come:
	// what comes meanwhile goes with it. A lone message goes at once, and so does
	// what is left of a backlog.
	Apart   time.Duration
	Logger  *slog.Logger
	Metrics *Metrics
	Tracer  Tracer // of a sink; nil traces nothing
}

// Runner feeds a Sink from a Source, exactly once.
type Runner struct {
	Config
	checkpoint Checkpoint // nil when it must be loaded
	keep       []streamflow.Message
	rewound    map[streamflow.Partition]rereading // for which gaps the stream was read again
	idempotent bool                               // the sink keeps no checkpoint
	fromStart  bool                               // the next message is the first of the stream
	notBefore  time.Time                          // when the next commit may be
	audited    time.Time
	progress   bool // since the last audit
	minder     minder
	mindAt     time.Time // when the minder wants to be called; zero for not before a message comes
	measured   time.Time // when the lag was
	heard      time.Time // when a message came, or an audit ended, last
}

// rereading remembers that the stream was read again, from its start, because
// of what should follow offset after.
type rereading struct {
	after int64
	at    time.Time
}

// proves says that what should follow offset after is no longer in the stream.
func (r rereading) proves(after int64) bool {
	return !r.at.IsZero() && r.after == after && time.Since(r.at) < believeFor
}

const (
	auditEvery   = 5 * time.Second
	believeFor   = 10 * time.Minute // longer than to read a stream
	retryFirst   = 50 * time.Millisecond
	retryAtMost  = 2 * time.Second
	commitAtMost = 30 * time.Second
	defaultLimit = 5000
)

// New returns a runner that is not started yet.
func New(c Config) *Runner {
	if c.Limit == 0 {
		c.Limit = defaultLimit
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics(nil)
	}
	c.Logger = c.Logger.With("function", c.Function)
	c.Metrics.known(c.Function)
	return &Runner{Config: c, rewound: make(map[streamflow.Partition]rereading)}
}

// Run works until ctx ends. Whatever fails is tried again with backoff: a
// worker waits for its servers, it does not die with them. The commit that is
// under way when ctx ends is finished first.
func (r *Runner) Run(ctx context.Context) error {
	defer r.Source.Close()
	r.heard = time.Now()
	r.Logger.Info("function runs")
	retry := backoff{}
	for ctx.Err() == nil {
		err := r.step(ctx)
		switch {
		case err == nil:
			retry = backoff{}
			continue
		case errors.Is(err, errSettled):
			return nil
		case errors.Is(err, ErrClosed):
			return err
		}
		if ctx.Err() != nil {
			break
		}
		r.Metrics.failure(r.Function, err)
		r.Logger.Warn("function waits and tries again", "error", err, "in", retry.next())
		retry.wait(ctx)
	}
	if r.minder != nil {
		r.minder.leave(ctx)
	}
	r.Logger.Info("function stopped")
	return nil
}

// step takes what is there and commits it. On an error everything is loaded
// anew by the next step.
//
// The checkpoint is loaded only when messages have come, which makes us the one
// that works: to load it may fence whoever works now, and a standby must not.
func (r *Runner) step(ctx context.Context) error {
	r.rest(ctx)
	wait, cancel := context.WithTimeout(ctx, r.patience())
	messages, fresh, err := r.Source.Next(wait, r.Limit)
	cancel()
	if wait.Err() != nil && ctx.Err() == nil && err != nil {
		return r.idle(ctx)
	}
	if err != nil {
		return err
	}
	r.heard = time.Now()
	if fresh || r.checkpoint == nil {
		moved, err := r.load(ctx, messages)
		if err != nil {
			r.Source.Close() // the messages are delivered again
			return err
		}
		if moved {
			return nil
		}
	}
	if r.minder != nil {
		r.minder.came(r.heard, &messages[len(messages)-1])
	}
	todo, to, err := r.sort(ctx, messages)
	if err != nil || to == nil {
		return err
	}
	if len(todo) > 0 {
		if err := r.commit(context.WithoutCancel(ctx), todo, to); err != nil {
			return err
		}
	}
	r.progress = true
	if err := r.Source.Ack(); err != nil {
		// They will be delivered again, and skipped.
		r.Logger.Debug("acknowledgement failed", "error", err)
	}
	return r.mind(ctx)
}

// rest waits until the next commit may be.
func (r *Runner) rest(ctx context.Context) {
	if d := time.Until(r.notBefore); d > 0 {
		sleep(ctx, d)
	}
}

// load reads the checkpoint. moved says that the source begins elsewhere than
// with the first of these messages.
func (r *Runner) load(ctx context.Context, first []streamflow.Message) (moved bool, err error) {
	r.checkpoint = nil
	checkpoint, err := r.Sink.Load(ctx)
	if err != nil {
		return false, fmt.Errorf("load the checkpoint: %w", err)
	}
	if r.minder != nil {
		if moved, err = r.minder.seek(ctx, first[0].Sequence); err != nil {
			return false, err
		}
	}
	r.checkpoint, r.idempotent = checkpoint, checkpoint == nil
	if r.idempotent {
		r.checkpoint = make(Checkpoint)
	}
	if moved || !r.fromStart {
		clear(r.rewound) // whoever read from the start, it was not us, up to here
	}
	r.fromStart = false
	return moved, nil
}

// sort parts what is to be done from what is done already, and finds gaps. A
// nil to says that the stream has been rewound and nothing is to be done now.
func (r *Runner) sort(ctx context.Context, messages []streamflow.Message) (todo []streamflow.Message, to Checkpoint, err error) {
	if r.idempotent {
		return messages, r.checkpoint, nil
	}
	todo, to = r.keep[:0], maps.Clone(r.checkpoint)
	for _, m := range messages {
		if m.Position.Topic == "" && m.Cause.Topic != "" {
			continue // a view
		}
		if m.Position.Topic == "" {
			r.Metrics.foreign(r.Function)
			r.Logger.Warn("a message that did not come through the bridge is left alone", "subject", m.Subject, "sequence", m.Sequence)
			continue
		}
		p := m.Position.In()
		done, known := to[p]
		if !known {
			done = -1 // a partition's first message follows none
		}
		if m.Position.Offset <= done {
			r.Metrics.skipped(r.Function)
			continue
		}
		if m.Previous > done {
			if !r.rewound[p].proves(done) {
				return nil, nil, r.rewind(ctx, m, done)
			}
			// The whole stream was read for it: the messages are gone from it.
			r.Metrics.lost(r.Function)
			r.Logger.Error("messages are no longer in the stream and were never seen: run `streamflow rebuild`, or keep the stream for longer",
				"partition", p, "after", done, "before", m.Position.Offset)
		}
		to[p] = m.Position.Offset
		todo = append(todo, m)
	}
	r.keep = todo
	return todo, to, nil
}

// rewind reads the stream again from its start, because a message shows that
// some before it never came by: the stream was made anew, or its tail was lost,
// and the server's idea of what we have seen no longer fits.
func (r *Runner) rewind(ctx context.Context, m streamflow.Message, done int64) error {
	r.Logger.Warn("gap: reading the stream again from its start", "message", m.Position, "previous", m.Previous, "checkpoint", done)
	return r.again(ctx, m.Position.In(), done)
}

// again rewinds the source. Only when that has succeeded is it remembered: the
// next sight of the same gap counts as proof that its messages are gone.
func (r *Runner) again(ctx context.Context, p streamflow.Partition, done int64) error {
	r.Metrics.rewind(r.Function)
	if err := r.Source.Rewind(ctx); err != nil {
		return err
	}
	r.rewound[p], r.fromStart = rereading{done, time.Now()}, true
	return nil
}

// commit moves the checkpoint. It tries again for as long as it is the one that
// may, and settles an open outcome by reading the checkpoint again.
func (r *Runner) commit(ctx context.Context, todo []streamflow.Message, to Checkpoint) error {
	ctx, cancel := context.WithTimeout(ctx, commitAtMost)
	defer cancel()
	start := time.Now()
	err := r.Sink.Commit(ctx, todo, r.checkpoint, to)
	if err == nil {
		r.checkpoint = to
		if r.notBefore = (time.Time{}); len(todo) < r.Limit/2 {
			r.notBefore = start.Add(r.Apart)
		}
		r.Metrics.committed(r.Function, len(todo), time.Since(start))
		if r.Tracer != nil {
			r.trace(todo, start)
		}
		return nil
	}
	r.giveUp(err)
	return fmt.Errorf("commit of %d messages: %w", len(todo), err)
}

// giveUp has everything loaded anew after a write that failed.
func (r *Runner) giveUp(err error) {
	r.checkpoint, r.mindAt = nil, time.Time{}
	r.Source.Close()
	if errors.Is(err, streamflow.ErrFenced) {
		r.Metrics.fenced(r.Function)
	}
}
