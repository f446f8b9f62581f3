package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"streamflow"
	"streamflow/api"
	"streamflow/functions/alerts"
	"streamflow/functions/fleet"
	"streamflow/functions/formula"
	"streamflow/functions/indicators"
	"streamflow/infra/postgres"
)

// market joins what the API shows of candles, indicators, rules and alerts.
func market(db *postgres.DB, rules ruleBucket) api.Market {
	return api.Market{Candles: candleTable{db}, Alerts: alertTable{db}, Rules: ruleBook{rules}, Formulas: formulas{}}
}

// candleTable gives the database's queries the form that the API asks for.
type candleTable struct{ db *postgres.DB }

// Candles implements [api.Candles].
func (t candleTable) Candles(ctx context.Context, q api.CandlesQuery) ([]streamflow.Candle, error) {
	return t.db.Candles(ctx, postgres.CandlesQuery{
		Symbol: q.Symbol, Interval: q.Interval, From: q.From, To: q.To, Limit: q.Limit, After: q.After, OldestFirst: !q.Descending,
	})
}

// alertTable does so for alerts.
type alertTable struct{ db *postgres.DB }

// Alerts implements [api.Alerts].
func (t alertTable) Alerts(ctx context.Context, q api.AlertsQuery) ([]api.StoredAlert, error) {
	query := postgres.AlertsQuery{
		Symbol: q.Symbol, Rule: q.Rule, Severity: q.Severity, Acknowledged: q.Acknowledged, From: q.From, To: q.To, Limit: q.Limit,
	}
	if q.After != nil {
		query.After = &postgres.AlertCursor{Time: q.After.Time, ID: q.After.ID}
	}
	found, err := t.db.Alerts(ctx, query)
	return storedAlerts(found), err
}

// Acknowledge implements [api.Alerts].
func (t alertTable) Acknowledge(ctx context.Context, ids []string, by string) ([]api.StoredAlert, error) {
	found, err := t.db.Acknowledge(ctx, ids, by)
	return storedAlerts(found), err
}

func storedAlerts(found []postgres.StoredAlert) []api.StoredAlert {
	alerts := make([]api.StoredAlert, len(found))
	for i, a := range found {
		alerts[i] = api.StoredAlert{Alert: a.Alert, Acknowledged: a.Acknowledged, AcknowledgedBy: a.AcknowledgedBy}
	}
	return alerts
}

// formulas are those of the function indicators.
type formulas struct{}

// Formulas implements [api.Formulas].
func (formulas) Formulas() []api.Formula {
	all := []api.Formula{}
	for _, k := range formula.Kinds() {
		spec, err := formula.ParseSpec(k.Default())
		if err != nil {
			continue // a test of that room shows that it cannot be
		}
		f := api.Formula{
			Name: k.Name, Title: k.Title, Spec: spec.String(), Text: k.Formula, Params: []api.FormulaParam{},
			Names: spec.Names(), Unit: k.Unit, WarmUp: spec.WarmUp(), Source: k.Source,
		}
		for _, p := range k.Params {
			f.Params = append(f.Params, api.FormulaParam{Name: p.Name, Default: p.Default, Min: p.Min, Max: p.Max, Whole: p.Whole})
		}
		all = append(all, f)
	}
	return all
}

// What averages without end need until they have forgotten where they began:
// after 20 times their length less than a hundred-millionth of it is left. The
// longest ones get as much as is read at once.
const (
	settleTimes = 20
	maxSettle   = 5000
)

// Plan implements [api.Formulas].
func (formulas) Plan(specs []string) (api.FormulaPlan, error) {
	read, err := formula.ParseSpecs(specs)
	if err != nil {
		return api.FormulaPlan{}, err
	}
	p := api.FormulaPlan{WarmUp: read.WarmUp()}
	for _, s := range read {
		p.Names = append(p.Names, s.Names()...)
		switch s.Kind().Name {
		case "ema", "rsi", "macd", "atr", "adx", "trend":
			p.Settle = max(p.Settle, min(settleTimes*s.WarmUp(), maxSettle))
		case "vwap":
			p.Daily = true
		}
	}
	return p, nil
}

// Compute implements [api.Formulas].
func (formulas) Compute(specs []string, candles []streamflow.Candle) ([]streamflow.Indicators, error) {
	return indicators.Compute(specs, candles)
}

// ruleBook is the bucket of rules, and the function that reads them.
type ruleBook struct{ bucket ruleBucket }

// ruleBucket is what that takes beside what functions need of a bucket.
type ruleBucket interface {
	fleet.Bucket
	// Remove removes a key that is still at revision, else [streamflow.ErrFenced].
	Remove(ctx context.Context, key string, revision uint64) error
}

// Rules implements [api.Rules].
func (b ruleBook) Rules(ctx context.Context) ([]api.KeptRule, error) {
	all, err := read(ctx, b.bucket)
	if err != nil {
		return nil, err
	}
	rules := make([]api.KeptRule, 0, len(all))
	for id, t := range all {
		if t.value != nil {
			rules = append(rules, keptRule(id, t))
		}
	}
	return rules, nil
}

// keptRule reads a value of the bucket. One that somebody has put there who did
// not check it is shown by its ID: it can be replaced and removed.
func keptRule(id string, t told) api.KeptRule {
	k := api.KeptRule{Revision: t.revision}
	if err := json.Unmarshal(t.value, &k.Rule); err != nil {
		k.Rule = streamflow.Rule{Name: "not a rule: " + clip(err.Error(), 100)}
	}
	k.ID = id
	return k
}

// Rule implements [api.Rules].
func (b ruleBook) Rule(ctx context.Context, id string) (api.KeptRule, bool, error) {
	all, err := read(ctx, b.bucket)
	if t := all[id]; err == nil && t.value != nil {
		return keptRule(id, t), true, nil
	}
	return api.KeptRule{}, false, err
}

// Put implements [api.Rules].
func (b ruleBook) Put(ctx context.Context, rule streamflow.Rule, revision uint64) (uint64, error) {
	data, err := json.Marshal(rule)
	if err != nil {
		return 0, err
	}
	return b.bucket.Update(ctx, rule.ID, data, revision)
}

// Delete implements [api.Rules].
func (b ruleBook) Delete(ctx context.Context, id string, revision uint64) error {
	return b.bucket.Remove(ctx, id, revision)
}

// Read implements [api.Rules].
func (ruleBook) Read(rule streamflow.Rule) (api.RuleMeaning, error) {
	checked, err := alerts.Parse(rule)
	if err != nil {
		return api.RuleMeaning{}, ruleFault(err)
	}
	return api.RuleMeaning{Condition: checked.Condition(), Judged: checked.Judged()}, nil
}

func ruleFault(err error) *api.RuleFault {
	var field *alerts.FieldError
	var syntax *alerts.SyntaxError
	if !errors.As(err, &field) {
		return &api.RuleFault{Field: "when", Message: err.Error()}
	}
	f := &api.RuleFault{Field: field.Field, Message: field.Err.Error()}
	if errors.As(err, &syntax) {
		f.Column = syntax.Column
	}
	return f
}

// Test implements [api.Rules], with the settings that the function has unless
// it is given others.
func (ruleBook) Test(rule streamflow.Rule, ticks iter.Seq2[streamflow.Mirrored, error], until time.Time) iter.Seq2[streamflow.Alert, error] {
	return func(yield func(streamflow.Alert, error) bool) {
		for a, err := range alerts.Backtest(rule, nil, ticks, until) {
			if err != nil {
				err = fmt.Errorf("test of rule %s: %w", rule.ID, err)
			}
			if !yield(a, err) {
				return
			}
		}
	}
}
