package functions

import (
	"encoding"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"streamflow"
)

// Func is a function as its author writes it: what it reads, and what one
// message does to the state of its key. It is pure: it has no clock, no
// connection and no goroutine, and what it does follows from the state and the
// input alone. The platform owns time, order, state, output and retries.
//
// S is the state of one key, such as a symbol. It is kept as JSON unless *S has
// the methods AppendBinary and UnmarshalBinary.
type Func[S any] struct {
	Name   string // of a-z, 0-9 and -: the function, its durable, its subjects
	Does   string // one line for lists
	Reads  string // [streamflow.StreamTicks] if "", or [streamflow.StreamEvents]
	Writes string // the stream of its results; [streamflow.StreamResults] if ""

	// Version tells states apart that cannot be read by each other: a state of
	// another version is dropped, and the function begins anew with the next
	// message. Change it with S, and with settings that change the meaning of S.
	Version string

	// Key says to which state a message belongs; nil is the symbol of a tick, the
	// last token of another subject. "" leaves the message out.
	Key func(in *Input) string

	// New returns the state of a key that was not seen before; nil is the zero S.
	New func(key string) S

	// Step takes one message in. It must not keep in or anything it points to. An
	// error, or a panic, sets the message aside in the stream of dead letters and
	// leaves the state as it was.
	Step func(s *S, in *Input, out *Output) error

	// Wake returns when the state wants a step that no message causes, zero for
	// never: then Step sees an Input without a message, at Now or later. Whether
	// time passes by itself is up to the platform: nobody is woken while messages
	// wait, so a replay does not see silence where there was none.
	Wake func(s *S) time.Time

	// View publishes what the state of a key looks like between two facts, with
	// [Output.View]. It is called from time to time after the state has changed,
	// not for each step, and must not change it.
	View func(s *S, key string, out *Output)
}

// Input is what a step sees.
type Input struct {
	Key string
	// Message is nil in a step that no message caused. It, and all it points to,
	// is valid during the step only.
	Message *streamflow.Message
	Tick    streamflow.Tick // of a message of stream TICKS
	// Now is the time in a step that no message caused; else zero.
	Now time.Time
}

// Produced returns when the message was produced: the record's time in Kafka,
// which is the same however often the message is delivered. It is Now where
// there is no message.
func (in *Input) Produced() time.Time {
	if in.Message == nil {
		return in.Now
	}
	if hop, ok := streamflow.FindHop(in.Message.Hops, streamflow.HopKafka); ok {
		return hop
	}
	return in.Tick.Time
}

// program is a Func without its type parameter: what the platform runs.
type program interface {
	key(in *Input) string
	keyless() bool // the platform's own key, which the subject tells too
	create(key string) any
	step(state any, in *Input, out *Output) error
	wake(state any) time.Time // zero for never
	view(state any, key string, out *Output)
	views() bool
	encode(b []byte, state any) ([]byte, error)
	decode(key string, data []byte) (any, error)
}

// Function is a [Func] of any state, with its names filled in.
type Function struct {
	Name, Does, Reads, Writes, Version string
	program
}

// Build checks f and makes it ready to run. It panics on what only its author
// can have got wrong: a missing Step or a name that is none.
func (f Func[S]) Build() *Function {
	if f.Step == nil || !validName(f.Name) {
		panic(fmt.Sprintf("function %q: it needs a Step, and a name of a-z, 0-9 and -", f.Name))
	}
	if f.Reads == "" {
		f.Reads = streamflow.StreamTicks
	}
	if f.Writes == "" {
		f.Writes = streamflow.StreamResults
	}
	return &Function{Name: f.Name, Does: f.Does, Reads: f.Reads, Writes: f.Writes, Version: f.Version, program: typed[S]{f}}
}

func validName(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// typed gives a Func the form of a program.
type typed[S any] struct{ f Func[S] }

func (t typed[S]) key(in *Input) string {
	switch {
	case t.f.Key != nil:
		return t.f.Key(in)
	case in.Tick.Symbol != "":
		return in.Tick.Symbol
	}
	return in.Message.Subject[strings.LastIndexByte(in.Message.Subject, '.')+1:]
}

func (t typed[S]) keyless() bool { return t.f.Key == nil }

func (t typed[S]) create(key string) any {
	s := new(S)
	if t.f.New != nil {
		*s = t.f.New(key)
	}
	return s
}

func (t typed[S]) step(state any, in *Input, out *Output) error {
	return t.f.Step(state.(*S), in, out)
}

func (t typed[S]) wake(state any) time.Time {
	if t.f.Wake == nil {
		return time.Time{}
	}
	return t.f.Wake(state.(*S))
}

func (t typed[S]) views() bool { return t.f.View != nil }

func (t typed[S]) view(state any, key string, out *Output) {
	if t.f.View != nil {
		t.f.View(state.(*S), key, out)
	}
}

func (t typed[S]) encode(b []byte, state any) ([]byte, error) {
	if a, ok := state.(encoding.BinaryAppender); ok {
		return a.AppendBinary(b)
	}
	data, err := json.Marshal(state)
	return append(b, data...), err
}

func (t typed[S]) decode(key string, data []byte) (any, error) {
	s := t.create(key)
	if u, ok := s.(encoding.BinaryUnmarshaler); ok {
		return s, u.UnmarshalBinary(data)
	}
	return s, json.Unmarshal(data, s)
}
