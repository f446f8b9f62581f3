package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"streamflow"
)

// fakeMarket is the tables and the bucket in memory.
type fakeMarket struct {
	mu       sync.Mutex
	candles  []streamflow.Candle
	alerts   []StoredAlert
	rules    map[string]KeptRule
	revision uint64
	newest   map[string][]byte
	queries  []CandlesQuery
	err      error
	wait     bool   // until the query's context ends
	race     func() // called once, between the reading and the writing of a rule
	tests    []streamflow.Rule
}

func newFakeMarket() *fakeMarket {
	return &fakeMarket{rules: map[string]KeptRule{}, newest: map[string][]byte{}}
}

// market joins f to a server.
func (f *fakeMarket) market() Market {
	return Market{Candles: fakeCandles{f}, Alerts: fakeAlerts{f}, Rules: fakeRules{f}, Formulas: fakeFormulas{}, Newest: f}
}

func (f *fakeMarket) Newest(subject string) ([]byte, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, ok := f.newest[subject]
	return data, ok
}

// fault waits or fails if that was asked for.
func (f *fakeMarket) fault(ctx context.Context) error {
	if f.wait {
		<-ctx.Done()
		return errors.New("canceling statement due to user request")
	}
	return f.err
}

type fakeCandles struct{ *fakeMarket }

func (f fakeCandles) Candles(ctx context.Context, q CandlesQuery) ([]streamflow.Candle, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queries = append(f.queries, q)
	if err := f.fault(ctx); err != nil {
		return nil, err
	}
	sign := 1
	if q.Descending {
		sign = -1
	}
	var found []streamflow.Candle
	for _, c := range f.candles {
		if c.Symbol == q.Symbol && c.Interval == q.Interval && !c.Start.Before(q.From) && (q.To.IsZero() || c.Start.Before(q.To)) &&
			(q.After.IsZero() || c.Start.Compare(q.After) == sign) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b streamflow.Candle) int { return sign * a.Start.Compare(b.Start) })
	return found[:min(len(found), q.Limit)], nil
}

type fakeAlerts struct{ *fakeMarket }

