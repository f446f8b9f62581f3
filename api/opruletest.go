package api

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// RuleTestRequest is the body of POST /api/rules/test.
type RuleTestRequest struct {
	Rule RuleView  `json:"rule" doc:"The rule; it need not be stored, and is not"`
	From time.Time `json:"from" example:"2025-11-21T14:00:00Z" doc:"From this event time on"`
	To   time.Time `json:"to,omitzero" example:"2025-11-21T15:00:00Z" doc:"Up to this event time, which is not included; now if it is left out"`
}

// RuleTest is the answer of POST /api/rules/test.
type RuleTest struct {
	Count    int       `json:"count" minimum:"0" example:"3" doc:"Alerts that it would have raised"`
	Alerts   []Alert   `json:"alerts" nullable:"false" maxItems:"100" doc:"The first 100 of them, the oldest first"`
	Ticks    int       `json:"ticks" minimum:"0" example:"48211" doc:"Ticks on which it was judged"`
	From     time.Time `json:"from" example:"2025-11-21T14:00:00Z" doc:"From when on"`
	To       time.Time `json:"to" example:"2025-11-21T15:00:00Z" doc:"Up to when: earlier than what was asked for if that was too much"`
	Complete bool      `json:"complete" example:"true" doc:"Whether all of what was asked for was judged; if not, go on from \"to\""`
}

const (
	maxShownAlerts = 100
	maxRuleTests   = 2 // at one time: each takes a whole core
	maxTestTicks   = 1_000_000
	testTime       = 20 * time.Second
)

func (s *Server) registerRuleTest(api huma.API) {
	places := make(gate, maxRuleTests)
	type input struct{ Body RuleTestRequest }
	type output struct{ Body RuleTest }
	op := write(http.MethodPost, "test-rule", "/api/rules/test", "rules", "Test a rule",
		"What a rule would have raised on stored ticks, judged by the code that judges it live, before it is stored. "+
			"Indicators warm up on the first of the ticks. It stops after 1,000,000 ticks or 20 s and says how far it came.", errorsOfQueries...)
	huma.Register(api, op, func(ctx context.Context, in *input) (*output, error) {
		if err := places.enter("tests of rules"); err != nil {
			return nil, err
		}
		defer places.leave()
		result, err := s.testRule(ctx, &in.Body)
		if err != nil {
			return nil, err
		}
		return &output{*result}, nil
	})
	describeFaults(api, op)
}

func (s *Server) testRule(ctx context.Context, in *RuleTestRequest) (*RuleTest, error) {
	rules, err := s.rules()
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	if in.To.IsZero() || in.To.After(now) {
		in.To = now
	}
	if !in.From.Before(in.To) {
		return nil, badField("body.from", in.From, "from must be earlier than to, and than now")
	}
	rule := streamflow.Rule(in.Rule.Rule)
	rule.ID = cmp.Or(rule.ID, "test")
	if _, err := rules.Read(rule); err != nil {
		return nil, ruleProblem("body.rule.", &rule, err)
	}
	ticks, err := s.ticksFor(ctx, rule.Symbol, in.From, in.To)
	if err != nil {
		return nil, err
	}
	result := &RuleTest{Alerts: []Alert{}, From: in.From.UTC(), To: in.To.UTC(), Complete: true}
	for a, err := range rules.Test(rule, result.bounded(ticks, now.Add(testTime)), in.To) {
		var answer huma.StatusError
		switch {
		case errors.Is(err, errEnough):
			return result, nil
		case errors.As(err, &answer):
			return nil, answer
		case err != nil:
			return nil, err
		}
		result.Count++
		if len(result.Alerts) < maxShownAlerts {
			result.Alerts = append(result.Alerts, shownAlert(&StoredAlert{Alert: a}))
		}
	}
	return result, nil
}

// errEnough ends the ticks of a test without the clock going on to its end.
var errEnough = errors.New("that is enough")

// bounded counts ticks, and ends them where they are too many or take too long:
// at the first one of a time, so that a test of the rest can begin there.
func (r *RuleTest) bounded(ticks iter.Seq2[streamflow.Mirrored, error], end time.Time) iter.Seq2[streamflow.Mirrored, error] {
	return func(yield func(streamflow.Mirrored, error) bool) {
		var last time.Time
		for m, err := range ticks {
			if err == nil && r.Ticks >= maxTestTicks || r.Ticks%1000 == 999 && time.Now().After(end) {
				r.Complete = false
			}
			if err == nil && !r.Complete && m.Tick.Time.After(last) {
				r.To = m.Tick.Time.UTC()
				yield(m, errEnough)
				return
			}
			if !yield(m, err) || err != nil {
				return
			}
			last = m.Tick.Time
			r.Ticks++
		}
		r.Complete = true
	}
}
