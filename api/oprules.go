package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// Rule says when an alert is to be raised.
type Rule struct {
	ID         string              `json:"id,omitempty" maxLength:"64" pattern:"^[a-z0-9_-]*$" example:"aapl-breakout" doc:"Its name, 1 to 64 of a-z 0-9 - _; a new rule without one gets one"`
	Name       string              `json:"name,omitempty" maxLength:"200" example:"Apple breaks out" doc:"For people"`
	Symbol     string              `json:"symbol" maxLength:"32" example:"AAPL" doc:"One symbol, or * for each by itself"`
	When       string              `json:"when" maxLength:"256" example:"price crosses above 200" doc:"The condition; docs/alerts.md has the grammar"`
	Severity   streamflow.Severity `json:"severity,omitempty" enum:"info,warning,critical" default:"info" example:"warning" doc:"How much it matters"`
	Cooldown   string              `json:"cooldown,omitempty" maxLength:"32" example:"5m" doc:"How long it is silent for a symbol after it fired"`
	Hysteresis float64             `json:"hysteresis,omitempty" minimum:"0" example:"0.5" doc:"How far the value must go back over the bound before it may fire again"`
	Expires    time.Time           `json:"expires,omitzero" example:"2026-01-01T00:00:00Z" doc:"From this event time on it does not fire"`
	Disabled   bool                `json:"disabled,omitempty" example:"false" doc:"It is kept, and not judged"`
	Created    time.Time           `json:"created,omitzero" readOnly:"true" example:"2025-11-21T14:30:00Z" doc:"When it was made"`
	Updated    time.Time           `json:"updated,omitzero" readOnly:"true" example:"2025-11-21T14:30:00Z" doc:"When it was last changed"`
}

// RuleView is a rule with what is known of it.
type RuleView struct {
	Rule
	Revision  uint64 `json:"revision" required:"false" readOnly:"true" example:"17" doc:"Its revision, which is its ETag too; always there in an answer"`
	Condition string `json:"condition,omitempty" readOnly:"true" example:"price crosses above 200" doc:"The condition as it is understood"`
	Judged    string `json:"judged,omitempty" readOnly:"true" example:"on each tick" doc:"When the condition is judged"`
	Fault     string `json:"fault,omitempty" readOnly:"true" example:"when: column 7: found \"abov\", expected above" doc:"Why it is left out, if it came into the bucket another way and is no good"`
}

// RulePage is the answer of GET /api/rules.
type RulePage struct {
	Rules []RuleView `json:"rules" nullable:"false" doc:"Rules by ID"`
	Next  *string    `json:"next" nullable:"true" example:"YWFwbC1icmVha291dA" doc:"Cursor of the next page; null if this is the last"`
}

// RuleID names a rule in a path.
type RuleID struct {
	ID string `path:"id" maxLength:"64" pattern:"^[a-z0-9_-]+$" example:"aapl-breakout" doc:"ID of the rule"`
}

// RulesInput asks for a page of rules.
type RulesInput struct {
	Symbol string `query:"symbol" maxLength:"32" example:"AAPL" doc:"Of this symbol only; * are those for each"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" example:"100" doc:"At most so many rules"`
	Cursor string `query:"cursor" maxLength:"200" doc:"Go on where a page ended: its \"next\""`
}

// RuleGet asks for one rule.
type RuleGet struct {
	RuleID
	IfNoneMatch string `header:"If-None-Match" maxLength:"200" example:"\"16\"" doc:"Answer 304 if the rule still has this ETag"`
}

// RuleOutput is a rule with its ETag.
type RuleOutput struct {
	ETag string `header:"ETag" doc:"Revision of the rule, for If-Match"`
	Body RuleView
}

// RuleCreate makes a rule.
type RuleCreate struct{ Body RuleView }

// RuleCreated is a new rule.
type RuleCreated struct {
	Location string `header:"Location" doc:"Where the rule is"`
	ETag     string `header:"ETag" doc:"Revision of the rule, for If-Match"`
	Body     RuleView
}

// RulePut makes or replaces a rule.
type RulePut struct {
	RuleID
	IfMatch     string `header:"If-Match" maxLength:"200" example:"\"17\"" doc:"Only if the rule still has this ETag; * is any, so that none is made"`
	IfNoneMatch string `header:"If-None-Match" enum:"*" example:"*" doc:"*: only if there is no such rule yet"`
	Body        RuleView
}

// RuleDelete removes a rule.
type RuleDelete struct {
	RuleID
	IfMatch string `header:"If-Match" maxLength:"200" example:"\"17\"" doc:"Only if the rule still has this ETag"`
}

func (s *Server) registerRules(api huma.API) {
	type page struct{ Body RulePage }
	huma.Register(api, get("list-rules", "/api/rules", "rules", "Rules", "The rules of alerts, by ID.", errorsOfQueries...),
		func(ctx context.Context, in *RulesInput) (*page, error) {
			p, err := s.rulePage(ctx, in)
			if err != nil {
				return nil, err
			}
			return &page{*p}, nil
		})
	huma.Register(api, get("get-rule", "/api/rules/{id}", "rules", "One rule", "One rule and its revision.",
		append([]int{http.StatusNotModified, http.StatusNotFound}, errorsOfQueries...)...), s.getRule)
	create := write(http.MethodPost, "create-rule", "/api/rules", "rules", "Make a rule",
		"Stores a new rule. It holds as soon as the function alerts has taken it up, which takes a moment.",
		append([]int{http.StatusConflict}, errorsOfQueries...)...)
	create.DefaultStatus = http.StatusCreated
	huma.Register(api, create, s.createRule)
	put := write(http.MethodPut, "put-rule", "/api/rules/{id}", "rules", "Make or replace a rule",
		"Stores a rule under its ID. With If-Match, only over the revision that was read, so that nobody's change is lost.",
		append([]int{http.StatusPreconditionFailed}, errorsOfQueries...)...)
	huma.Register(api, put, s.putRule)
	describeFaults(api, create)
	describeFaults(api, put)
	remove := get("delete-rule", "/api/rules/{id}", "rules", "Remove a rule", "Removes a rule; its alerts stay.",
		append([]int{http.StatusNotFound, http.StatusPreconditionFailed}, errorsOfQueries...)...)
	remove.Method = http.MethodDelete
	huma.Register(api, remove, s.deleteRule)
}
