package live

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"streamflow"
)

// The hops that this package adds to those of the message.
const (
	hopStream = "stream"
	hopAPI    = "api"
)

// appendMessage appends what a subscriber is sent for one message:
//
//	{"subject":"ticks.AAPL","stream":"TICKS","seq":123,"prev":120,"position":"stock_ticks/0/77",
//	 "data":{...},"hops":{"kafka":1763690000123.400,...}}
//
// prev is 0, and left out, where it is not known.
func appendMessage(b []byte, kind int, m *streamflow.Message, prev uint64, taken time.Time) []byte {
	b = append(b, `{"subject":`...)
	b = appendText(b, m.Subject)
	b = append(b, `,"stream":"`...)
	b = append(b, kinds[kind].stream...)
	b = append(b, `","seq":`...)
	b = strconv.AppendUint(b, m.Sequence, 10)
	if prev != 0 {
		b = strconv.AppendUint(append(b, `,"prev":`...), prev, 10)
	}
	b = appendOrigin(b, kind, m)
	b = append(b, `,"data":`...)
	b = appendData(b, kind, m)
	b = append(b, `,"hops":{`...)
	b = appendHops(b, m.Hops)
	if !m.Stored.IsZero() {
		b = append(appendHop(b, hopStream, m.Stored), ',')
	}
	b = appendHop(b, hopAPI, taken)
	return append(b, "}}"...)
}

// appendOrigin says where in Kafka a message comes from, and of a result that
// is no fact, that it is a view.
func appendOrigin(b []byte, kind int, m *streamflow.Message) []byte {
	origin := m.Position
	if !mirrored(kind) {
		origin = m.Cause
		if m.Position.Topic == "" && kind != kindPipeline {
			b = append(b, `,"view":true`...)
		}
	}
	if origin.Topic == "" {
		return b
	}
	return appendText(append(b, `,"position":`...), origin.String())
}

// appendData appends what the message holds: JSON goes through as it is, but a
// tick in its one form, and a dead letter, which is anything, in words.
func appendData(b []byte, kind int, m *streamflow.Message) []byte {
	switch kind {
	case kindTicks:
		if tick, err := m.Tick(); err == nil {
			return tick.AppendJSON(b)
		}
	case kindDeadLetters:
		return appendLetter(b, m)
	}
	data := bytes.TrimSpace(m.Data)
	if len(data) == 0 || !json.Valid(data) { // it must not break the frame around it
		b = append(b, `{"base64":"`...)
		b = base64.StdEncoding.AppendEncode(b, m.Data)
		return append(b, `"}`...)
	}
	return append(b, data...)
}

// appendText appends s as JSON. What a subject or a position holds has nothing
// to escape, as a rule.
func appendText(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			return append(b, encode(s)...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// appendHops appends the hops of a header, each with a comma behind it.
func appendHops(b []byte, text string) []byte {
	for text != "" {
		var part string
		part, text, _ = strings.Cut(text, ";")
		name, value, _ := strings.Cut(part, "=")
		ns, err := strconv.ParseInt(value, 10, 64)
		if err != nil || !plainName(name) || name == hopStream || name == hopAPI {
			continue
		}
		b = append(appendHop(b, name, time.Unix(0, ns)), ',')
	}
	return b
}

// appendHop writes a time as unix milliseconds with three decimals.
func appendHop(b []byte, name string, at time.Time) []byte {
	b = append(b, '"')
	b = append(b, name...)
	b = append(b, `":`...)
	micros := max(at.UnixMicro(), 0)
	b = strconv.AppendInt(b, micros/1000, 10)
	rest := micros % 1000
	return append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
}

// plainName keeps what a header says from breaking the JSON around it.
func plainName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return s != ""
}

// encode returns v, which cannot fail to encode, without the escapes that only
// HTML needs: a subject may hold ">".
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	return bytes.TrimSpace(b.Bytes())
}

// listing encodes {"<name>":["<subject>",...]}.
func listing(name string, patterns []pattern) []byte {
	texts := make([]string, len(patterns))
	for i, p := range patterns {
		texts[i] = p.text
	}
	return encode(map[string][]string{name: texts})
}
