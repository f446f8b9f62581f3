// Package logins counts logins in tumbling windows of ten seconds of event time,
// and tells of each of them. E-mail addresses were masked by the bridge, and
// stay so.
//
// All logins are one key: the windows count those of all partitions, in the
// order in which they stand in the stream. Rules of time are those of candles:
// docs/windows.md tells them.
package logins

import (
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/coder"
	"streamflow/functions/window"
)

// Count is what is published of a window once it is done, and again whenever
// late logins have changed it, on [streamflow.ResultSubject]("logins", "count").
// A window without a login is not published.
type Count struct {
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"` // the first instant behind it
	Logins  int64     `json:"logins"`
	Amended uint32    `json:"amended,omitempty"` // how many of them came late
}

// Notification is what is published of each login, at once, on
// [streamflow.ResultSubject]("logins", "login").
type Notification struct {
	User     string    `json:"user_id"`
	Email    string    `json:"user_email"` // masked
	Time     time.Time `json:"timestamp"`
	Text     string    `json:"text"`     // one sentence for a person
	Position string    `json:"position"` // of the login in Kafka
}

// all is the only key.
const all = "all"

// Subjects of the results, and what messages are logins.
var (
	subjectCount = streamflow.ResultSubject(streamflow.FunctionLogins, "count")
	subjectLogin = streamflow.ResultSubject(streamflow.FunctionLogins, "login")
	reads        = streamflow.EventSubject(streamflow.TopicUserEvents, streamflow.TypeLogin)
)

// state is the windows that may still change.
type state struct{ window.Windows[int64] }

// New returns the function. It panics if params are not what [ParseParams] accepts.
func New(params Params) *functions.Function {
	plan, err := params.plan()
	if err != nil {
		panic(err)
	}
	size := plan.Lengths[0].Size
	return functions.Func[state]{
		Name:    streamflow.FunctionLogins,
		Does:    "counts logins, by " + size.String() + ", and tells of each",
		Reads:   streamflow.StreamEvents,
		Version: "1:" + size.String(), // a state holds windows of this length
		Key: func(in *functions.Input) string {
			if in.Message.Subject == reads {
				return all
			}
			return ""
		},
		New:  func(string) state { return state{window.New[int64](plan)} },
		Wake: func(s *state) time.Time { return s.Wake() },
		Step: func(s *state, in *functions.Input, out *functions.Output) error { return step(s, size, in, out) },
	}.Build()
}

func step(s *state, size time.Duration, in *functions.Input, out *functions.Output) error {
	done := func(_ int, w *window.Window[int64]) {
		start := time.Unix(0, w.Start).UTC()
		out.PublishJSON(subjectCount, Count{Start: start, End: start.Add(size), Logins: w.Value, Amended: w.Amended})
	}
	if in.Message == nil {
		s.Advance(in.Now, done)
		return nil
	}
	e, err := streamflow.DecodeUserEvent(in.Message.Data, streamflow.AnyTime)
	if err != nil {
		return err
	}
	switch s.Add(e.Time, in.Produced(), func(n *int64) { *n++ }, done) {
	case window.Late:
		out.Count("late", 1)
	case window.Ahead:
		out.Count("ahead", 1)
	}
	// Whatever becomes of the window, somebody has logged in.
	out.PublishJSON(subjectLogin, Notification{
		User: e.User, Email: e.Email, Time: e.Time, Position: in.Message.Position.String(),
		Text: "User " + e.User + " logged in at " + e.Time.UTC().Format("2006-01-02 15:04:05") + " UTC.",
	})
	return nil
}

// AppendBinary writes the state; see [window.Windows.Code].
func (s *state) AppendBinary(b []byte) ([]byte, error) {
	c := coder.Writer(b)
	s.code(c)
	return c.Bytes(), nil
}

// UnmarshalBinary reads what AppendBinary writes.
func (s *state) UnmarshalBinary(data []byte) error {
	c := coder.Reader(data)
	s.code(c)
	return c.End()
}

func (s *state) code(c *coder.Coder) {
	s.Code(c, func(c *coder.Coder, _ int64, n *int64) { c.Int(n) })
}
