package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// tailMessage is a line of a tail.
type tailMessage struct {
	Subject  string      `json:"subject"`
	Sequence uint64      `json:"seq"`
	Header   nats.Header `json:"header,omitempty"`
	Data     []byte      `json:"data"`
}

// tailWait is how long a stream that is written without a pause may take to
// show a moment in which all of it has been read.
const tailWait = time.Minute

// Tail writes what a stream holds behind a sequence to w, up to a moment in which
// all of it was read and no batch was half stored, and returns how many messages
// it is. What was removed before it could be read was removed by one that was: so
// the snapshot before the tail and the tail are the stream as it was then.
func (c *Client) Tail(ctx context.Context, stream string, after uint64, w io.Writer) (count int64, err error) {
	count, err = c.tail(ctx, stream, after, json.NewEncoder(w))
	if err != nil {
		return count, fmt.Errorf("stream %s behind %d: %w", stream, after, err)
	}
	return count, nil
}

func (c *Client) tail(ctx context.Context, stream string, after uint64, out *json.Encoder) (count int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, tailWait)
	defer cancel()
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return 0, err
	}
	consumer, remove, err := passing(ctx, s, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1,
	})
	if err != nil {
		return 0, err
	}
	defer remove()
	if consumer.CachedInfo().NumPending == 0 {
		return 0, nil
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(pull))
	if err != nil {
		return 0, err
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return count, err
		}
		meta, err := msg.Metadata()
		if err != nil {
			return count, err
		}
		err = out.Encode(tailMessage{msg.Subject(), meta.Sequence.Stream, republished(msg.Headers()), msg.Data()})
		if err != nil {
			return count, err
		}
		count++
		if h := msg.Headers(); meta.NumPending == 0 && (h.Get(headerBatchID) == "" || h.Get(headerBatchCommit) != "") {
			return count, nil
		}
	}
}

// republished are the headers that a message is published with once more: not
// those that say which batch it came in, and what must have stood before it.
func republished(h nats.Header) nats.Header {
	keep := make(nats.Header)
	for key, values := range h {
		if !strings.HasPrefix(key, "Nats-") || key == headerRollup || key == headerTTL {
			keep[key] = values
		}
	}
	return keep
}

// restoreTail publishes a tail.
func (c *Client) restoreTail(ctx context.Context, stream string, r io.Reader) error {
	return eachOfTail(r, func(m *tailMessage) error {
		_, err := c.js.PublishMsg(ctx, &nats.Msg{Subject: m.Subject, Header: m.Header, Data: m.Data}, jetstream.WithExpectStream(stream))
		if err != nil {
			return fmt.Errorf("its tail, message %d: %w", m.Sequence, err)
		}
		return nil
	})
}

// eachOfTail calls fn with every message of a tail.
func eachOfTail(r io.Reader, fn func(*tailMessage) error) error {
	in := json.NewDecoder(r)
	for {
		var m tailMessage
		err := in.Decode(&m)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("its tail cannot be read: %w", err)
		}
		if err := fn(&m); err != nil {
			return err
		}
	}
}

// DurableCopy is a durable and how far it has come.
type DurableCopy struct {
	Stream string                   `json:"stream"`
	Config jetstream.ConsumerConfig `json:"config"`
	Floor  uint64                   `json:"floor"` // all up to there is acknowledged
}

// Durables returns the durables of a stream.
func (c *Client) Durables(ctx context.Context, stream string) (list []DurableCopy, err error) {
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", stream, err)
	}
	consumers := s.ListConsumers(ctx)
	for info := range consumers.Info() {
		if info.Config.Durable != "" {
			list = append(list, DurableCopy{stream, info.Config, info.AckFloor.Stream})
		}
	}
	if err := consumers.Err(); err != nil {
		return nil, fmt.Errorf("durables of stream %s: %w", stream, err)
	}
	return list, nil
}

// RestoreDurable makes a durable go on where it was.
func (c *Client) RestoreDurable(ctx context.Context, d DurableCopy) error {
	d.Config.PauseUntil = nil
	_, err := c.js.CreateConsumer(ctx, d.Stream, d.Config)
	if err == nil {
		_, err = c.js.ResetConsumerToSequence(ctx, d.Stream, d.Config.Durable, d.Floor+1)
	}
	if err != nil {
		return fmt.Errorf("restore durable %s of stream %s: %w", d.Config.Durable, d.Stream, err)
	}
	return nil
}

// Adopt makes the cursor of a partition one of the topic with that id, which
// ends at an offset: Kafka gave a restored topic another id. A partition of which
// nothing was mirrored has no cursor and gets none.
func (m *Mirror) Adopt(ctx context.Context, p streamflow.Partition, topicID string, end int64) error {
	cur, err := m.Cursor(ctx, p)
	if err != nil || cur.Fence == 0 && cur.Next == 0 {
		return err
	}
	if cur.Next > end {
		return fmt.Errorf("stream %s has mirrored %s/%d up to offset %d, and the restored topic ends at %d", m.stream, p.Topic, p.Number, cur.Next, end)
	}
	if cur, err = m.Claim(ctx, p); err != nil {
		return err
	}
	cur.TopicID = topicID
	_, err = m.Commit(ctx, p, nil, cur)
	return m.wrap(err)
}
