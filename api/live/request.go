package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Limits of what a client may send.
const (
	maxClientMessage = 64 << 10
	maxSubscriptions = 1000
	maxRates         = 8 // different values of maxRate in one session
)

// Codes of the errors that a client is told.
const (
	codeBadMessage   = "bad_message"
	codeBadSubject   = "bad_subject"
	codeBadMode      = "bad_mode"
	codeBadSince     = "bad_since"
	codeTooFar       = "too_far"
	codeForbidden    = "forbidden"
	codeUnknownField = "unknown_field"
	codeTooLarge     = "too_large"
	codeTooMany      = "too_many"
)

// usage ends every message about a message that cannot be read.
const usage = `want {"subscribe":["ticks.AAPL","candles.1m.*"]}, {"unsubscribe":[...]}, or both in one object, or {"ping":1}; with subscribe may stand "mode", "maxRate", "since" and "batch"`

// clientError is an error that a client is told; its socket stays open.
type clientError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (e *clientError) Error() string { return e.Code + ": " + e.Message }

func refuse(code, format string, args ...any) *clientError {
	return &clientError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// class is how a session wants a subject: the smaller, the more it gets. Above
// classLatest it is the shortest time between two messages of a subject.
type class time.Duration

const (
	classAll    class = -1 // every message
	classLatest class = 0  // the newest, whenever the client takes it
)

// request is a client's message.
type request struct {
	subscribe, unsubscribe []pattern
	class                  class
	since                  [countKinds]uint64
	resumes                uint16 // the kinds that since names
	batch                  *bool
	ping                   *int64
}

// fields are the members of a request.
type fields struct {
	Subscribe   *[]string
	Unsubscribe *[]string
	Mode        *string
	MaxRate     *float64
	Since       *map[string]uint64
	Batch       *bool
	Ping        *int64
}

// parseRequest reads a client's message. All of it is checked before any of it
// is done.
func parseRequest(data []byte) (request, *clientError) {
	if len(data) > maxClientMessage {
		return request{}, refuse(codeTooLarge, "the message has %d bytes, the limit is %d", len(data), maxClientMessage)
	}
	if b := bytes.TrimSpace(data); len(b) == 0 || b[0] != '{' {
		return request{}, refuse(codeBadMessage, "the message is not a JSON object: %s", usage)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return request{}, refuse(codeBadMessage, "the message is not JSON (%v): %s", err, usage)
	}
	if len(raw) == 0 {
		return request{}, refuse(codeBadMessage, "the message is empty: %s", usage)
	}
	var f fields
	if err := f.read(raw); err != nil {
		return request{}, err
	}
	return f.request()
}

// read fills the fields, in the order of their names: the same message has the
// same answer.
func (f *fields) read(raw map[string]json.RawMessage) *clientError {
	into := map[string]struct {
		to   any
		want string
	}{
		"subscribe": {&f.Subscribe, "a list of subjects"}, "unsubscribe": {&f.Unsubscribe, "a list of subjects"},
		"mode": {&f.Mode, `"all" or "latest"`}, "maxRate": {&f.MaxRate, "a number of messages a second"}, "max_rate": {&f.MaxRate, "a number of messages a second"},
		"since": {&f.Since, `an object of streams and sequences, such as {"TICKS":123}`},
		"batch": {&f.Batch, "true or false"}, "ping": {&f.Ping, "a whole number"},
	}
	if old, both := raw["maxRate"]; both && raw["max_rate"] != nil && !bytes.Equal(old, raw["max_rate"]) {
		return refuse(codeBadMode, "maxRate and max_rate are two names of one thing, and differ: leave one out")
	}
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		field, known := into[name]
		if !known {
			return refuse(codeUnknownField, "the field %.64q is not known: %s", strings.ToValidUTF8(name, "?"), usage)
		}
		if err := json.Unmarshal(raw[name], field.to); err != nil || string(raw[name]) == "null" {
			return refuse(codeBadMessage, "%s must be %s: %s", name, field.want, usage)
		}
	}
	return nil
}

