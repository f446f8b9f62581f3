package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"streamflow"
)

// MaxBatch is how many messages one atomic batch may hold beside the message
// that carries the position (the server's limit is 1,000 in all).
const MaxBatch = 999

// Headers of the atomic-batch protocol (ADR-50) and of its fence.
const (
	headerBatchID       = "Nats-Batch-Id"
	headerBatchSequence = "Nats-Batch-Sequence"
	headerBatchCommit   = "Nats-Batch-Commit"
	headerRollup        = "Nats-Rollup"
	headerExpected      = "Nats-Expected-Last-Subject-Sequence"
	headerExpectedOf    = "Nats-Expected-Last-Subject-Sequence-Subject"
	// headerTTL "never" keeps a position from the server's limit on age, for as
	// long as the server runs; see [Client.Trim] for what else there is.
	headerTTL = "Nats-TTL"
)

// codeWrongLastSequence is the server's answer to a stale fence.
const (
	codeWrongLastSequence         = 10071
	codeWrongLastSequenceConstant = 10164
)

// sequences holds the texts of the batch sequences, made once.
var sequences = func() (texts [MaxBatch + 2][]string) {
	for i := range texts {
		texts[i] = []string{strconv.Itoa(i)}
	}
	return texts
}()

// position is a cursor or a checkpoint that is to be stored.
type position struct {
	subject string
	data    []byte
	fence   uint64 // the sequence at which subject must have been written last; 0 is never
	// alone says that it takes the place of the one before it. A cursor does not:
	// it stands among messages that unfiltered durables read, and a message that is
	// removed while one of them waits for its acknowledgement counts as
	// acknowledged, and all before it too. See [Client.Durable].
	alone bool
}

func (p *position) header() nats.Header {
	h := nats.Header{headerTTL: {"never"}, headerExpected: {strconv.FormatUint(p.fence, 10)}}
	if p.alone {
		h[headerRollup] = []string{"sub"}
	}
	return h
}

// commitBatch publishes messages and, as the last one, the position: all of
// them are stored, or none. If the position's subject was not written last at
// its fence, the error is [streamflow.ErrFenced]. Any other error leaves the
// outcome open: read the position again.
//
// It returns the stream sequence of the position's message, the next fence.
func (c *Client) commitBatch(ctx context.Context, messages []streamflow.Message, p position) (uint64, error) {
	if len(messages) > MaxBatch {
		return 0, fmt.Errorf("a batch of %d messages: the limit is %d", len(messages), MaxBatch)
	}
	id := []string{nuid.Next()}
	header := newHeader()
	for i := range messages {
		m := nats.Msg{Subject: messages[i].Subject, Data: messages[i].Data, Header: header.fill(&messages[i])}
		m.Header[headerBatchID], m.Header[headerBatchSequence] = id, sequences[i+1]
		if err := c.nc.PublishMsg(&m); err != nil {
			return 0, fmt.Errorf("publish to %s: %w", m.Subject, err)
		}
	}
	last := nats.Msg{Subject: p.subject, Data: p.data, Header: p.header()}
	if len(messages) > 0 { // a position alone is atomic as it is
		last.Header[headerBatchID], last.Header[headerBatchSequence] = id, sequences[len(messages)+1]
		last.Header[headerBatchCommit] = []string{"1"}
	}
	return c.request(ctx, &last)
}

// publishFenced stores one message, provided that subject was written last at
// sequence fence.
func (c *Client) publishFenced(ctx context.Context, message *streamflow.Message, subject string, fence uint64) error {
	m := nats.Msg{Subject: message.Subject, Data: message.Data, Header: newHeader().fill(message)}
	m.Header[headerExpected], m.Header[headerExpectedOf] = []string{strconv.FormatUint(fence, 10)}, []string{subject}
	_, err := c.request(ctx, &m)
	return err
}

// answerAtMost is how long a commit, or a short question, is waited for. A leader that was cut off
// with it never answers, and who comes after it may not have it: whether it has,
// the position tells, a good deal sooner than the caller's patience ends.
const answerAtMost = 5 * time.Second

// request publishes what is answered by an acknowledgement, and returns the
// sequence in it.
func (c *Client) request(ctx context.Context, m *nats.Msg) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, answerAtMost)
	defer cancel()
	reply, err := c.answer(ctx, m)
	if err != nil {
		return 0, fmt.Errorf("commit to %s: %w", m.Subject, err)
	}
	return parseAck(m.Subject, reply.Data)
}

// headerOf makes headers of messages one after the other in the same memory.
// The client has written a header out when PublishMsg returns.
type headerOf struct {
	h                                nats.Header
	position, previous, hops, output [1]string
}

func newHeader() *headerOf { return &headerOf{h: make(nats.Header, 8)} }

// fill makes the header of m, and forgets the one before.
func (o *headerOf) fill(m *streamflow.Message) nats.Header {
	clear(o.h)
	switch {
	case m.Cause.Topic != "" || streamflow.IsResult(m.Subject): // a fact or a view
		if m.Cause.Topic != "" { // else no message caused it, but time
			o.position[0] = m.Cause.String()
			o.h[streamflow.HeaderPosition] = o.position[:]
		}
		if m.Position.Topic != "" {
			o.output[0] = m.Position.String()
			o.h[streamflow.HeaderOutput] = o.output[:]
		}
	case m.Position.Topic != "":
		o.position[0] = m.Position.String()
		o.h[streamflow.HeaderPosition] = o.position[:]
		if m.Previous != m.Position.Offset-1 {
			o.previous[0] = strconv.FormatInt(m.Previous, 10)
			o.h[streamflow.HeaderPrevious] = o.previous[:]
		}
	}
	if m.Hops != "" {
		o.hops[0] = m.Hops
		o.h[streamflow.HeaderHops] = o.hops[:]
	}
	for _, further := range m.Headers {
		o.h[further.Key] = []string{string(further.Value)}
	}
	return o.h
}

// APIError is an answer of JetStream that refuses a request.
type APIError struct {
	Code        int    `json:"err_code"`
	Description string `json:"description"`
}

func (e *APIError) Error() string { return fmt.Sprintf("%s (%d)", e.Description, e.Code) }

// Is makes a stale fence known as what it is, wherever it is looked for.
func (e *APIError) Is(target error) bool {
	return target == streamflow.ErrFenced && (e.Code == codeWrongLastSequence || e.Code == codeWrongLastSequenceConstant)
}

func parseAck(subject string, data []byte) (uint64, error) {
	var ack struct {
		Sequence uint64    `json:"seq"`
		Error    *APIError `json:"error"`
	}
	if err := json.Unmarshal(data, &ack); err != nil {
		return 0, fmt.Errorf("commit to %s: unreadable answer %.80q: %w", subject, data, err)
	}
	if ack.Error != nil {
		return 0, fmt.Errorf("commit to %s: %w", subject, ack.Error)
	}
	if ack.Sequence == 0 {
		return 0, errors.New("commit to " + subject + ": the answer names no sequence")
	}
	return ack.Sequence, nil
}
