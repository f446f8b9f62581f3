package streamflow

import (
	"errors"
	"net/url"
	"strings"
	"time"
)

// Header is one header of a Kafka record.
type Header struct {
	Key   string
	Value []byte
}

// DeadLetter is a message that was refused, as it was, and why.
type DeadLetter struct {
	Position Position
	Time     time.Time // of the record in Kafka
	Reason   Reason
	Detail   string
	Key      []byte
	Value    []byte
	Headers  []Header
}

// NewDeadLetter says of the record at p why it was refused: cause is a
// [*RejectError], or any error, which counts as not being JSON.
func NewDeadLetter(p Position, cause error) DeadLetter {
	d := DeadLetter{Position: p, Reason: ReasonNotJSON, Detail: cause.Error()}
	var r *RejectError
	if errors.As(cause, &r) {
		d.Reason, d.Detail = r.Reason, r.Detail
	}
	return d
}

// maxDetail keeps a header readable, whatever a detail quotes.
const maxDetail = 512

// HeaderDetailText returns the detail fit for a header: one printable line.
func (d DeadLetter) HeaderDetailText() string {
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return '?'
		}
		return r
	}, d.Detail)
	if len(s) > maxDetail {
		s = strings.ToValidUTF8(s[:maxDetail], "")
	}
	return s
}

// EscapeHeaders writes headers as "key=value&key=value", each part URL
// query-escaped, in their order: the form of [HeaderHeaders].
func EscapeHeaders(headers []Header) string {
	var b strings.Builder
	for i, h := range headers {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(h.Key))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(string(h.Value)))
	}
	return b.String()
}

// UnescapeHeaders reads what [EscapeHeaders] writes; parts that it cannot read
// are left out.
func UnescapeHeaders(s string) []Header {
	var headers []Header
	for part := range strings.SplitSeq(s, "&") {
		k, v, ok := strings.Cut(part, "=")
		if !ok {
			continue
		}
		key, err := url.QueryUnescape(k)
		if err != nil {
			continue
		}
		value, err := url.QueryUnescape(v)
		if err != nil {
			continue
		}
		headers = append(headers, Header{Key: key, Value: []byte(value)})
	}
	return headers
}
