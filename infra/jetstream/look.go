package jetstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// StreamLook is a stream as it was measured.
type StreamLook struct {
	Name            string
	Messages, Bytes uint64
	First, Last     uint64    // sequences
	LastAt          time.Time // when the newest message was stored; zero if there is none
	Consumers       []ConsumerLook
}

// ConsumerLook is a durable consumer as it was measured.
type ConsumerLook struct {
	Name       string
	Pending    uint64 // not delivered yet
	AckPending int    // delivered, not acknowledged
	AckFloor   uint64 // the sequence up to which all is acknowledged
}

// looked are the streams of the address book.
var looked = []string{
	streamflow.StreamTicks, streamflow.StreamEvents, streamflow.StreamCandles, streamflow.StreamIndicators,
	streamflow.StreamAlerts, streamflow.StreamResults, streamflow.StreamDeadLetters,
}

// Connected says whether there is a connection now.
func (c *Client) Connected() bool { return c.nc.IsConnected() }

// away says that the connection is lost: without it a request would wait for
// the whole of its time.
func (c *Client) away() error {
	if c.Connected() {
		return nil
	}
	return errors.New("not connected to " + Redact(c.nc.Opts.Url))
}

// Look measures the streams of the address book and their durables. Streams that
// are not there are left out.
func (c *Client) Look(ctx context.Context) ([]StreamLook, error) {
	if err := c.away(); err != nil {
		return nil, err
	}
	var found []StreamLook
	for _, name := range looked {
		s, err := c.js.Stream(ctx, name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("stream %s: %w", name, err)
		}
		state := &s.CachedInfo().State
		look := StreamLook{Name: name, Messages: state.Msgs, Bytes: state.Bytes, First: state.FirstSeq, Last: state.LastSeq}
		if state.LastTime.Unix() > 0 {
			look.LastAt = state.LastTime
		}
		consumers := s.ListConsumers(ctx)
		for info := range consumers.Info() {
			if info.Config.Durable != "" {
				look.Consumers = append(look.Consumers, ConsumerLook{info.Name, info.NumPending, info.NumAckPending, info.AckFloor.Stream})
			}
		}
		if err := consumers.Err(); err != nil {
			return nil, fmt.Errorf("stream %s: its consumers: %w", name, err)
		}
		slices.SortFunc(look.Consumers, func(a, b ConsumerLook) int { return cmp.Compare(a.Name, b.Name) })
		found = append(found, look)
	}
	return found, nil
}

// stored is a message that was asked for, not delivered.
type stored struct {
	jetstream.Msg
	raw *jetstream.RawStreamMsg
}

func (s stored) Subject() string      { return s.raw.Subject }
func (s stored) Data() []byte         { return s.raw.Data }
func (s stored) Headers() nats.Header { return s.raw.Header }

func readStored(raw *jetstream.RawStreamMsg) (m streamflow.Message) {
	meta := &jetstream.MsgMetadata{Timestamp: raw.Time}
	meta.Sequence.Stream = raw.Sequence
	readMessage(&m, stored{raw: raw}, meta)
	return m
}

// At returns the message at a sequence of a stream, and whether there is one.
func (c *Client) At(ctx context.Context, stream string, sequence uint64) (m streamflow.Message, ok bool, err error) {
	s, err := c.looking(ctx, stream)
	if err != nil {
		return m, false, err
	}
	return next(ctx, s, sequence)
}

func (c *Client) looking(ctx context.Context, stream string) (jetstream.Stream, error) {
	if err := c.away(); err != nil {
		return nil, err
	}
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", stream, err)
	}
	return s, nil
}

// next reads one message: at a sequence, or with a subject the first from there.
func next(ctx context.Context, s jetstream.Stream, sequence uint64, opts ...jetstream.GetMsgOpt) (m streamflow.Message, ok bool, err error) {
	raw, err := s.GetMsg(ctx, max(sequence, 1), opts...)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return m, false, nil
	}
	if err != nil {
		return m, false, fmt.Errorf("stream %s, sequence %d: %w", s.CachedInfo().Config.Name, sequence, err)
	}
	return readStored(raw), true, nil
}

// Newest returns the newest message of each subject of a stream that matches
// filter. They are the caller's own.
func (c *Client) Newest(ctx context.Context, stream, filter string) (found []streamflow.Message, err error) {
	if err := c.away(); err != nil {
		return nil, err
	}
	err = c.scan(ctx, stream, scanOptions{Filter: filter, Newest: true}, func(m *streamflow.Message) error {
		found = append(found, *m)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", stream, err)
	}
	return found, nil
}
