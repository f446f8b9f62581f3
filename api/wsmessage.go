package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// Limits of what a client may send.
const (
	maxClientMessage = 64 << 10
	maxSubscriptions = 1000
)

// Codes of the errors that a client is told.
const (
	codeBadMessage   = "bad_message"
	codeBadSubject   = "bad_subject"
	codeUnknownField = "unknown_field"
	codeTooLarge     = "too_large"
	codeTooMany      = "too_many"
)

// usage ends every message about a message that cannot be read.
const usage = `want {"subscribe":["ticks.AAPL","ticks.*"]}, {"unsubscribe":[...]}, or both in one object`

// clientError is an error that a client is told; its socket stays open.
type clientError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (e *clientError) Error() string { return e.Code + ": " + e.Message }

func refuse(code, format string, args ...any) *clientError {
	return &clientError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// request is a client's message.
type request struct {
	subscribe, unsubscribe []pattern
}

// parseRequest reads a client's message. All of it is checked before any of it
// is done.
func parseRequest(data []byte) (request, *clientError) {
	var r request
	if len(data) > maxClientMessage {
		return r, refuse(codeTooLarge, "the message has %d bytes, the limit is %d", len(data), maxClientMessage)
	}
	if b := bytes.TrimSpace(data); len(b) == 0 || b[0] != '{' {
		return r, refuse(codeBadMessage, "the message is not a JSON object: %s", usage)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return r, refuse(codeBadMessage, "the message is not JSON (%v): %s", err, usage)
	}
	if len(fields) == 0 {
		return r, refuse(codeBadMessage, "the message is empty: %s", usage)
	}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names) // the same message has the same answer
	for _, name := range names {
		var err *clientError
		switch name {
		case "subscribe":
			r.subscribe, err = parsePatterns(name, fields[name])
		case "unsubscribe":
			r.unsubscribe, err = parsePatterns(name, fields[name])
		default:
			err = refuse(codeUnknownField, "the field %.64q is not known: %s", name, usage)
		}
		if err != nil {
			return request{}, err
		}
	}
	return r, nil
}

func parsePatterns(field string, raw json.RawMessage) ([]pattern, *clientError) {
	var subjects []string
	if err := json.Unmarshal(raw, &subjects); err != nil || subjects == nil {
		return nil, refuse(codeBadMessage, "%s must be a list of subjects: %s", field, usage)
	}
	if len(subjects) > maxSubscriptions {
		return nil, refuse(codeTooMany, "%s lists %d subjects, the limit is %d; a wildcard such as \"ticks.*\" takes in all",
			field, len(subjects), maxSubscriptions)
	}
	patterns := make([]pattern, 0, len(subjects))
	for _, s := range subjects {
		p, err := parsePattern(s)
		if err != nil {
			return nil, refuse(codeBadSubject, "%s: %s", field, strings.ToValidUTF8(err.Error(), "?"))
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

// listing encodes {"<name>":["<subject>",...]}.
func listing(name string, patterns []pattern) []byte {
	texts := make([]string, len(patterns))
	for i, p := range patterns {
		texts[i] = p.text
	}
	return encode(map[string][]string{name: texts})
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
