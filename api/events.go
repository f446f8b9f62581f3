package api

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

func (s *Server) streams() (Streams, error) {
	if s.config.Operations.Streams == nil {
		return nil, notJoined("streams")
	}
	return s.config.Operations.Streams, nil
}

// sequenceCursor reads a cursor that is a sequence of a stream, 0 for none.
func sequenceCursor(s string) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	text, err := transparent(s)
	if err != nil {
		return 0, badCursor(s, err)
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != text {
		return 0, badCursor(s, errCursor)
	}
	return n, nil
}

// nextSequence makes such a cursor, null for 0.
func nextSequence(n uint64) *string {
	if n == 0 {
		return nil
	}
	next := opaque(strconv.FormatUint(n, 10))
	return &next
}

// page is what [Streams.Back] has found.
type entryPage struct {
	found []Entry
	next  uint64
}

func (s *Server) back(ctx context.Context, stream, filter, cursor string, limit int, pick func(*Entry) bool) (entryPage, error) {
	upTo, err := sequenceCursor(cursor)
	if err != nil {
		return entryPage{}, err
	}
	streams, err := s.streams()
	if err != nil {
		return entryPage{}, err
	}
	return ask(ctx, s, serverNATS, func(ctx context.Context) (entryPage, error) {
		found, next, err := streams.Back(ctx, stream, filter, upTo, limit, pick)
		return entryPage{found, next}, err
	})
}

func (s *Server) eventPage(ctx context.Context, in *EventsInput) (EventPage, error) {
	filter := "events.*.*"
	switch {
	case in.Topic != "" && in.Type != "":
		filter = streamflow.EventSubject(in.Topic, in.Type)
	case in.Topic != "":
		filter = "events." + streamflow.Token(in.Topic) + ".*"
	case in.Type != "":
		filter = "events.*." + streamflow.Token(in.Type)
	}
	got, err := s.back(ctx, streamflow.StreamEvents, filter, in.Cursor, in.Limit, func(*Entry) bool { return true })
	page := EventPage{Events: make([]StreamEvent, 0, len(got.found)), Next: nextSequence(got.next)}
	for i := range got.found {
		e := &got.found[i]
		view := StreamEvent{Subject: e.Subject, Sequence: e.Sequence, Position: e.Cause.String(), At: e.Stored.UTC(), Data: jsonOf(e.Data)}
		if tokens := strings.Split(e.Subject, "."); len(tokens) == 3 {
			view.Topic, view.Type = plainToken(tokens[1]), plainToken(tokens[2])
		}
		page.Events = append(page.Events, view)
	}
	return page, err
}

// plainToken decodes a token of a subject; what nobody of us made stays as it is.
func plainToken(token string) string {
	if text, err := streamflow.ParseToken(token); err == nil {
		return text
	}
	return token
}

// resultSubjects are the subjects of a function's results.
func resultSubjects(st *FunctionState) (stream, filter string) {
	if st.Writes == streamflow.StreamResults {
		return st.Writes, "results." + streamflow.Token(st.Name) + ".*"
	}
	return st.Writes, strings.ToLower(st.Writes) + ".>"
}

func (s *Server) resultList(ctx context.Context, in *ResultsInput) (ResultList, error) {
	after := ""
	if in.Cursor != "" {
		var err error
		if after, err = transparent(in.Cursor); err != nil {
			return ResultList{}, badCursor(in.Cursor, err)
		}
	}
	states, err := s.functionStates(ctx)
	if err != nil {
		return ResultList{}, err
	}
	i := slices.IndexFunc(states, func(st FunctionState) bool { return st.Name == in.Function && !st.Sink })
	if i < 0 {
		return ResultList{}, huma.Error404NotFound("there is no function " + in.Function + " that publishes results: GET /api/functions lists them, those of kind step do")
	}
	streams, err := s.streams()
	if err != nil {
		return ResultList{}, err
	}
	stream, filter := resultSubjects(&states[i])
	prefix := strings.TrimRight(filter, "*>")
	newest, err := ask(ctx, s, serverNATS, func(ctx context.Context) ([]Entry, error) { return streams.Newest(ctx, stream, filter) })
	slices.SortFunc(newest, func(a, b Entry) int { return cmp.Compare(a.Subject, b.Subject) })
	list := ResultList{Function: in.Function, Results: []FunctionResult{}}
	for i := range newest {
		e := &newest[i]
		if e.Subject <= after {
			continue
		}
		if n := len(list.Results); n == in.Limit {
			next := opaque(list.Results[n-1].Subject)
			list.Next = &next
			break
		}
		list.Results = append(list.Results, FunctionResult{
			Key: keyOf(e.Subject, prefix), Subject: e.Subject, Kind: kindOfEntry(e), Sequence: e.Sequence,
			Cause: positionText(e.Cause), At: e.Stored.UTC(), Data: jsonOf(e.Data),
		})
	}
	return list, err
}

// keyOf returns what a result is about: the tokens behind the prefix.
func keyOf(subject, prefix string) string {
	tokens := strings.Split(strings.TrimPrefix(subject, prefix), ".")
	for i := range tokens {
		tokens[i] = plainToken(tokens[i])
	}
	return strings.Join(tokens, " ")
}

func kindOfEntry(e *Entry) string {
	if e.Output != "" {
		return "fact"
	}
	return "view"
}

func positionText(p streamflow.Position) string {
	if p.Topic == "" {
		return ""
	}
	return p.String()
}
