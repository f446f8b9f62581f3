package bridge

import (
	"context"
	"net/url"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

// NewDeadLetters returns the sink that brings what stands in stream DLQ to
// topic, on the partition number that it came from. The record has the key, the
// value and the headers of the one that was refused, and further headers with
// its position and the reason.
func NewDeadLetters(topic string, connect func(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error), m *Metrics) *Publisher {
	return newPublisher(Publisher{topic: topic, role: "deadletter", position: streamflow.HeaderPosition, record: refusedRecord, connect: connect, metrics: m})
}

func newPublisher(p Publisher) *Publisher {
	if p.metrics == nil {
		p.metrics = NewMetrics(nil)
	}
	return &p
}

// maxValue is what of a dead letter Kafka takes beside its headers, see
// [maxRecord]. One that came from it compressed can be longer.
const maxValue = maxRecord - 64<<10

// refusedRecord restores the record that was refused. Where its topic has more
// partitions than that of the dead letters they share them.
func refusedRecord(m *streamflow.Message, partitions int) *kgo.Record {
	r := &kgo.Record{Partition: m.Position.Partition % int32(partitions), Value: m.Data[:min(len(m.Data), maxValue)]}
	add := func(key string, value []byte) {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: key, Value: value})
	}
	for _, h := range m.Headers {
		switch h.Key {
		case streamflow.HeaderKey:
			if key, err := url.QueryUnescape(string(h.Value)); err == nil {
				r.Key = []byte(key)
			}
		case streamflow.HeaderHeaders:
			for _, original := range streamflow.UnescapeHeaders(string(h.Value)) {
				add(original.Key, original.Value)
			}
		}
	}
	add(streamflow.HeaderPosition, m.Position.AppendTo(nil))
	for _, h := range m.Headers {
		if h.Key != streamflow.HeaderKey && h.Key != streamflow.HeaderHeaders {
			add(h.Key, h.Value)
		}
	}
	if len(r.Value) < len(m.Data) {
		add(streamflow.HeaderCut, []byte(strings.TrimSpace(header(r, streamflow.HeaderCut)+" value")))
	}
	return r
}
