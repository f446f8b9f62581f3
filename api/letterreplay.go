package api

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"streamflow"
)

func (s *Server) replayLetters(ctx context.Context, in *DeadLetterReplay) (DeadLetterResults, error) {
	if in.Body.Value != nil && len(in.Body.IDs) != 1 {
		return DeadLetterResults{}, badField("body.value", nil, "a corrected value is for a single dead letter, and %d are named", len(in.Body.IDs))
	}
	if s.config.Operations.Log == nil {
		return DeadLetterResults{}, notJoined(serverKafka)
	}
	return s.eachLetter(ctx, in.Body.IDs, func(ctx context.Context, e *Entry) (DeadLetterResult, error) {
		if letterFunction(e) != "" && !in.Body.AllowDuplicate {
			return DeadLetterResult{}, &actFault{codeWouldDuplicate, "everybody else has this message already: replay function " + letterFunction(e) + ", or allow the duplicate"}
		}
		return s.replayLetter(ctx, e, in.Body.Value)
	})
}

// replayLetter sends a dead letter again, once for all time:
//
//	mark "sending", with the ends of the topic | a second request sees it, and stays away
//	produce                                    |
//	mark "replayed", with the position         | a second request gets this answer
//
// Who finds "sending" long after, because the server died between, looks
// behind those ends whether the record is there, and goes on accordingly.
func (s *Server) replayLetter(ctx context.Context, e *Entry, value *string) (DeadLetterResult, error) {
	for {
		m, err := s.markOf(ctx, e)
		if err != nil {
			return DeadLetterResult{}, err
		}
		switch m.State {
		case letterReplayed:
			r := DeadLetterResult{State: m.State, Position: m.Position, Already: true}
			if value != nil && m.History[len(m.History)-1].Value != *value {
				return r, &actFault{codeAlreadyReplayed, "it was replayed with another value, and stands at " + m.Position}
			}
			return r, nil
		case letterSending:
			r, again, err := s.settle(ctx, e, m)
			if !again {
				return r, err
			}
			continue
		}
		record, err := s.recordOf(ctx, e, value)
		if err != nil {
			return DeadLetterResult{State: letterOpen}, err
		}
		ends, err := ask(ctx, s, serverKafka, func(ctx context.Context) (map[int32]int64, error) {
			return s.config.Operations.Log.Ends(ctx, e.Cause.Topic)
		})
		if err != nil {
			return DeadLetterResult{}, err
		}
		if len(ends) == 0 {
			return DeadLetterResult{State: letterOpen}, &actFault{codeUnknownTopic, "there is no topic " + e.Cause.Topic + " any more"}
		}
		begun := act(letterSending, s.by(ctx))
		if begun.Corrected = value != nil; begun.Corrected && e.Cause.Topic == s.pipeline.topic() {
			begun.Value = *value // of other topics it may hold what is masked
		}
		m.State, m.Since, m.History = letterSending, ends, append(m.History, begun)
		m.Revision, err = s.putMark(ctx, e, m)
		switch {
		case errors.Is(err, streamflow.ErrFenced):
			continue
		case err != nil:
			return DeadLetterResult{}, err
		}
		return s.send(ctx, e, m, record)
	}
}

// settle looks what became of a replay that was begun; again is true where it
// can be begun anew, or is settled.
func (s *Server) settle(ctx context.Context, e *Entry, m LetterMark) (r DeadLetterResult, again bool, err error) {
	r.State = letterSending
	if time.Since(m.History[len(m.History)-1].At) < settleAfter {
		return r, false, &actFault{codeInProgress, "it is being replayed: ask again in a moment"}
	}
	type found struct {
		p  streamflow.Position
		ok bool
	}
	at, err := askFor(ctx, s, serverKafka, actTimeout, func(ctx context.Context) (found, error) {
		p, ok, err := s.config.Operations.Log.Find(ctx, e.Cause.Topic, m.Since, streamflow.HeaderLetter, letterKey(e))
		return found{p, ok}, err
	})
	if err != nil {
		return r, false, err
	}
	_, err = s.putMark(ctx, e, m.settled(at.p, at.ok, "the server that sent it has died"))
	if err != nil && !errors.Is(err, streamflow.ErrFenced) {
		return r, false, err
	}
	return r, true, nil
}

// settled is the mark after a replay has been decided.
func (m LetterMark) settled(p streamflow.Position, written bool, why string) LetterMark {
	last := m.History[len(m.History)-1]
	done := LetterAct{State: letterReplayed, At: time.Now().UTC(), By: last.By, Corrected: last.Corrected, Value: last.Value}
	m.Since, m.State = nil, letterReplayed
	if written {
		done.Position = p.String()
		m.Position = done.Position
	} else {
		m.State, done.State, done.Reason = letterOpen, letterFailed, why
	}
	m.History = append(slices.Clone(m.History), done)
	return m
}

