package alerts

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"streamflow"
	"streamflow/functions"
)

// occasion is what made a rule fire: a tick, the end of a candle, a silence.
type occasion struct {
	at    int64  // event time
	now   int64  // the same, but not ahead of when a tick was produced: for reckoning
	cause string // tells it from all other occasions of the rule and the symbol
}

// fire raises the alert of a rule, unless its time is over or it has fired not
// long ago. What happens meanwhile is not made up for: an alert says what has
// just become true.
func (s *state) fire(rule int, o occasion, out *functions.Output) {
	r, l := &s.plan.rules[rule], &s.latches[rule]
	switch {
	case !r.Rule.Expires.IsZero() && o.now >= nanos(r.Rule.Expires):
		out.Count("expired", 1)
		return
	case r.cooldown > 0 && l.fired != 0 && o.now-int64(r.cooldown) < l.fired:
		out.Count("cooling_down", 1)
		return
	}
	l.fired = o.now
	s.raised = append(s.raised, streamflow.Alert{
		ID: alertID(r.Rule.ID, s.symbol, o.cause), Rule: r.Rule.ID, Name: r.Rule.Name, Symbol: s.symbol, When: r.Rule.When,
		Severity: r.Rule.Severity, Time: time.Unix(0, o.at).UTC(), Price: s.price, Values: s.compared(r), Text: s.sentence(r), Position: s.last.String(),
	})
}

// alertID is the same whenever the same rule fires for the same symbol on the
// same occasion. It is a hash because symbols hold characters that paths,
// headers and subjects do not.
func alertID(rule, symbol, cause string) string {
	sum := sha256.Sum256([]byte(rule + "\x00" + symbol + "\x00" + cause))
	return hex.EncodeToString(sum[:16])
}

// compared returns the numbers that were, by name.
func (s *state) compared(r *planned) map[string]float64 {
	values := make(map[string]float64)
	if stale := r.condition.stale; stale > 0 {
		values["silent_seconds"] = stale.Seconds()
	}
	for i := range r.tests {
		t := &r.tests[i]
		values[t.left.name] = s.values[t.shown]
		if t.r >= 0 {
			values[t.right.name] = s.values[t.r]
		}
	}
	return values
}

// sentence says for a person what happened.
func (s *state) sentence(r *planned) string {
	if stale := r.condition.stale; stale > 0 {
		return s.symbol + ": no tick for " + durationText(stale) + "."
	}
	parts := make([]string, len(r.tests))
	for i := range r.tests {
		parts[i] = r.tests[i].sentence(s.values)
	}
	return s.symbol + ": " + strings.Join(parts, ", and ") + "."
}

// relationVerbs stand between what was compared.
var relationVerbs = [...]string{"is above", "is below", "is at or above", "is at or below", "", "crossed above", "crossed below"}

func (t *plannedTest) sentence(values []float64) string {
	left, right := t.figures(values)
	if t.left.source == ofChange {
		verb := "rose"
		if values[t.shown] < 0 {
			verb = "fell"
		}
		price := operand{source: ofPrice}.figure(values[slotPrice], 0)
		return "price " + verb + " by " + left + "% within " + durationText(t.left.window) + " to " + price + ", more than " + right + "%"
	}
	verb := relationVerbs[t.relation]
	if t.relation == crosses {
		verb = relationVerbs[crossesAbove]
		if t.distance(values) < 0 {
			verb = relationVerbs[crossesBelow]
		}
	}
	s := t.left.name + " " + left + " " + verb + " " + t.right.String()
	if t.r >= 0 {
		s += " (" + right + ")"
	}
	return s
}