// request checks the fields.
func (f *fields) request() (r request, err *clientError) {
	r.batch, r.ping = f.Batch, f.Ping
	if f.Subscribe == nil && (f.Mode != nil || f.MaxRate != nil || f.Since != nil) {
		return request{}, refuse(codeBadMessage, "mode, maxRate and since say how to subscribe, and subscribe is missing: %s", usage)
	}
	if r.class, err = f.class(); err != nil {
		return request{}, err
	}
	if r.subscribe, err = parsePatterns("subscribe", f.Subscribe); err != nil {
		return request{}, err
	}
	if r.unsubscribe, err = parsePatterns("unsubscribe", f.Unsubscribe); err != nil {
		return request{}, err
	}
	if f.Since != nil {
		err = r.resume(*f.Since)
	}
	if err != nil {
		return request{}, err
	}
	return r, nil
}

// Bounds of maxRate, in messages a second.
const (
	minRate = 0.01
	maxRate = 1000
)

// class reads mode and maxRate.
func (f *fields) class() (class, *clientError) {
	mode := "all"
	if f.MaxRate != nil {
		mode = "latest"
	}
	if f.Mode != nil {
		if *f.Mode != "all" && *f.Mode != "latest" {
			return 0, refuse(codeBadMode, `mode is %.40q, want "all" or "latest"`, *f.Mode)
		}
		if f.MaxRate != nil && *f.Mode == "all" {
			return 0, refuse(codeBadMode, `mode "all" and maxRate contradict each other: a rate leaves messages out, so leave mode out or say "latest"`)
		}
		mode = *f.Mode
	}
	switch {
	case mode == "all":
		return classAll, nil
	case f.MaxRate == nil:
		return classLatest, nil
	case !(*f.MaxRate >= minRate && *f.MaxRate <= maxRate):
		return 0, refuse(codeBadMode, "maxRate is %v, want %v to %v messages a second", *f.MaxRate, minRate, maxRate)
	}
	return class(float64(time.Second) / *f.MaxRate), nil
}

// resume reads since: which sequence of which stream to go on behind.
func (r *request) resume(since map[string]uint64) *clientError {
	if r.class != classAll {
		return refuse(codeBadSince, `since brings every message, and the mode leaves some out: use "all"`)
	}
	covered := uint16(0)
	for i := range r.subscribe {
		p := &r.subscribe[i]
		if root := p.tokens[0]; root == "*" || root == ">" {
			return refuse(codeBadSince, "since goes with subjects that name their kind, such as ticks.>, and not with %.80q", p.text)
		}
		covered |= p.kinds
	}
	for _, stream := range slices.Sorted(maps.Keys(since)) {
		i := kindOfStream(stream)
		if i < 0 || i == kindPipeline {
			return refuse(codeBadSince, "since: %.40q is not a stream; the streams are %s", stream, streamNames())
		}
		if covered&(1<<i) == 0 {
			return refuse(codeBadSince, "since names %s, of which nothing is subscribed here: add %s.>", stream, kinds[i].root)
		}
		r.since[i] = since[stream]
		r.resumes |= 1 << i
	}
	return nil
}

func streamNames() string {
	var names []string
	for _, k := range kinds[:kindPipeline] {
		names = append(names, k.stream)
	}
	return strings.Join(names, ", ")
}

func parsePatterns(field string, subjects *[]string) ([]pattern, *clientError) {
	if subjects == nil {
		return nil, nil
	}
	if len(*subjects) > maxSubscriptions {
		return nil, refuse(codeTooMany, "%s lists %d subjects, the limit is %d; a wildcard such as \"ticks.*\" takes in all",
			field, len(*subjects), maxSubscriptions)
	}
	patterns := make([]pattern, 0, len(*subjects))
	for _, s := range *subjects {
		p, err := parsePattern(s)
		if err != nil {
			return nil, refuse(codeBadSubject, "%s: %s", field, strings.ToValidUTF8(err.Error(), "?"))
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}