// send produces the record and marks what became of it, also when nobody waits
// for it any more.
func (s *Server) send(ctx context.Context, e *Entry, m LetterMark, record Record) (DeadLetterResult, error) {
	done, outcomes, err := s.config.Operations.Log.Produce(ctx, []Record{record})
	if err != nil {
		_, _ = s.putMark(context.WithoutCancel(ctx), e, m.settled(streamflow.Position{}, false, err.Error()))
		return DeadLetterResult{State: letterOpen}, unavailable("%s cannot be used: %v", serverKafka, err)
	}
	type ending struct {
		r   DeadLetterResult
		err error
	}
	ended := make(chan ending, 1)
	go func() {
		<-done
		o := &outcomes[0]
		if o.Err != nil {
			_, err := s.putMark(context.WithoutCancel(ctx), e, m.settled(streamflow.Position{}, false, o.Err.Error()))
			ended <- ending{DeadLetterResult{State: letterOpen}, errors.Join(unavailable("%s did not write it: %v", serverKafka, o.Err), err)}
			return
		}
		// If this fails the record is there and not marked: the next request finds it.
		_, err := s.putMark(context.WithoutCancel(ctx), e, m.settled(o.Position, true, ""))
		ended <- ending{DeadLetterResult{State: letterReplayed, Position: o.Position.String()}, err}
	}()
	select {
	case end := <-ended:
		return end.r, end.err
	case <-ctx.Done():
		return DeadLetterResult{State: letterSending}, &actFault{codeInProgress, "Kafka has not confirmed it yet: ask again in a moment"}
	}
}

// recordOf makes the record anew: as it was, or with a corrected value. What of
// it did not travel is read from Kafka, where that still has it.
func (s *Server) recordOf(ctx context.Context, e *Entry, value *string) (Record, error) {
	r := Record{Position: streamflow.Position{Topic: e.Cause.Topic, Partition: -1}, Value: e.Data}
	if key, err := url.QueryUnescape(header(e, streamflow.HeaderKey)); err == nil && key != "" {
		r.Key = []byte(key)
	}
	r.Headers = streamflow.UnescapeHeaders(header(e, streamflow.HeaderHeaders))
	// A function's letter is what the bridge had mirrored: without its key, and
	// masked. The record itself is in Kafka.
	if cut := header(e, streamflow.HeaderCut); letterFunction(e) != "" || cut != "" && (value == nil || strings.Contains(cut, "key")) {
		original, err := s.original(ctx, e)
		if err != nil {
			return r, err
		}
		r.Key, r.Value, r.Headers = original.Key, original.Value, original.Headers
	}
	if value != nil {
		r.Value = []byte(*value)
		r.Headers = append(r.Headers, streamflow.Header{Key: streamflow.HeaderCorrected, Value: []byte("true")})
		if e.Cause.Topic == s.pipeline.topic() {
			tick, err := streamflow.DecodeTick(r.Value, nil, time.Now())
			if err != nil {
				return r, &actFault{codeRefused, "the corrected value would be refused again: " + err.Error()}
			}
			r.Key = []byte(tick.Symbol)
		}
	}
	if len(r.Key) == 0 {
		r.Position.Partition = e.Cause.Partition
	}
	r.Headers = slices.DeleteFunc(r.Headers, func(h streamflow.Header) bool { return h.Key == streamflow.HeaderLetter })
	r.Headers = append(r.Headers, streamflow.Header{Key: streamflow.HeaderLetter, Value: []byte(letterKey(e))})
	return r, nil
}

// original reads the record that was refused from Kafka.
func (s *Server) original(ctx context.Context, e *Entry) (*Record, error) {
	r, err := ask(ctx, s, serverKafka, func(ctx context.Context) (*Record, error) {
		r, ok, err := s.config.Operations.Log.Record(ctx, e.Cause)
		if !ok || err != nil {
			return nil, err
		}
		return &r, nil
	})
	if err != nil {
		return nil, err
	}
	produced, known := streamflow.FindHop(e.Hops, streamflow.HopKafka)
	if r == nil || known && !r.Time.Truncate(time.Millisecond).Equal(produced.Truncate(time.Millisecond)) {
		return nil, &actFault{codeIncomplete, "not all of it is here, and Kafka does not have it any more: give a corrected value"}
	}
	return r, nil
}
