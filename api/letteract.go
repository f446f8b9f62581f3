package api

import (
	"context"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

const (
	// actTimeout is how long a request about many dead letters may take.
	actTimeout = 30 * time.Second
	// settleAfter is when a replay that nobody has settled was left by a server
	// that died: [Log.Produce] has long given up what it could not write.
	settleAfter = 2 * time.Minute
)

// Codes of what was not done with a dead letter.
const (
	codeNotFound        = "not_found"
	codeAlreadyReplayed = "already_replayed"
	codeInProgress      = "in_progress"
	codeIncomplete      = "incomplete"
	codeRefused         = "refused"
	codeWouldDuplicate  = "would_duplicate"
	codeUnknownTopic    = "unknown_topic"
	codeUnavailable     = "unavailable"
)

// actFault says why something was not done with a dead letter.
type actFault struct{ code, message string }

func (f *actFault) Error() string { return f.message }

// eachLetter does something with dead letters, one after the other: their order
// stays, and what is said of one holds before the next is touched.
func (s *Server) eachLetter(ctx context.Context, ids []uint64, do func(ctx context.Context, e *Entry) (DeadLetterResult, error)) (DeadLetterResults, error) {
	if _, err := s.marks(); err != nil {
		return DeadLetterResults{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, actTimeout)
	defer cancel()
	out := DeadLetterResults{Results: make([]DeadLetterResult, 0, len(ids))}
	for _, id := range ids {
		var r DeadLetterResult
		e, err := s.entryOf(ctx, id)
		if err == nil {
			r, err = do(ctx, e)
		}
		if r.ID = id; err != nil {
			r.Code, r.Error = codeUnavailable, err.Error()
			var fault *actFault
			var status huma.StatusError
			switch {
			case errors.As(err, &fault):
				r.Code = fault.code
			case errors.As(err, &status) && status.GetStatus() == 404:
				r.Code = codeNotFound
			}
			out.Failed++
		} else {
			out.Done++
		}
		out.Results = append(out.Results, r)
	}
	// Where nothing could be done because a server is away, that is the answer.
	if out.Done == 0 {
		for _, r := range out.Results {
			if r.Code != codeUnavailable {
				return out, nil
			}
		}
		return out, unavailable("nothing was done: %s", out.Results[0].Error)
	}
	return out, nil
}

func (s *Server) discardLetters(ctx context.Context, in *DeadLetterDiscard) (DeadLetterResults, error) {
	return s.eachLetter(ctx, in.Body.IDs, func(ctx context.Context, e *Entry) (DeadLetterResult, error) {
		for {
			m, err := s.markOf(ctx, e)
			if err != nil {
				return DeadLetterResult{}, err
			}
			r := DeadLetterResult{State: letterDiscarded, Already: m.State == letterDiscarded}
			switch m.State {
			case letterDiscarded:
				return r, nil
			case letterReplayed:
				r.State, r.Position = m.State, m.Position
				return r, &actFault{codeAlreadyReplayed, "it was replayed, and stands at " + m.Position}
			case letterSending:
				r.State = m.State
				return r, &actFault{codeInProgress, "it is being replayed: ask again in a moment"}
			}
			done := act(letterDiscarded, s.by(ctx))
			done.Reason = in.Body.Reason
			m.State, m.History = letterDiscarded, append(m.History, done)
			if _, err = s.putMark(ctx, e, m); !errors.Is(err, streamflow.ErrFenced) {
				return r, err
			}
		}
	})
}

// by names who asks, for the history.
func (s *Server) by(ctx context.Context) string {
	if s.config.Operations.By == nil {
		return ""
	}
	return s.config.Operations.By(ctx)
}

func (s *Server) markOf(ctx context.Context, e *Entry) (LetterMark, error) {
	kept, err := s.marks()
	if err != nil {
		return LetterMark{}, err
	}
	marks, err := ask(ctx, s, serverNATS, func(ctx context.Context) ([]LetterMark, error) { return kept.Marks(ctx, []string{letterKey(e)}) })
	if err != nil {
		return LetterMark{}, err
	}
	return marks[0], nil
}

// putMark stores a mark; somebody else's is [streamflow.ErrFenced].
func (s *Server) putMark(ctx context.Context, e *Entry, m LetterMark) (uint64, error) {
	kept, err := s.marks()
	if err != nil {
		return 0, err
	}
	fenced := false
	revision, err := ask(ctx, s, serverNATS, func(ctx context.Context) (uint64, error) {
		n, err := kept.Mark(ctx, letterKey(e), m)
		if fenced = errors.Is(err, streamflow.ErrFenced); fenced {
			err = nil
		}
		return n, err
	})
	if fenced {
		err = streamflow.ErrFenced
	}
	return revision, err
}
