package functions

import (
	"slices"

	"streamflow"
)

// Try steps messages from nothing, in their order, and returns the facts that
// follow: a [Batch] in one line, for the tests of a function. Nobody is woken.
func (f *Function) Try(messages ...streamflow.Message) ([]streamflow.Message, error) {
	b := NewBatch(f)
	var all []streamflow.Message
	for i := range messages {
		facts, err := b.Step(&messages[i])
		if err != nil {
			return all, err
		}
		for _, m := range facts {
			m.Data = slices.Clone(m.Data)
			all = append(all, m)
		}
	}
	return all, nil
}

// Ticks returns messages of ticks as the bridge mirrors them, each produced
// when it happened, for [Function.Try].
func Ticks(ticks ...streamflow.Tick) []streamflow.Message {
	messages := make([]streamflow.Message, len(ticks))
	for i, t := range ticks {
		messages[i] = streamflow.Message{
			Subject: streamflow.TickSubject(t.Symbol), Data: t.AppendJSON(nil), Stored: t.Time, Sequence: uint64(i + 1),
			Position: streamflow.Position{Topic: streamflow.TopicTicks, Offset: int64(i)}, Previous: int64(i) - 1,
			Hops: string(streamflow.AppendHop(nil, streamflow.HopKafka, t.Time)),
		}
	}
	return messages
}
