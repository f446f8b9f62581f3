package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// rules returns the bucket, or the answer where there is none.
func (s *Server) rules() (Rules, error) {
	if s.config.Market.Rules == nil {
		return nil, notJoined("rules")
	}
	return s.config.Market.Rules, nil
}

func (s *Server) rulePage(ctx context.Context, in *RulesInput) (*RulePage, error) {
	after, err := "", error(nil)
	if in.Cursor != "" {
		if after, err = transparent(in.Cursor); err != nil {
			return nil, badCursor(in.Cursor, err)
		}
	}
	rules, err := s.rules()
	if err != nil {
		return nil, err
	}
	all, err := within(ctx, rules.Rules)
	if err != nil {
		return nil, s.bucketFault(ctx, err)
	}
	slices.SortFunc(all, func(a, b KeptRule) int { return cmp.Compare(a.ID, b.ID) })
	page := &RulePage{Rules: []RuleView{}}
	for i := range all {
		if k := &all[i]; k.ID > after && (in.Symbol == "" || k.Symbol == in.Symbol) {
			if n := len(page.Rules); n == in.Limit {
				next := opaque(page.Rules[n-1].ID)
				page.Next = &next
				break
			}
			page.Rules = append(page.Rules, viewRule(rules, k))
		}
	}
	return page, nil
}

// viewRule shows a rule with how it is understood.
func viewRule(rules Rules, k *KeptRule) RuleView {
	view := RuleView{Rule: Rule(k.Rule), Revision: k.Revision}
	meaning, err := rules.Read(k.Rule)
	if err != nil {
		view.Fault = err.Error()
	}
	view.Condition, view.Judged = meaning.Condition, meaning.Judged
	return view
}

func outputRule(rules Rules, k *KeptRule) *RuleOutput {
	return &RuleOutput{ETag: etag(k.Revision), Body: viewRule(rules, k)}
}

// rule returns one, or the answer where it is not there.
func (s *Server) rule(ctx context.Context, rules Rules, id string) (KeptRule, error) {
	k, found, err := s.lookUp(ctx, rules, id)
	if err == nil && !found {
		err = huma.Error404NotFound("there is no rule " + id + ": GET /api/rules lists those that there are")
	}
	return k, err
}

func (s *Server) lookUp(ctx context.Context, rules Rules, id string) (k KeptRule, found bool, err error) {
	k, err = within(ctx, func(ctx context.Context) (KeptRule, error) {
		var k KeptRule
		k, found, err = rules.Rule(ctx, id)
		return k, err
	})
	if err != nil {
		return k, false, s.bucketFault(ctx, err)
	}
	return k, found, nil
}

func (s *Server) getRule(ctx context.Context, in *RuleGet) (*RuleOutput, error) {
	rules, err := s.rules()
	if err != nil {
		return nil, err
	}
	k, err := s.rule(ctx, rules, in.ID)
	if err != nil {
		return nil, err
	}
	if matches(in.IfNoneMatch, k.Revision, true) {
		return nil, huma.ErrorWithHeaders(huma.Status304NotModified(), http.Header{"Etag": {etag(k.Revision)}})
	}
	return outputRule(rules, &k), nil
}

func (s *Server) createRule(ctx context.Context, in *RuleCreate) (*RuleCreated, error) {
	rules, err := s.rules()
	if err != nil {
		return nil, err
	}
	rule := streamflow.Rule(in.Body.Rule)
	rule.ID = cmp.Or(rule.ID, "rule-"+strings.ToLower(rand.Text()[:10]))
	if _, err := rules.Read(rule); err != nil {
		return nil, ruleProblem("body.", &rule, err)
	}
	k, err := s.store(ctx, rules, rule, KeptRule{})
	if errors.Is(err, streamflow.ErrFenced) {
		return nil, huma.Error409Conflict("there is a rule " + rule.ID + " already: PUT /api/rules/" + rule.ID + " replaces it")
	}
	if err != nil {
		return nil, s.bucketFault(ctx, err)
	}
	return &RuleCreated{Location: "/api/rules/" + rule.ID, ETag: etag(k.Revision), Body: viewRule(rules, &k)}, nil
}

