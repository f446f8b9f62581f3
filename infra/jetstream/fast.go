package jetstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"streamflow"
)

// Fast batches (ADR-50) store messages as they arrive, in order, and end at the
// first one that fails or is missing: what is stored is always the first part
// of the batch. They are not atomic, and need not be here, because each message
// carries its own position. They cost the server half of what an atomic batch
// costs, which is stored twice.
//
// The protocol is in the reply subject of each message:
//
//	<inbox>.<batch id>.<flow>.fail.<sequence>.<operation>.$FI
const (
	fastFlow    = ".500.fail." // acknowledge every 500; end at a gap
	fastSuffix  = ".$FI"
	fastStart   = ".0"
	fastAppend  = ".1"
	fastCommit  = ".2"
	fastLookout = 50 * time.Millisecond
)

// replies brings the answers to fast batches to those that wait for them.
type replies struct {
	once    sync.Once
	err     error
	inbox   string
	mu      sync.Mutex
	waiting map[string]chan []byte // by batch id
}

func (r *replies) start(nc *nats.Conn) error {
	r.once.Do(func() {
		r.inbox, r.waiting = nc.NewRespInbox(), make(map[string]chan []byte)
		_, r.err = nc.Subscribe(r.inbox+".>", r.deliver)
	})
	return r.err
}

// deliver hands an answer on. The server also tells how far it has come, for
// publishers that want to slow down; ours send no more than one batch each.
func (r *replies) deliver(m *nats.Msg) {
	if bytes.HasPrefix(m.Data, []byte(`{"type":"ack"`)) {
		return
	}
	id, _, _ := strings.Cut(m.Subject[len(r.inbox)+1:], ".")
	r.mu.Lock()
	ch := r.waiting[id]
	r.mu.Unlock()
	select {
	case ch <- m.Data: // never ready if nobody waits any more, for then ch is nil
	default:
	}
}

func (r *replies) wait(id string) (answers chan []byte, done func()) {
	answers = make(chan []byte, 8)
	r.mu.Lock()
	r.waiting[id] = answers
	r.mu.Unlock()
	return answers, func() {
		r.mu.Lock()
		delete(r.waiting, id)
		r.mu.Unlock()
	}
}

// publishFast stores messages one behind the other, each only if the position's
// subject was written last at its fence, and then, if it has data, the position,
// as commitBatch does. It returns the sequence of the last one. If it fails, the
// first of them may have been stored.
func (c *Client) publishFast(ctx context.Context, messages []streamflow.Message, p position) (uint64, error) {
	if err := c.replies.start(c.nc); err != nil {
		return 0, err
	}
	id := nuid.Next()
	answers, done := c.replies.wait(id)
	defer done()
	total := len(messages)
	if p.data != nil {
		total++
	}
	b := fastBatch{c: c, prefix: c.replies.inbox + "." + id + fastFlow, total: total}
	connection := c.nc.Stats().Reconnects
	expected, of := []string{strconv.FormatUint(p.fence, 10)}, []string{p.subject}
	header := newHeader()
	for i := range messages {
		m := nats.Msg{Subject: messages[i].Subject, Data: messages[i].Data, Header: header.fill(&messages[i])}
		m.Header[headerExpected], m.Header[headerExpectedOf] = expected, of
		if err := b.publish(&m); err != nil {
			return 0, err
		}
	}
	if p.data != nil {
		m := nats.Msg{Subject: p.subject, Data: p.data, Header: p.header()}
		if err := b.publish(&m); err != nil {
			return 0, err
		}
	}
	return b.await(ctx, answers, connection)
}

// fastBatch is one batch that is being sent.
type fastBatch struct {
	c      *Client
	prefix string // of the reply subjects
	total  int
	sent   int
	reply  []byte
}

func (b *fastBatch) publish(m *nats.Msg) error {
	b.sent++
	operation := fastAppend
	switch b.sent {
	case b.total:
		operation = fastCommit
	case 1:
		operation = fastStart
	}
	b.reply = strconv.AppendInt(append(b.reply[:0], b.prefix...), int64(b.sent), 10)
	m.Reply = string(append(append(b.reply, operation...), fastSuffix...))
	if err := b.c.nc.PublishMsg(m); err != nil {
		return fmt.Errorf("publish to %s: %w", m.Subject, err)
	}
	return nil
}

// await waits for the answer to the last message, or for the news that it will
// not come.
func (b *fastBatch) await(ctx context.Context, answers chan []byte, connection uint64) (uint64, error) {
	lookout := time.NewTicker(fastLookout)
	defer lookout.Stop()
	for {
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("batch of %d messages: no answer: %w", b.total, ctx.Err())
		case <-lookout.C:
			if !b.c.nc.IsConnected() || b.c.nc.Stats().Reconnects != connection {
				return 0, errors.New("the connection to NATS was lost within a batch")
			}
		case data := <-answers:
			return b.answer(data)
		}
	}
}

func (b *fastBatch) answer(data []byte) (uint64, error) {
	var a struct {
		Type     string    `json:"type"`
		Sequence uint64    `json:"seq"`
		Count    int       `json:"count"`
		Error    *APIError `json:"error"`
	}
	if err := json.Unmarshal(data, &a); err != nil {
		return 0, fmt.Errorf("batch of %d messages: unreadable answer %.80q: %w", b.total, data, err)
	}
	switch {
	case a.Error != nil:
		return 0, fmt.Errorf("batch of %d messages: %w", b.total, a.Error)
	case a.Type == "gap":
		return 0, fmt.Errorf("batch of %d messages: the server did not see all of them", b.total)
	case a.Type != "":
		return 0, fmt.Errorf("batch of %d messages: unknown answer %.80q", b.total, data)
	case a.Count != b.total:
		return 0, fmt.Errorf("batch of %d messages: only %d were stored", b.total, a.Count)
	}
	return a.Sequence, nil
}
