package bridge

import (
	"context"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

// NewResults returns the sink that brings the facts of a stream of results to
// topic. The record's key is what they are about, such as a symbol, by which
// Kafka's own clients would choose the same partition; its value is the JSON as
// in the stream; its headers are the position among the function's results,
// that of what it follows from, the hops, and the replay if it is of one.
func NewResults(topic string, connect func(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error), m *Metrics) *Publisher {
	// By the key alone, which is the same in every client: see [kgo.StickyKeyPartitioner].
	partitioner := kgo.StickyKeyPartitioner(nil).ForTopic(topic)
	record := func(m *streamflow.Message, partitions int) *kgo.Record {
		r := resultRecord(m)
		r.Partition = int32(partitioner.Partition(r, partitions))
		return r
	}
	return newPublisher(Publisher{topic: topic, role: streamflow.FunctionReverse, position: streamflow.HeaderOutput, record: record, connect: connect, metrics: m})
}

func resultRecord(m *streamflow.Message) *kgo.Record {
	r := &kgo.Record{Key: []byte(about(m.Subject)), Value: m.Data}
	add := func(key string, value []byte) {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: key, Value: value})
	}
	add(streamflow.HeaderOutput, m.Position.AppendTo(nil))
	if m.Cause.Topic != "" { // what time alone has caused has none
		add(streamflow.HeaderPosition, m.Cause.AppendTo(nil))
	}
	if m.Hops != "" {
		add(streamflow.HeaderHops, []byte(m.Hops))
	}
	for _, h := range m.Headers {
		add(h.Key, h.Value)
	}
	return r
}

// about returns what a result is about: the last token of its subject.
func about(subject string) string {
	token := subject[strings.LastIndexByte(subject, '.')+1:]
	if name, err := streamflow.ParseToken(token); err == nil {
		return name
	}
	return token
}
