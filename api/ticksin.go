package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// confirmTimeout is how long a request waits for Kafka to have its ticks.
const confirmTimeout = 10 * time.Second

// reasonNotWritten is the reason of a tick that is good and that Kafka refused.
const reasonNotWritten = "not_written"

// ticksIn brings ticks to Kafka; again says that the answer is an earlier one.
func (s *Server) ticksIn(ctx context.Context, in *TicksInRequest) (answer TicksInAnswer, again bool, err error) {
	if s.config.Operations.Log == nil {
		return answer, false, notJoined(serverKafka)
	}
	// A page of somebody else may send a form, or a text, and nothing that it must
	// ask for first.
	if media, _, err := mime.ParseMediaType(in.ContentType); err != nil || media != "application/json" {
		return answer, false, huma.Error415UnsupportedMediaType("ticks come as application/json")
	}
	// The body is lent, and Kafka's client keeps what it is given.
	body := bytes.Clone(in.RawBody)
	items, err := splitTicks(body)
	if err != nil {
		return answer, false, err
	}
	j, mine, err := s.keys.enter(in.IdempotencyKey, sha256.Sum256(body), time.Now())
	if err != nil {
		return answer, false, err
	}
	if mine {
		if err := s.writeTicks(ctx, j, items, traced(in.Traceparent)); err != nil {
			s.keys.forget(j, err)
			return answer, false, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, confirmTimeout)
	defer cancel()
	select {
	case <-j.done:
		return j.answer, !mine, j.err
	case <-ctx.Done():
		return answer, false, unavailable("%s has not confirmed the ticks within %s and goes on trying: send them again with the same Idempotency-Key to learn what became of them",
			serverKafka, confirmTimeout)
	}
}

// splitTicks returns the texts of the ticks of a body.
func splitTicks(body []byte) ([]json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		message := err.Error()
		if kind := (*json.UnmarshalTypeError)(nil); errors.As(err, &kind) {
			message = "it is a JSON " + kind.Value
		}
		return nil, huma.Error400BadRequest(`the body is not a JSON object: want one tick, or {"ticks":[...]}`, &huma.ErrorDetail{Location: "body", Message: message})
	}
	list, batch := members["ticks"]
	if !batch || len(members) > 1 {
		return []json.RawMessage{bytes.TrimSpace(body)}, nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(list, &items); err != nil {
		return nil, badField("body.ticks", nil, "want a list of ticks")
	}
	if len(items) == 0 || len(items) > maxTicksIn {
		return nil, badField("body.ticks", len(items), "want 1 to %d ticks, and not %d", maxTicksIn, len(items))
	}
	return items, nil
}

// traced returns the headers that have ticks go on in the trace of the request
// that brings them. What cannot be read is as good as absent, by the standard,
// and of versions to come we hand on what we know.
func traced(traceparent string) []streamflow.Header {
	id, parent, sampled := streamflow.ParseTraceparent(traceparent)
	if !sampled {
		return nil
	}
	return []streamflow.Header{{Key: streamflow.HeaderTraceparent, Value: []byte(streamflow.Trace{ID: id}.Traceparent(parent))}}
}

// writeTicks checks the ticks as the bridge does and hands the good ones to
// Kafka, with headers. The job is done when all are decided, whoever still waits
// for it.
func (s *Server) writeTicks(ctx context.Context, j *job, items []json.RawMessage, headers []streamflow.Header) error {
	now := time.Now()
	var records []Record
	var places []int // of the records, in the answer
	j.answer.Results = make([]TickInResult, len(items))
	for i, item := range items {
		r := &j.answer.Results[i]
		r.Index = i
		tick, err := streamflow.DecodeTick(item, nil, now)
		if err != nil {
			refused := streamflow.NewDeadLetter(streamflow.Position{}, err)
			r.Reason, r.Detail = string(refused.Reason), refused.HeaderDetailText()
			j.answer.Rejected++
			continue
		}
		places = append(places, i)
		records = append(records, Record{
			Position: streamflow.Position{Topic: s.pipeline.topic(), Partition: -1}, Key: []byte(tick.Symbol), Value: item, Headers: headers,
		})
	}
	if len(records) == 0 {
		return allRefused(j.answer.Results)
	}
	bound, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	done, outcomes, err := s.config.Operations.Log.Produce(bound, records)
	if err != nil {
		s.log.Warn("ticks cannot be written", "error", err)
		return unavailable("%s cannot be used, nothing was written: %v", serverKafka, err)
	}
	go func() {
		<-done
		err := j.decide(places, outcomes)
		if err != nil {
			s.keys.forget(j, err) // nothing was written: the key may be used again
			return
		}
		s.keys.keep(j)
	}()
	return nil
}

// allRefused is the answer where no tick was good: a 422 that names each.
func allRefused(results []TickInResult) error {
	details := make([]error, 0, len(results))
	for _, r := range results {
		place := "body"
		if len(results) > 1 {
			place = fmt.Sprintf("body.ticks[%d]", r.Index)
		}
		details = append(details, &huma.ErrorDetail{Location: place, Message: r.Detail, Value: r.Reason})
	}
	return huma.Error422UnprocessableEntity("no tick is good", details...)
}

// decide fills in what became of the records.
func (j *job) decide(places []int, outcomes []Outcome) error {
	var errs []error
	for i, o := range outcomes {
		r := &j.answer.Results[places[i]]
		if o.Err == nil {
			r.Position = o.Position.String()
			j.answer.Accepted++
			continue
		}
		r.Reason, r.Detail = reasonNotWritten, o.Err.Error()
		j.answer.Rejected++
		errs = append(errs, o.Err)
	}
	if j.answer.Accepted == 0 {
		return unavailable("%s did not write the ticks: %v", serverKafka, errors.Join(errs[:1]...))
	}
	return nil
}
