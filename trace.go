package streamflow

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"
)

// TraceID and SpanID are those of OpenTelemetry.
type (
	TraceID [16]byte
	SpanID  [8]byte
)

// Trace is what is traced of one message of Kafka: its whole way, of which each
// process knows a piece. Nobody holds all of it, so nothing is handed on: which
// messages are traced, the ID of the trace and those of its spans follow from
// where the message stands in Kafka and when it was produced, which every
// message that comes of it tells.
type Trace struct {
	ID     TraceID
	Origin Position // where the message stands in Kafka
}

// Sampler says which messages are traced. The zero Sampler takes those only
// whose producer traces them.
type Sampler struct{ limit uint64 }

// NewSampler returns a Sampler that takes a share of all messages, 0 to 1. Of
// two shares the greater takes what the smaller does, and more.
func NewSampler(share float64) Sampler {
	switch {
	case !(share > 0): // NaN too
		return Sampler{}
	case share >= 1:
		return Sampler{math.MaxUint64}
	}
	return Sampler{uint64(share * (1 << 64))}
}

// carriedTrace begins the hops of a message whose producer traces it. Hops go
// along with everything that comes of a message, so its trace does too, and the
// other messages pay nothing for it.
const carriedTrace = "trace="

// CarryTrace returns hops that make the message one of a producer's trace.
func CarryTrace(id TraceID, hops string) string {
	return carriedTrace + hex.EncodeToString(id[:]) + ";" + hops
}

// Trace returns the trace of a message, and whether there is one.
func (s Sampler) Trace(m *Message) (Trace, bool) {
	carried := strings.HasPrefix(m.Hops, carriedTrace)
	origin := &m.Cause
	if origin.Topic == "" {
		origin = &m.Position
	}
	if !carried && (s.limit == 0 || scatter(origin) > s.limit) {
		return Trace{}, false
	}
	if origin.Topic == "" || origin == &m.Position && IsResult(m.Subject) {
		return Trace{}, false // it comes of no message
	}
	t := Trace{Origin: *origin}
	if carried {
		text, _, _ := strings.Cut(m.Hops[len(carriedTrace):], ";")
		return t, decodeID(t.ID[:], text)
	}
	produced, ok := FindHop(m.Hops, HopKafka)
	if !ok {
		return Trace{}, false
	}
	// With the time, for systems beside each other, and topics that were made anew,
	// have the same positions.
	sum := sha256.Sum256(strconv.AppendInt(append(origin.AppendTo(nil), '@'), produced.UnixNano(), 10))
	copy(t.ID[:], sum[:])
	return t, true
}

// scatter spreads positions evenly over all numbers (the finalizer of
// SplitMix64). The topic has no say, for what that would cost each message.
func scatter(p *Position) uint64 {
	x := uint64(p.Offset) ^ uint64(uint32(p.Partition))<<40
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Span returns the ID of the piece of the trace in which hop deals with the
// message at a position: its origin, or a result of it.
func (t Trace) Span(hop string, at Position) (id SpanID) {
	b := append(append(append(make([]byte, 0, 128), t.ID[:]...), hop...), 0)
	sum := sha256.Sum256(at.AppendTo(b))
	copy(id[:], sum[:])
	return id
}

// Maker returns the span of who has published a message of the trace: the
// bridge, or the function whose result it is.
func (t Trace) Maker(m *Message) SpanID {
	hop := HopBridge
	if IsResult(m.Subject) {
		last := strings.TrimSuffix(m.Hops, ";")
		hop, _, _ = strings.Cut(last[strings.LastIndexByte(last, ';')+1:], "=")
	}
	return t.Span(hop, t.Origin)
}

// Taker returns the span of a hop that takes a message of the trace in.
func (t Trace) Taker(hop string, m *Message) SpanID {
	if m.Position.Topic == "" { // a view
		return t.Span(hop, Position{Topic: m.Subject, Offset: int64(m.Sequence)})
	}
	return t.Span(hop, m.Position)
}

// Traceparent returns the value of [HeaderTraceparent] that makes what follows a
// child of a span.
func (t Trace) Traceparent(parent SpanID) string {
	return "00-" + hex.EncodeToString(t.ID[:]) + "-" + hex.EncodeToString(parent[:]) + "-01"
}

// ParseTraceparent reads a value of [HeaderTraceparent]; ok is false for one
// that is no good, and for one whose trace is not sampled.
func ParseTraceparent(s string) (id TraceID, parent SpanID, ok bool) {
	const length = 2 + 1 + 32 + 1 + 16 + 1 + 2
	if len(s) < length || s[2] != '-' || s[35] != '-' || s[52] != '-' || s[:2] == "ff" {
		return id, parent, false
	}
	var version, flags [1]byte
	if !decodeID(id[:], s[3:35]) || !decodeID(parent[:], s[36:52]) || !decodeHex(version[:], s[:2]) || !decodeHex(flags[:], s[53:55]) {
		return id, parent, false
	}
	if len(s) > length && (version[0] == 0 || s[length] != '-') { // only later versions have more
		return id, parent, false
	}
	return id, parent, flags[0]&1 == 1
}

// decodeID reads an ID, which is never all zeros.
func decodeID(id []byte, text string) bool {
	if !decodeHex(id, text) {
		return false
	}
	for _, b := range id {
		if b != 0 {
			return true
		}
	}
	return false
}

// decodeHex reads hexadecimal digits, which are small by the standard.
func decodeHex(to []byte, text string) bool {
	if len(text) != 2*len(to) || strings.ToLower(text) != text {
		return false
	}
	_, err := hex.Decode(to, []byte(text))
	return err == nil
}

// SpanKind says what a span does.
type SpanKind int8

// The kinds.
const (
	SpanInternal SpanKind = iota
	SpanProducer          // it hands a message on
	SpanConsumer          // it takes one in
)

// Span is one piece of a trace, which has ended.
type Span struct {
	Trace      TraceID
	ID, Parent SpanID // a zero Parent is for the first of a trace
	Name       string
	Kind       SpanKind
	Start, End time.Time
	Fault      string // what went wrong; "" if nothing did
	Attributes []SpanAttribute
}

// SpanAttribute says something of a span.
type SpanAttribute struct {
	Key   string
	Value any // string or int
}
