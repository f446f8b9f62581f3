package bridge

import (
	"net/url"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

// sorter turns the records of one partition into messages. Its slices are
// reused from batch to batch.
type sorter struct {
	p          streamflow.Partition
	maxPayload int
	good, bad  []streamflow.Message
	refused    map[int64]struct{} // dead letters beyond the ticks' cursor; see sort
	subjects   map[string]string  // by symbol
	letter     string             // the subject of the dead letters
	text       []byte
}

// maxSubjects bounds the cache of subjects, should somebody send endless symbols.
const maxSubjects = 100_000

func newSorter(p streamflow.Partition, maxPayload int) sorter {
	return sorter{p: p, maxPayload: maxPayload, subjects: make(map[string]string), letter: streamflow.DeadLetterSubject(p.Topic)}
}

// sort checks the records that the cursors do not cover yet, and returns the
// good and the bad ones as messages with the cursors that then hold. The
// messages are valid until the next call.
//
// A verdict that was written down stands, because the clock is part of it:
//
//	bridge A, 12:00:00 | record 7 is 5 min 1 s ahead: refused, and committed to DLQ
//	                   | A is killed before it commits the ticks of the batch
//	bridge B, 12:00:06 | reads from the ticks' cursor; record 7 is no longer too far
//	                   | ahead, and would go to TICKS, while it stands in DLQ
func (s *sorter) sort(records []*kgo.Record, at time.Time, ticks, letters streamflow.Cursor) (good, bad []streamflow.Message, _, _ streamflow.Cursor) {
	s.good, s.bad = s.good[:0], s.bad[:0]
	for _, r := range records {
		if r.Offset < ticks.Next {
			continue
		}
		ticks.Next = r.Offset + 1
		if _, done := s.refused[r.Offset]; done || r.Attrs.IsControl() {
			continue
		}
		position := streamflow.Position{Topic: s.p.Topic, Partition: s.p.Number, Offset: r.Offset}
		tick, err := streamflow.DecodeTick(r.Value, r.Key, at)
		if err == nil {
			s.good = append(s.good, streamflow.Message{
				Subject: s.subject(tick.Symbol), Data: r.Value,
				Position: position, Previous: ticks.Last, Hops: s.hops(r.Timestamp, at),
			})
			ticks.Last = r.Offset
			continue
		}
		if r.Offset < letters.Next {
			continue // written before a crash that came before the ticks
		}
		s.bad = append(s.bad, s.deadLetter(r, at, position, letters.Last, err))
		letters.Next, letters.Last = r.Offset+1, r.Offset
	}
	return s.good, s.bad, ticks, letters
}

func (s *sorter) subject(symbol string) string {
	if subject, ok := s.subjects[symbol]; ok {
		return subject
	}
	if len(s.subjects) >= maxSubjects {
		clear(s.subjects)
	}
	subject := streamflow.TickSubject(symbol)
	s.subjects[symbol] = subject
	return subject
}

func (s *sorter) hops(produced, at time.Time) string {
	s.text = streamflow.AppendHop(s.text[:0], streamflow.HopKafka, produced)
	s.text = streamflow.AppendHop(s.text, streamflow.HopBridge, at)
	return string(s.text)
}

// maxHeaderText bounds what of a refused record's key and headers travels in
// headers: the server takes 64 KiB of headers in all.
const maxHeaderText = 16 << 10

// deadLetter is the message of a refused record: its bytes as they were, the
// rest in headers. What does not fit is cut and marked; the position tells
// where in Kafka all of it stands.
func (s *sorter) deadLetter(r *kgo.Record, at time.Time, p streamflow.Position, previous int64, cause error) streamflow.Message {
	letter := streamflow.NewDeadLetter(p, cause)
	m := streamflow.Message{
		Subject: s.letter, Data: r.Value, Position: p, Previous: previous, Hops: s.hops(r.Timestamp, at),
		Headers: []streamflow.Header{
			{Key: streamflow.HeaderReason, Value: []byte(letter.Reason)},
			{Key: streamflow.HeaderDetail, Value: []byte(letter.HeaderDetailText())},
		},
	}
	cut := ""
	add := func(part, name, value string) {
		if len(value) > maxHeaderText {
			cut += part + " "
			return
		}
		if value != "" {
			m.Headers = append(m.Headers, streamflow.Header{Key: name, Value: []byte(value)})
		}
	}
	add("key", streamflow.HeaderKey, url.QueryEscape(string(r.Key)))
	headers := make([]streamflow.Header, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = streamflow.Header{Key: h.Key, Value: h.Value}
	}
	add("headers", streamflow.HeaderHeaders, streamflow.EscapeHeaders(headers))
	if room := s.maxPayload - 3*maxHeaderText; len(m.Data) > room {
		m.Data = m.Data[:room]
		cut += "value "
	}
	if cut != "" {
		m.Headers = append(m.Headers, streamflow.Header{Key: streamflow.HeaderCut, Value: []byte(cut[:len(cut)-1])})
	}
	return m
}
