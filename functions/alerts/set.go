package alerts

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"streamflow"
	"streamflow/functions"
)

// maxRules is how many rules may concern one symbol: if all of them fire at one
// tick, their alerts still fit into one atomic write.
const maxRules = functions.MaxFacts

// set is all rules, by the symbols that they concern.
type set struct {
	all      []*Checked            // the rules for "*"
	bySymbol map[string][]*Checked // the others
	common   *plan                 // of all
	params   settings
	mu       sync.Mutex // shards of one process share the plans
	plans    map[string]*plan
}

// newSet sorts rules. What is wrong with one is reported and leaves it out.
func newSet(rules []streamflow.Rule, params settings) (*set, []error) {
	s := &set{bySymbol: make(map[string][]*Checked), params: params, plans: make(map[string]*plan)}
	var errs []error
	seen := make(map[string]bool)
	for _, r := range slices.SortedFunc(slices.Values(rules), func(a, b streamflow.Rule) int { return cmp.Compare(a.ID, b.ID) }) {
		if r.Disabled {
			continue
		}
		c, err := Parse(r)
		if err == nil && seen[r.ID] {
			err = &FieldError{Rule: r.ID, Field: "id", Err: fmt.Errorf("there is another rule of this name")}
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		seen[r.ID] = true
		if err := s.add(c); err != nil {
			errs = append(errs, err)
		}
	}
	s.common = newPlan(s.all)
	return s, errs
}

// add files a rule, unless one symbol would have too many.
func (s *set) add(c *Checked) error {
	most := len(s.all)
	if c.Rule.Symbol == AllSymbols {
		for _, own := range s.bySymbol {
			most = max(most, len(s.all)+len(own))
		}
	} else {
		most += len(s.bySymbol[c.Rule.Symbol])
	}
	switch {
	case most >= maxRules:
		return &FieldError{Rule: c.Rule.ID, Field: "symbol", Err: fmt.Errorf("%s has %d rules already, which is the limit", c.Rule.Symbol, maxRules)}
	case c.Rule.Symbol == AllSymbols:
		s.all = append(s.all, c)
	default:
		s.bySymbol[c.Rule.Symbol] = append(s.bySymbol[c.Rule.Symbol], c)
	}
	return nil
}

// concerns says whether any rule does. It is asked for each tick.
func (s *set) concerns(symbol string) bool {
	return len(s.all) > 0 || len(s.bySymbol) > 0 && len(s.bySymbol[symbol]) > 0
}

// plan returns the plan of a symbol. One is made when the symbol is first seen:
// most rules of most systems name symbols of which no tick comes.
func (s *set) plan(symbol string) *plan {
	own := s.bySymbol[symbol]
	if len(own) == 0 {
		return s.common
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.plans[symbol]
	if p == nil {
		rules := slices.Concat(s.all, own)
		slices.SortFunc(rules, func(a, b *Checked) int { return cmp.Compare(a.Rule.ID, b.Rule.ID) })
		p = newPlan(rules)
		s.plans[symbol] = p
	}
	return p
}

// version is that of the saved state. It does not depend on the rules: what
// belongs to which is told by what is saved.
const version = "1"

// New makes the function from all rules of the bucket. The errors say which
// rules are left out and why: one that is malformed never stops the others.
// params are the function's settings as JSON, see [Settings]; what is wrong with
// them is an error too, and the defaults hold.
func New(rules []streamflow.Rule, params []byte) (*functions.Function, []error) {
	p, err := parseSettings(params)
	s, errs := newSet(rules, p)
	if err != nil {
		errs = append([]error{err}, errs...)
	}
	return functions.Func[state]{
		Name: streamflow.FunctionAlerts, Does: "raises alerts by the rules of bucket rules",
		Writes: streamflow.StreamAlerts, Version: version,
		Key: func(in *functions.Input) string {
			if !s.concerns(in.Tick.Symbol) {
				return ""
			}
			return in.Tick.Symbol
		},
		New: func(symbol string) state { return newState(s, symbol) },
		Step: func(st *state, in *functions.Input, out *functions.Output) error {
			return st.step(in, out)
		},
		Wake: func(st *state) time.Time { return st.wake() },
	}.Build(), errs
}
