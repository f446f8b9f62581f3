package bridge

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

// sorter turns the records of one partition into messages. Its slices are
// reused from batch to batch.
type sorter struct {
	route      streamflow.Route
	p          streamflow.Partition
	mask       *streamflow.Mask // nil if the route masks nothing
	maxPayload int
	good, bad  []streamflow.Message
	refused    map[int64]struct{} // dead letters beyond the cursor of the good ones; see sort
	readings   map[int64]reading  // of framed values, by offset
	subjects   map[string]string  // by the name that the schema returns
	letter     string             // the subject of the dead letters
	tracer     Tracer             // nil traces nothing
	traced     []traced           // of the last call
	text       []byte
}

// maxSubjects bounds the cache of subjects, should somebody send endless symbols.
const maxSubjects = 100_000

func newSorter(route streamflow.Route, p streamflow.Partition, mask *streamflow.Mask, maxPayload int) sorter {
	if len(route.Mask) == 0 {
		mask = nil
	}
	return sorter{
		route: route, p: p, mask: mask, maxPayload: maxPayload,
		readings: make(map[int64]reading), subjects: make(map[string]string), letter: streamflow.DeadLetterSubject(p.Topic),
	}
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
func (s *sorter) sort(records []*kgo.Record, at time.Time, next, letters streamflow.Cursor) (good, bad []streamflow.Message, _, _ streamflow.Cursor) {
	s.good, s.bad, s.traced = s.good[:0], s.bad[:0], s.traced[:0]
	for _, r := range records {
		if r.Offset < next.Next {
			continue
		}
		next.Next = r.Offset + 1
		if _, done := s.refused[r.Offset]; done || r.Attrs.IsControl() {
			continue
		}
		position := streamflow.Position{Topic: s.p.Topic, Partition: s.p.Number, Offset: r.Offset}
		data, name, err := s.check(r, at)
		if err == nil {
			s.good = append(s.good, streamflow.Message{
				Subject: s.subject(name), Data: data,
				Position: position, Previous: next.Last, Hops: s.hops(r.Timestamp, at),
			})
			s.follow(&s.good[len(s.good)-1], r, at, nil)
			next.Last = r.Offset
			continue
		}
		if r.Offset < letters.Next {
			continue // written before a crash that came before the good ones
		}
		s.bad = append(s.bad, s.deadLetter(r, at, position, letters.Last, err))
		s.follow(&s.bad[len(s.bad)-1], r, at, err)
		letters.Next, letters.Last = r.Offset+1, r.Offset
	}
	return s.good, s.bad, next, letters
}

// check returns what a record becomes in the stream, and the name that its
// subject ends with.
func (s *sorter) check(r *kgo.Record, at time.Time) (data []byte, name string, err error) {
	data = r.Value
	if streamflow.Framed(data) {
		read := s.readings[r.Offset]
		if read.fault != nil {
			return nil, "", read.fault
		}
		data = read.json
	}
	name, err = s.route.Schema(data, r.Key, at)
	if err == nil && s.mask != nil {
		data, err = s.masked(data)
	}
	return data, name, err
}

func (s *sorter) subject(name string) string {
	if subject, ok := s.subjects[name]; ok {
		return subject
	}
	if len(s.subjects) >= maxSubjects {
		clear(s.subjects)
	}
	subject := s.route.SubjectOf(name)
	s.subjects[name] = subject
	return subject
}

func (s *sorter) hops(produced, at time.Time) string {
	s.text = streamflow.AppendHop(s.text[:0], streamflow.HopKafka, produced)
	s.text = streamflow.AppendHop(s.text, streamflow.HopBridge, at)
	return string(s.text)
}

// masked masks the value of a good record. A mask may be longer than what it
// hides: a text full of tiny addresses could grow beyond what a message holds,
// and would hold up its partition.
func (s *sorter) masked(value []byte) ([]byte, error) {
	data, ok := s.mask.JSON(value, s.route.Mask)
	if room := s.room(); !ok || len(data) > room {
		return nil, &streamflow.RejectError{Reason: streamflow.ReasonTooLarge, Detail: "it has too many e-mail addresses to mask them all"}
	}
	return data, nil
}

// room is how long the value of a message may be beside its headers.
func (s *sorter) room() int { return s.maxPayload - 3*maxHeaderText }
