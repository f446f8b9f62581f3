package live

import (
	"net/url"
	"unicode/utf8"

	"streamflow"
)

// maxLetter is how much of a dead letter's value is sent: a person looks at it;
// GET /api/deadletters has the whole.
const maxLetter = 4 << 10

// letter is a dead letter as a subscriber sees it.
type letter struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Reason    string `json:"reason"`
	Detail    string `json:"detail,omitempty"`
	Key       string `json:"key,omitempty"`
	Text      string `json:"valueText,omitempty"`
	Base64    []byte `json:"valueBase64,omitempty"` // where the value is no text
	Bytes     int    `json:"valueBytes"`            // of the whole value
}

// appendLetter appends a dead letter as JSON.
func appendLetter(b []byte, m *streamflow.Message) []byte {
	l := letter{Topic: m.Position.Topic, Partition: m.Position.Partition, Offset: m.Position.Offset, Bytes: len(m.Data)}
	for _, h := range m.Headers {
		switch h.Key {
		case streamflow.HeaderReason:
			l.Reason = string(h.Value)
		case streamflow.HeaderDetail:
			l.Detail = string(h.Value)
		case streamflow.HeaderKey:
			if key, err := url.QueryUnescape(string(h.Value)); err == nil && utf8.ValidString(key) {
				l.Key = key
			}
		}
	}
	value := m.Data[:min(len(m.Data), maxLetter)]
	for cut := 0; len(value) < len(m.Data) && cut < utf8.UTFMax && !utf8.Valid(value); cut++ {
		value = value[:len(value)-1] // the cut went through a character
	}
	if utf8.Valid(value) {
		l.Text = string(value)
	} else {
		l.Base64 = value
	}
	return append(b, encode(l)...)
}