func (f fakeAlerts) Alerts(ctx context.Context, q AlertsQuery) ([]StoredAlert, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []StoredAlert
	for _, a := range f.alerts {
		after := q.After == nil || cmp.Or(a.Time.Compare(q.After.Time), cmp.Compare(a.ID, q.After.ID)) < 0
		if after && (q.Symbol == "" || q.Symbol == a.Symbol) && (q.Rule == "" || q.Rule == a.Rule) && (q.Severity == "" || q.Severity == a.Severity) &&
			(q.Acknowledged == nil || *q.Acknowledged == !a.Acknowledged.IsZero()) &&
			!a.Time.Before(q.From) && (q.To.IsZero() || a.Time.Before(q.To)) {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, func(a, b StoredAlert) int { return -cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	return found[:min(len(found), q.Limit)], f.fault(ctx)
}

func (f fakeAlerts) Acknowledge(ctx context.Context, ids []string, by string) ([]StoredAlert, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []StoredAlert
	for i := range f.alerts {
		if a := &f.alerts[i]; slices.Contains(ids, a.ID) {
			if a.Acknowledged.IsZero() {
				a.Acknowledged, a.AcknowledgedBy = time.Now().UTC(), by
			}
			found = append(found, *a)
		}
	}
	return found, f.fault(ctx)
}

type fakeRules struct{ *fakeMarket }

func (f fakeRules) Rules(ctx context.Context) ([]KeptRule, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []KeptRule
	for _, k := range f.rules {
		all = append(all, k)
	}
	return all, f.fault(ctx)
}

func (f fakeRules) Rule(ctx context.Context, id string) (KeptRule, bool, error) {
	f.mu.Lock()
	k, ok := f.rules[id]
	race := f.race
	f.race = nil
	err := f.fault(ctx)
	f.mu.Unlock()
	if race != nil {
		race()
	}
	return k, ok, err
}

func (f fakeRules) Put(_ context.Context, rule streamflow.Rule, revision uint64) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rules[rule.ID].Revision != revision {
		return 0, fmt.Errorf("bucket: %w", streamflow.ErrFenced)
	}
	f.revision++
	f.rules[rule.ID] = KeptRule{rule, f.revision}
	return f.revision, nil
}

func (f fakeRules) Delete(_ context.Context, id string, revision uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rules[id].Revision != revision {
		return fmt.Errorf("bucket: %w", streamflow.ErrFenced)
	}
	f.revision++
	delete(f.rules, id)
	return nil
}

// Read knows one condition, "price above N".
func (fakeRules) Read(rule streamflow.Rule) (RuleMeaning, error) {
	if rule.ID == "" || rule.Symbol == "" {
		return RuleMeaning{}, &RuleFault{Field: "id", Message: "want an id"}
	}
	var n float64
	if _, err := fmt.Sscanf(rule.When, "price above %g", &n); err != nil {
		return RuleMeaning{}, &RuleFault{Field: "when", Column: 7, Message: `column 7: found "abov", expected above`}
	}
	return RuleMeaning{Condition: strings.ToLower(rule.When), Judged: "on each tick"}, nil
}

// Test raises an alert for each tick above the bound.
func (f fakeRules) Test(rule streamflow.Rule, ticks iter.Seq2[streamflow.Mirrored, error], until time.Time) iter.Seq2[streamflow.Alert, error] {
	f.mu.Lock()
	f.tests = append(f.tests, rule)
	f.mu.Unlock()
	return func(yield func(streamflow.Alert, error) bool) {
		var n float64
		_, _ = fmt.Sscanf(rule.When, "price above %g", &n)
		for m, err := range ticks {
			if err != nil {
				yield(streamflow.Alert{}, fmt.Errorf("ticks: %w", err))
				return
			}
			if m.Tick.Price > n && !yield(streamflow.Alert{ID: m.Position.String(), Rule: rule.ID, Symbol: m.Tick.Symbol, Time: m.Tick.Time, Severity: "info"}, nil) {
				return
			}
		}
	}
}

// fakeFormulas knows sma(n).
type fakeFormulas struct{}

func (fakeFormulas) Formulas() []Formula {
	return []Formula{{Name: "sma", Spec: "sma(20)", Params: []FormulaParam{{Name: "n", Default: 20, Min: 1, Max: 1000, Whole: true}}, Names: []string{"sma_20"}, WarmUp: 20}}
}

func (fakeFormulas) Plan(specs []string) (FormulaPlan, error) {
	p := FormulaPlan{Names: []string{}}
	for _, s := range specs {
		n := 0
		if _, err := fmt.Sscanf(s, "sma(%d)", &n); err != nil || n < 1 || n > 1000 {
			return p, fmt.Errorf("indicator %q: there is no such", s)
		}
		p.Names, p.WarmUp = append(p.Names, fmt.Sprintf("sma_%d", n)), max(p.WarmUp, n)
	}
	return p, nil
}

func (f fakeFormulas) Compute(specs []string, candles []streamflow.Candle) ([]streamflow.Indicators, error) {
	p, err := f.Plan(specs)
	if err != nil {
		return nil, err
	}
	var all []streamflow.Indicators
	for i, c := range candles {
		x := streamflow.Indicators{Symbol: c.Symbol, Interval: c.Interval, Time: c.Start, Price: c.Close}
		for _, name := range p.Names {
			n, sum := 0, 0.0
			_, _ = fmt.Sscanf(name, "sma_%d", &n)
			if i+1 < n {
				continue
			}
			for _, d := range candles[i+1-n : i+1] {
				sum += d.Close
			}
			x.Values = append(x.Values, streamflow.Value{Name: name, Value: sum / float64(n)})
		}
		if len(x.Values) > 0 {
			all = append(all, x)
		}
	}
	return all, nil
}

var epoch = time.Date(2025, 11, 21, 12, 0, 0, 0, time.UTC)

// candle makes the n-th candle of a symbol after the epoch.
func candle(symbol string, i streamflow.Interval, n int, price float64) streamflow.Candle {
	return streamflow.Candle{
		Symbol: symbol, Interval: i, Start: epoch.Add(time.Duration(n) * i.Duration()), Open: price, High: price + 1, Low: price - 1, Close: price,
		Volume: 10, Trades: 3, VWAP: price, Closed: true, Last: streamflow.Position{Topic: streamflow.TopicTicks},
	}
}

func (f *fakeMarket) put(candles ...streamflow.Candle) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.candles = append(f.candles, candles...)
}

// show makes c the newest on its subject.
func (f *fakeMarket) show(c streamflow.Candle) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.newest[streamflow.CandleSubject(c.Interval, c.Symbol)] = c.AppendJSON(nil)
}

// storeFunc asks fn before each query of ticks.
type storeFunc struct {
	Store
	fn func(TicksQuery) error
}

func (s storeFunc) Ticks(ctx context.Context, q TicksQuery) ([]streamflow.Mirrored, error) {
	if err := cmp.Or(s.fn(q), ctx.Err()); err != nil {
		return nil, err
	}
	return s.Store.Ticks(ctx, q)
}

// endless is a table without an end.
type endless struct {
	Store
	row   streamflow.Mirrored
	asked chan<- struct{}
}

func (s endless) Ticks(ctx context.Context, q TicksQuery) ([]streamflow.Mirrored, error) {
	s.asked <- struct{}{}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rows := make([]streamflow.Mirrored, q.Limit)
	for i := range rows {
		rows[i] = s.row
	}
	return rows, nil
}
