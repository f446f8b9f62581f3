package api

import (
	"context"
	"encoding/base64"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// listedValue is how much of a value a list shows.
const listedValue = 4 << 10

// States of dead letters.
const (
	letterOpen      = "open"
	letterSending   = "sending"
	letterReplayed  = "replayed"
	letterDiscarded = "discarded"
	letterFailed    = "failed" // in a history only: a replay that was not written
)

// bridgeSource stands for the function of a letter that the bridge refused.
const bridgeSource = "bridge"

func (s *Server) letterPage(ctx context.Context, in *DeadLettersInput) (DeadLetterPage, error) {
	cursor, page := in.Cursor, DeadLetterPage{Items: []DeadLetter{}}
	for range stateTries {
		got, err := s.back(ctx, streamflow.StreamDeadLetters, letterFilter(in), cursor, in.Limit-len(page.Items), func(e *Entry) bool {
			return isLetter(e) && (in.Reason == "" || header(e, streamflow.HeaderReason) == in.Reason) &&
				(in.Topic == "" || e.Cause.Topic == in.Topic)
		})
		if err != nil {
			return DeadLetterPage{}, err
		}
		batch := make([]DeadLetter, 0, len(got.found))
		for i := range got.found {
			batch = append(batch, viewLetter(&got.found[i], listedValue))
		}
		s.read(ctx, got.found, batch, listedValue)
		if err := s.mark(ctx, batch); err != nil {
			return DeadLetterPage{}, err
		}
		for i := range batch {
			if in.State == "" || batch[i].State == in.State {
				page.Items = append(page.Items, batch[i])
			}
		}
		page.Next = nextSequence(got.next)
		// Only the state is looked up elsewhere: without it the first try has all.
		if page.Next == nil || len(page.Items) >= in.Limit || len(got.found) == 0 {
			return page, nil
		}
		cursor = *page.Next
	}
	return page, nil
}

// stateTries bounds how many dead letters of other states one request goes over.
const stateTries = 20

// letterFilter narrows by subject what is read.
func letterFilter(in *DeadLettersInput) string {
	switch {
	case in.Function == bridgeSource && in.Topic != "":
		return streamflow.DeadLetterSubject(in.Topic)
	case in.Function == bridgeSource:
		return streamflow.SubjectAllDeadLetters
	case in.Function != "":
		return "dlq." + streamflow.Token(in.Function) + ".*"
	}
	return streamflow.SubjectAllLetters
}

func isLetter(e *Entry) bool { return strings.HasPrefix(e.Subject, "dlq.") }

func header(e *Entry, key string) string {
	for _, h := range e.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// entryOf reads the message of a dead letter.
func (s *Server) entryOf(ctx context.Context, id uint64) (*Entry, error) {
	streams, err := s.streams()
	if err != nil {
		return nil, err
	}
	e, err := ask(ctx, s, serverNATS, func(ctx context.Context) (*Entry, error) {
		e, ok, err := streams.Get(ctx, streamflow.StreamDeadLetters, id)
		if !ok || err != nil || !isLetter(&e) {
			return nil, err
		}
		return &e, nil
	})
	if err == nil && e == nil {
		err = huma.Error404NotFound("there is no such dead letter, or not any more: GET /api/deadletters lists them")
	}
	return e, err
}

func (s *Server) letter(ctx context.Context, id uint64) (DeadLetter, error) {
	e, err := s.entryOf(ctx, id)
	if err != nil {
		return DeadLetter{}, err
	}
	letters := []DeadLetter{viewLetter(e, len(e.Data))}
	s.read(ctx, []Entry{*e}, letters, streamflow.MaxRecordBytes)
	err = s.mark(ctx, letters)
	return letters[0], err
}

// letterKey is under what the marks of a dead letter are kept: what it is about,
// not its sequence, which a rebuild of the stream gives to another one.
func letterKey(e *Entry) string {
	source := letterFunction(e)
	if source == "" {
		source = bridgeSource
	}
	return source + "/" + e.Cause.String()
}

// letterFunction returns the function whose subject it stands on, "" for those
// of the bridge.
func letterFunction(e *Entry) string {
	if tokens := strings.Split(e.Subject, "."); len(tokens) == 3 {
		return plainToken(tokens[1])
	}
	return ""
}

// viewLetter shows a dead letter and up to most bytes of its value.
func viewLetter(e *Entry, most int) DeadLetter {
	l := DeadLetter{
		ID: e.Sequence, State: letterOpen, Topic: e.Cause.Topic, Partition: e.Cause.Partition, Offset: e.Cause.Offset,
		Function: letterFunction(e), Reason: header(e, streamflow.HeaderReason), Detail: header(e, streamflow.HeaderDetail),
		Cut: header(e, streamflow.HeaderCut), ValueBytes: len(e.Data), Headers: []LetterField{}, Time: e.Stored.UTC(), History: []LetterAct{},
		key: letterKey(e),
	}
	if key, err := url.QueryUnescape(header(e, streamflow.HeaderKey)); err == nil && key != "" {
		l.Key = &key
	}
	for _, h := range streamflow.UnescapeHeaders(header(e, streamflow.HeaderHeaders)) {
		if l.Function != "" && h.Key == headerStack {
			l.Stack = string(h.Value)
			continue
		}
		l.Headers = append(l.Headers, LetterField{h.Key, strings.ToValidUTF8(string(h.Value), "\uFFFD")})
	}
	if produced, ok := streamflow.FindHop(e.Hops, streamflow.HopKafka); ok {
		l.Produced = timeOrNil(produced)
	}
	value, valid := e.Data, utf8.Valid(e.Data) && !streamflow.Framed(e.Data)
	if l.Truncated = len(value) > most; l.Truncated {
		for value = value[:most]; valid && !utf8.Valid(value); {
			value = value[:len(value)-1] // the cut went through a character
		}
	}
	text := string(value)
	if valid {
		l.ValueText = &text
	} else {
		text = base64.StdEncoding.EncodeToString(value)
		l.ValueBase64 = &text
	}
	return l
}

// decodeTimeout bounds how long a page waits for a schema registry, which must not
// keep back what is there without it.
const decodeTimeout = 2 * time.Second

// read fills in what values in the wire format of a schema registry say, each up
// to most bytes; those that cannot be read stay as they are.
func (s *Server) read(ctx context.Context, entries []Entry, letters []DeadLetter, most int) {
	if s.config.Operations.Log == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, decodeTimeout)
	defer cancel()
	for i := range entries {
		e := &entries[i]
		if !streamflow.Framed(e.Data) || ctx.Err() != nil {
			continue
		}
		text := s.config.Operations.Log.Text(ctx, e.Cause.Topic, e.Data)
		if len(text) > most {
			letters[i].Truncated, text = true, nil
		}
		if text != nil {
			shown := string(text)
			letters[i].ValueJSON = &shown
		}
	}
}

// headerStack is the header in which a function leaves the stack of a panic.
const headerStack = "Stack"

func (s *Server) marks() (LetterMarks, error) {
	if s.config.Operations.Letters == nil {
		return nil, notJoined("marks of dead letters")
	}
	return s.config.Operations.Letters, nil
}

// mark fills in what was done with dead letters.
func (s *Server) mark(ctx context.Context, letters []DeadLetter) error {
	if len(letters) == 0 {
		return nil
	}
	kept, err := s.marks()
	if err != nil {
		return err
	}
	keys := make([]string, len(letters))
	for i := range letters {
		keys[i] = letters[i].key
	}
	marks, err := ask(ctx, s, serverNATS, func(ctx context.Context) ([]LetterMark, error) { return kept.Marks(ctx, keys) })
	for i := range marks {
		if marks[i].State != "" {
			letters[i].State, letters[i].History = marks[i].State, marks[i].History
		}
		if letters[i].History == nil {
			letters[i].History = []LetterAct{}
		}
	}
	return err
}

// act is something that is done now.
func act(state, by string) LetterAct { return LetterAct{State: state, At: time.Now().UTC(), By: by} }
