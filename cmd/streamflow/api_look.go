package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/api"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/postgres"
	"streamflow/infra/schemas"
)

// apiStreams gives JetStream the form that the API asks for.
type apiStreams struct{ js *jetstream.Client }

func entryOf(m streamflow.Message) api.Entry {
	e := api.Entry{Message: m}
	switch {
	case !streamflow.IsResult(m.Subject):
		e.Cause = m.Position
	case m.Position.Topic != "":
		e.Output = m.Position.String()
	}
	return e
}

func entriesOf(messages []streamflow.Message) []api.Entry {
	entries := make([]api.Entry, len(messages))
	for i := range messages {
		entries[i] = entryOf(messages[i])
	}
	return entries
}

// Back implements [api.Streams].
func (s apiStreams) Back(ctx context.Context, stream, filter string, upTo uint64, limit int, pick func(*api.Entry) bool) ([]api.Entry, uint64, error) {
	found, next, err := s.js.Back(ctx, stream, filter, upTo, limit, func(m *streamflow.Message) bool {
		e := entryOf(*m)
		return pick(&e)
	})
	return entriesOf(found), next, err
}

// Newest implements [api.Streams].
func (s apiStreams) Newest(ctx context.Context, stream, filter string) ([]api.Entry, error) {
	found, err := s.js.Newest(ctx, stream, filter)
	return entriesOf(found), err
}

// Get implements [api.Streams].
func (s apiStreams) Get(ctx context.Context, stream string, sequence uint64) (api.Entry, bool, error) {
	m, ok, err := s.js.At(ctx, stream, sequence)
	return entryOf(m), ok, err
}

// Caused implements [api.Streams].
func (s apiStreams) Caused(ctx context.Context, stream, subject string, p streamflow.Position) ([]api.Entry, error) {
	found, err := s.js.Caused(ctx, stream, subject, p)
	return entriesOf(found), err
}

// apiLog gives Kafka the form that the API asks for.
type apiLog struct {
	k       *kafka.Desk
	topics  topicFlags
	schemas *schemas.Registry
}

// Record implements [api.Log].
func (l apiLog) Record(ctx context.Context, p streamflow.Position) (api.Record, bool, error) {
	r, err := l.k.Record(ctx, p.Topic, p.Partition, p.Offset)
	if r == nil || err != nil {
		return api.Record{}, false, err
	}
	found := api.Record{Position: p, Time: r.Timestamp, Key: r.Key, Value: r.Value, Text: l.Text(ctx, p.Topic, r.Value)}
	for _, h := range r.Headers {
		found.Headers = append(found.Headers, streamflow.Header(h))
	}
	return found, true, nil
}

// Text implements [api.Log].
func (l apiLog) Text(ctx context.Context, topic string, value []byte) []byte {
	if !streamflow.Framed(value) {
		return nil
	}
	text, err := l.schemas.JSON(ctx, value, l.topics.route(topic).Members)
	if err != nil {
		return nil // it is shown as what it is
	}
	return text
}

// Ends implements [api.Log].
func (l apiLog) Ends(ctx context.Context, topic string) (map[int32]int64, error) {
	return l.k.Ends(ctx, topic)
}

// Find implements [api.Log].
func (l apiLog) Find(ctx context.Context, topic string, from map[int32]int64, header, value string) (streamflow.Position, bool, error) {
	r, err := l.k.Find(ctx, topic, from, header, value)
	if r == nil || err != nil {
		return streamflow.Position{}, false, err
	}
	return streamflow.Position{Topic: topic, Partition: r.Partition, Offset: r.Offset}, true, nil
}

// Produce implements [api.Log].
func (l apiLog) Produce(ctx context.Context, records []api.Record) (<-chan struct{}, []api.Outcome, error) {
	list := make([]*kgo.Record, len(records))
	for i, r := range records {
		list[i] = &kgo.Record{Topic: r.Position.Topic, Partition: r.Position.Partition, Key: r.Key, Value: r.Value, Timestamp: r.Time}
		for _, h := range r.Headers {
			list[i].Headers = append(list[i].Headers, kgo.RecordHeader(h))
		}
	}
	decided, deliveries, err := l.k.Produce(ctx, list)
	if err != nil {
		return nil, nil, err
	}
	done, outcomes := make(chan struct{}), make([]api.Outcome, len(records))
	go func() {
		defer close(done)
		<-decided
		for i, d := range deliveries {
			outcomes[i] = api.Outcome{Position: streamflow.Position{Topic: list[i].Topic, Partition: d.Partition, Offset: d.Offset}, Err: d.Err}
		}
	}()
	return done, outcomes, nil
}

// sight measures the servers.
type sight struct {
	js     *jetstream.Client
	k      *kafka.Desk
	db     *postgres.DB
	topics topicFlags
}

// Kafka implements [api.Sight].
func (s sight) Kafka(ctx context.Context) ([]api.PipelineTopic, error) {
	var names []string
	for _, t := range s.topics.topics(layout{}) {
		names = append(names, t.Name)
	}
	looks, err := s.k.Look(ctx, names...)
	topics := make([]api.PipelineTopic, 0, len(looks))
	for _, look := range looks {
		t := api.PipelineTopic{Name: look.Name, Partitions: []api.PipelinePartition{}, Groups: []api.PipelineGroup{}}
		for _, p := range look.Partitions {
			t.Partitions = append(t.Partitions, api.PipelinePartition{Partition: p.Number, Start: p.Start, End: p.End})
		}
		for _, g := range look.Groups {
			group := api.PipelineGroup{Name: g.Name, State: g.State, Members: g.Members}
			if g.Lag >= 0 {
				group.Lag = &g.Lag
			}
			t.Groups = append(t.Groups, group)
		}
		topics = append(topics, t)
	}
	return topics, err
}

// Streams implements [api.Sight].
func (s sight) Streams(ctx context.Context) ([]api.PipelineStream, error) {
	looks, err := s.js.Look(ctx)
	streams := make([]api.PipelineStream, 0, len(looks))
	for _, look := range looks {
		st := api.PipelineStream{
			Name: look.Name, Messages: look.Messages, Bytes: look.Bytes, FirstSeq: look.First, LastSeq: look.Last,
			Consumers: []api.PipelineConsumer{},
		}
		if !look.LastAt.IsZero() {
			at := look.LastAt.UTC()
			st.LastAt = &at
		}
		for _, c := range look.Consumers {
			st.Consumers = append(st.Consumers, api.PipelineConsumer(c))
		}
		streams = append(streams, st)
	}
	return streams, err
}

// Database implements [api.Sight].
func (s sight) Database(ctx context.Context) (api.DatabaseCounters, error) {
	look, err := s.db.Look(ctx)
	return api.DatabaseCounters(look), err
}
