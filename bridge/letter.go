package bridge

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

// maxHeaderText bounds what of a refused record's key and headers travels in
// headers: the server takes 64 KiB of headers in all.
const maxHeaderText = 16 << 10

// deadLetter is the message of a refused record: its bytes as they were, the
// rest in headers. What does not fit is cut and marked; the position tells
// where in Kafka all of it stands.
func (s *sorter) deadLetter(r *kgo.Record, at time.Time, p streamflow.Position, previous int64, cause error) streamflow.Message {
	letter := streamflow.NewDeadLetter(p, cause)
	letter.Key, letter.Value = r.Key, r.Value
	for _, h := range r.Headers {
		letter.Headers = append(letter.Headers, streamflow.Header{Key: h.Key, Value: h.Value})
	}
	var cut []string
	if s.mask != nil {
		cut = s.hide(&letter)
	}
	m := streamflow.Message{
		Subject: s.letter, Data: letter.Value, Position: p, Previous: previous, Hops: s.hops(r.Timestamp, at),
		Headers: []streamflow.Header{
			{Key: streamflow.HeaderReason, Value: []byte(letter.Reason)},
			{Key: streamflow.HeaderDetail, Value: []byte(letter.HeaderDetailText())},
		},
	}
	add := func(part, name, value string) {
		if len(value) > maxHeaderText {
			cut = append(cut, part)
			return
		}
		if value != "" {
			m.Headers = append(m.Headers, streamflow.Header{Key: name, Value: []byte(value)})
		}
	}
	add("key", streamflow.HeaderKey, url.QueryEscape(string(letter.Key)))
	add("headers", streamflow.HeaderHeaders, streamflow.EscapeHeaders(letter.Headers))
	if room := s.room(); len(m.Data) > room {
		m.Data = m.Data[:room]
		if !slices.Contains(cut, "value") {
			cut = append(cut, "value")
		}
	}
	if len(cut) > 0 {
		m.Headers = append(m.Headers, streamflow.Header{Key: streamflow.HeaderCut, Value: []byte(strings.Join(cut, " "))})
	}
	return m
}

// hide takes out of a dead letter what its route masks, wherever it may stand,
// and returns the parts that are withheld for it. The record was refused, so
// nothing about it can be relied on:
//
//   - a value that is JSON has the route's members and all addresses masked; of
//     one that is not, only the outline is shown: half an address, or one whose
//     @ is written as a code, could not be told from anything else;
//   - a key is masked whole, for a user's key may well be the address;
//   - headers are left out: whoever wrote them did not know of our masks.
//
// The position still tells where in Kafka all of it stands.
func (s *sorter) hide(letter *streamflow.DeadLetter) (cut []string) {
	value, ok := s.mask.JSON(letter.Value, s.route.Mask)
	if !ok {
		value = streamflow.Outline(letter.Value)
	}
	if len(letter.Headers) > 0 {
		letter.Headers = nil
		cut = append(cut, "headers")
	}
	if !ok && len(value) > 0 {
		cut = append(cut, "value")
	}
	letter.Value, letter.Key = value, []byte(s.mask.Text(string(letter.Key)))
	letter.Detail = s.mask.Addresses(letter.Detail)
	return cut
}
