package jetstream

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// Ledger is where one shard of a function keeps its results, its checkpoint and
// its state: subjects of one stream, so that one atomic batch can hold them. It
// satisfies the functions' Ledger.
//
// The checkpoint and the state never expire (see [Client.Trim]): a function
// that has had nothing to do for longer than the stream keeps its results must
// find them when it goes on.
type Ledger struct {
	c                 *Client
	stream, function  string
	generation, shard int
	subject           string // of the checkpoint
}

// Ledger returns the ledger of a function's shard in a generation of its layout.
func (c *Client) Ledger(stream, function string, generation, shard int) *Ledger {
	return &Ledger{
		c: c, stream: stream, function: function, generation: generation, shard: shard,
		subject: streamflow.CheckpointSubject(function, generation, shard),
	}
}

// headroom is what the headers of a message take at most, beside its data.
const headroom = 4 << 10

// MaxPiece is how many bytes a piece of state, or the data of a fact, may have.
func (l *Ledger) MaxPiece() int { return int(l.c.nc.MaxPayload()) - headroom }

func (l *Ledger) wrap(err error) error {
	if err == nil {
		return nil
	}
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		err = fmt.Errorf("it is missing, run `streamflow topics`: %w", err)
	case errors.Is(err, nats.ErrNoResponders): // a function that is newer than the stream
		err = fmt.Errorf("it is missing, or takes nothing of function %s yet: run `streamflow topics` of this version: %w", l.function, err)
	}
	return fmt.Errorf("stream %s: %w", l.stream, err)
}

// Load returns the newest checkpoint and its fence; nil and 0 if there is none.
func (l *Ledger) Load(ctx context.Context) (checkpoint []byte, fence uint64, err error) {
	raw, err := l.last(ctx, l.subject)
	if err != nil || raw == nil {
		return nil, 0, err
	}
	return raw.Data, raw.Sequence, nil
}

func (l *Ledger) last(ctx context.Context, subject string) (*jetstream.RawStreamMsg, error) {
	s, err := l.c.js.Stream(ctx, l.stream)
	if err != nil {
		return nil, l.wrap(err)
	}
	// The stream does not allow direct gets: a follower's answer may be old.
	raw, err := s.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	return raw, l.wrap(err)
}

// Commit stores facts and the checkpoint in one atomic batch and returns the new
// fence. [streamflow.ErrFenced] says that the checkpoint was not at fence, and
// that nothing was stored; after any other error Load tells.
func (l *Ledger) Commit(ctx context.Context, facts []streamflow.Message, checkpoint []byte, fence uint64) (uint64, error) {
	next, err := l.c.commitBatch(ctx, facts, position{l.subject, checkpoint, fence, true})
	return next, l.wrap(err)
}

// WriteState stores the pieces of a snapshot in a slot, over what was there.
func (l *Ledger) WriteState(ctx context.Context, slot int, pieces [][]byte, fence uint64) error {
	for i, piece := range pieces {
		m := nats.Msg{
			Subject: streamflow.StateSubject(l.function, l.generation, l.shard, slot, i), Data: piece,
			Header: nats.Header{
				headerRollup: {"sub"}, headerTTL: {"never"},
				headerExpected: {strconv.FormatUint(fence, 10)}, headerExpectedOf: {l.subject},
			},
		}
		if _, err := l.c.request(ctx, &m); err != nil {
			return l.wrap(err)
		}
	}
	return nil
}

// ReadState returns the first n pieces of a slot, nil for one that is missing.
func (l *Ledger) ReadState(ctx context.Context, slot, n int) ([][]byte, error) {
	pieces := make([][]byte, n)
	for i := range pieces {
		raw, err := l.last(ctx, streamflow.StateSubject(l.function, l.generation, l.shard, slot, i))
		if err != nil {
			return nil, err
		}
		if raw != nil {
			pieces[i] = raw.Data
		}
	}
	return pieces, nil
}

// Show stores views, each only if the checkpoint is at fence. If it fails, the
// first of them may have been stored. The answer says which fence is right, and
// that is all it is waited for.
func (l *Ledger) Show(ctx context.Context, views []streamflow.Message, fence uint64) error {
	replicated, err := l.c.replicated(ctx, l.stream)
	if err != nil {
		return l.wrap(err)
	}
	if !replicated {
		_, err = l.c.publishFast(ctx, views, position{subject: l.subject, fence: fence})
		return l.wrap(err)
	}
	for i := range views {
		// A fence would have each wait until the one before it is replicated. A
		// view that is out of date is soon followed by one that is not.
		m := nats.Msg{Subject: views[i].Subject, Data: views[i].Data, Header: newHeader().fill(&views[i])}
		if err := l.c.nc.PublishMsg(&m); err != nil {
			return l.wrap(err)
		}
	}
	return l.wrap(l.c.nc.FlushWithContext(ctx))
}

// Reject stores a dead letter of the function, unless its position has one.
func (l *Ledger) Reject(ctx context.Context, d streamflow.DeadLetter) error {
	m := streamflow.Message{Position: d.Position, Previous: d.Position.Offset - 1, Data: d.Value, Headers: []streamflow.Header{
		{Key: streamflow.HeaderReason, Value: []byte(d.Reason)},
		{Key: streamflow.HeaderDetail, Value: []byte(d.HeaderDetailText())},
	}}
	if len(d.Key) > 0 {
		m.Headers = append(m.Headers, streamflow.Header{Key: streamflow.HeaderKey, Value: []byte(url.QueryEscape(string(d.Key)))})
	}
	if len(d.Headers) > 0 {
		m.Headers = append(m.Headers, streamflow.Header{Key: streamflow.HeaderHeaders, Value: []byte(streamflow.EscapeHeaders(d.Headers))})
	}
	msg := nats.Msg{Subject: streamflow.LetterSubject(l.function, d.Position), Data: d.Value, Header: newHeader().fill(&m)}
	msg.Header[headerExpected] = []string{"0"}
	_, err := l.c.request(ctx, &msg)
	if errors.Is(err, streamflow.ErrFenced) {
		return nil // it has one
	}
	if err != nil {
		return fmt.Errorf("stream %s: %w", streamflow.StreamDeadLetters, err)
	}
	return nil
}

// PurgeStates removes the states of a function's generations before that one.
// Their checkpoints stay, for they say that they are closed.
func (c *Client) PurgeStates(ctx context.Context, stream, function string, before int) error {
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return fmt.Errorf("stream %s: %w", stream, err)
	}
	all := "state." + streamflow.Token(function) + "."
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(all+">"))
	if err != nil {
		return fmt.Errorf("stream %s: %w", stream, err)
	}
	// Not every generation has states, so all are looked at.
	generations := make(map[int]bool)
	for subject := range info.State.Subjects {
		text, _, _ := strings.Cut(strings.TrimPrefix(subject, all), ".")
		if g, err := strconv.Atoi(text); err == nil && g < before {
			generations[g] = true
		}
	}
	for g := range generations {
		filter := all + strconv.Itoa(g) + ".>"
		if err := s.Purge(ctx, jetstream.WithPurgeSubject(filter)); err != nil {
			return fmt.Errorf("stream %s: purge %s: %w", stream, filter, err)
		}
	}
	return nil
}