// store puts a rule over the one that was read.
func (s *Server) store(ctx context.Context, rules Rules, rule streamflow.Rule, old KeptRule) (KeptRule, error) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	rule.Created, rule.Updated = now, now
	if !old.Created.IsZero() {
		rule.Created = old.Created
	}
	revision, err := within(ctx, func(ctx context.Context) (uint64, error) { return rules.Put(ctx, rule, old.Revision) })
	return KeptRule{rule, revision}, err
}

func (s *Server) putRule(ctx context.Context, in *RulePut) (*RuleOutput, error) {
	rules, err := s.rules()
	if err != nil {
		return nil, err
	}
	rule := streamflow.Rule(in.Body.Rule)
	if rule.ID = cmp.Or(rule.ID, in.ID); rule.ID != in.ID {
		return nil, badField("body.id", rule.ID, "the path names rule %s: leave the id out, or let it be the same", in.ID)
	}
	if _, err := rules.Read(rule); err != nil {
		return nil, ruleProblem("body.", &rule, err)
	}
	var done KeptRule
	err = s.change(ctx, rules, in.ID, func(old KeptRule, found bool) error {
		switch {
		case in.IfNoneMatch != "" && found:
			return failedMatch("If-None-Match", in.IfNoneMatch, old.Revision)
		case in.IfMatch != "" && !(found && matches(in.IfMatch, old.Revision, false)):
			return failedMatch("If-Match", in.IfMatch, old.Revision)
		}
		done, err = s.store(ctx, rules, rule, old)
		return err
	})
	if err != nil {
		return nil, err
	}
	return outputRule(rules, &done), nil
}

func (s *Server) deleteRule(ctx context.Context, in *RuleDelete) (*struct{}, error) {
	rules, err := s.rules()
	if err != nil {
		return nil, err
	}
	return nil, s.change(ctx, rules, in.ID, func(old KeptRule, found bool) error {
		switch {
		case !found:
			_, err := s.rule(ctx, rules, in.ID)
			return err
		case in.IfMatch != "" && !matches(in.IfMatch, old.Revision, false):
			return failedMatch("If-Match", in.IfMatch, old.Revision)
		}
		_, err := within(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, rules.Delete(ctx, in.ID, old.Revision) })
		return err
	})
}

// maxRaces is how often a change is tried anew because somebody else was faster.
const maxRaces = 10

// change reads a rule and changes it, anew if somebody else was faster: a
// condition of the client is judged on what is then there.
func (s *Server) change(ctx context.Context, rules Rules, id string, fn func(old KeptRule, found bool) error) error {
	for try := 1; ; try++ {
		old, found, err := s.lookUp(ctx, rules, id)
		if err != nil {
			return err
		}
		err = fn(old, found)
		var answer huma.StatusError
		switch {
		case err == nil || errors.As(err, &answer):
			return err
		case !errors.Is(err, streamflow.ErrFenced) || try == maxRaces:
			return s.bucketFault(ctx, err)
		}
	}
}

// bucketFault is the answer where the bucket of rules did not give one.
func (s *Server) bucketFault(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return unavailable("the client has gone") // nobody reads it
	case errors.Is(err, context.DeadlineExceeded):
		return huma.Error504GatewayTimeout("the bucket of rules did not answer within " + queryTimeout.String())
	}
	s.log.Warn("the bucket of rules cannot be used", "error", err)
	return unavailable("the bucket of rules cannot be used: %v", err)
}

// etag is the entity tag of a revision.
func etag(revision uint64) string { return strconv.Quote(strconv.FormatUint(revision, 10)) }

// matches says whether a list of entity tags names a revision. Weak tags match
// for a reader only (RFC 9110, 13.1).
func matches(list string, revision uint64, weak bool) bool {
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.TrimSpace(tag)
		if weak {
			tag = strings.TrimPrefix(tag, "W/")
		}
		if tag == "*" || tag == etag(revision) {
			return true
		}
	}
	return false
}

func failedMatch(header, value string, revision uint64) error {
	now := "there is no such rule now"
	if revision != 0 {
		now = "the rule is at " + etag(revision) + " now: read it again"
	}
	return huma.Error412PreconditionFailed("the rule is not what "+header+" asks for: "+now,
		&huma.ErrorDetail{Location: "header." + header, Value: value, Message: now})
}
