package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/infra/ingest"
	"streamflow/infra/kafka"
)

// ingestCheck does with a record what the bridge would do, before Kafka has it.
type ingestCheck struct {
	route streamflow.Route
	mask  *streamflow.Mask // nil unless the route masks
}

func (c ingestCheck) record(text []byte, now time.Time) (ingest.Record, error) {
	name, err := c.route.Schema(text, nil, now)
	if err != nil {
		return ingest.Record{}, err
	}
	if c.mask != nil {
		masked, ok := c.mask.JSON(text, c.route.Mask)
		if !ok || len(masked) > streamflow.MaxRecordBytes {
			return ingest.Record{}, &streamflow.RejectError{Reason: streamflow.ReasonTooLarge, Detail: "it has too many e-mail addresses to mask them all"}
		}
		text = masked
	}
	return ingest.Record{Key: c.key(name, text, now), Value: text}, nil
}

// key is that which keeps in order what belongs together: of a tick its symbol,
// of other events their user, masked like all of the record.
func (c ingestCheck) key(name string, value []byte, now time.Time) []byte {
	switch {
	case c.route.Stream == streamflow.StreamTicks:
		return []byte(name)
	case c.mask != nil:
		if e, err := streamflow.DecodeUserEvent(value, now); err == nil {
			return []byte(e.User)
		}
	default:
		if e, err := streamflow.DecodeEvent(value, now); err == nil && e.User != "" {
			return []byte(e.User)
		}
	}
	return nil
}

// shown is what of a refused record may be shown.
func (c ingestCheck) shown(text []byte) []byte {
	if c.mask == nil {
		return text
	}
	if masked, ok := c.mask.JSON(text, c.route.Mask); ok {
		return masked
	}
	return streamflow.Outline(text)
}

// ingestSink gives Kafka the form that ingest asks for.
type ingestSink struct{ tx *kafka.Transactor }

// Open implements [ingest.Sink].
func (s ingestSink) Open(ctx context.Context, doubt *ingest.Doubt) (bool, error) {
	mark, from := "", map[int32]int64(nil)
	if doubt != nil {
		mark, from = doubt.Mark, doubt.From
	}
	found, err := s.tx.Open(ctx, mark, from)
	if errors.Is(err, kafka.ErrMarkGone) {
		err = ingest.ErrDoubt
	}
	return found, ingestFault(err)
}

// Ends implements [ingest.Sink].
func (s ingestSink) Ends(ctx context.Context) (map[int32]int64, error) {
	ends, err := s.tx.Ends(ctx)
	return ends, ingestFault(err)
}

// Commit implements [ingest.Sink].
func (s ingestSink) Commit(ctx context.Context, records []ingest.Record, mark string) error {
	list := make([]*kgo.Record, len(records))
	for i, r := range records {
		list[i] = &kgo.Record{Key: r.Key, Value: r.Value}
	}
	return ingestFault(s.tx.Commit(ctx, list, mark))
}

// Close implements [ingest.Sink].
func (s ingestSink) Close() { s.tx.Close() }

func ingestFault(err error) error {
	if err != nil && kafka.Final(err) {
		return fmt.Errorf("%w: %w", ingest.ErrRefused, err)
	}
	return err
}
