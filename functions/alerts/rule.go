package alerts

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"streamflow"
)

// AllSymbols is the symbol of a rule that holds for each symbol by itself.
const AllSymbols = "*"

const (
	maxIDBytes   = 64
	maxNameBytes = 200
	maxCooldown  = 30 * 24 * time.Hour
)

// Checked is a rule that was read and found right.
type Checked struct {
	Rule      streamflow.Rule
	condition *condition
	cooldown  time.Duration
	hash      uint64 // of the condition
}

// Condition returns the condition in its canonical form.
func (c *Checked) Condition() string { return c.condition.String() }

// Judged says when the condition is judged: "on each tick", "when a 1m candle
// closes", "by the clock".
func (c *Checked) Judged() string {
	switch {
	case c.condition.stale > 0:
		return "by the clock"
	case c.condition.onTicks():
		return "on each tick"
	}
	var names []string
	for _, i := range streamflow.Intervals {
		if c.condition.closes(i) {
			names = append(names, string(i))
		}
	}
	return "when a " + list(names) + " candle closes"
}

// closes says whether the condition names candles of an interval.
func (c *condition) closes(i streamflow.Interval) bool {
	for _, t := range c.tests {
		if t.left.interval == i || t.right.interval == i {
			return true
		}
	}
	return false
}

// Parse reads a rule where it is written. The error, a [*FieldError], says which
// field is wrong, and of a condition what was found, where, and what was expected.
func Parse(rule streamflow.Rule) (*Checked, error) {
	c := &Checked{Rule: rule}
	c.Rule.Severity = cmp.Or(rule.Severity, streamflow.SeverityInfo)
	refuse := func(field string, err error) (*Checked, error) {
		return nil, &FieldError{Rule: rule.ID, Field: field, Err: err}
	}
	var err error
	switch {
	case !validID(rule.ID):
		return refuse("id", fmt.Errorf("want 1 to %d of a-z 0-9 - _", maxIDBytes))
	case len(rule.Name) > maxNameBytes:
		return refuse("name", fmt.Errorf("it has %d bytes, the limit is %d", len(rule.Name), maxNameBytes))
	case rule.Symbol != AllSymbols && !streamflow.ValidSymbol(rule.Symbol):
		return refuse("symbol", fmt.Errorf("%.40q is no symbol; want one such as AAPL, or * for each", rule.Symbol))
	case c.Rule.Severity != streamflow.SeverityInfo && c.Rule.Severity != streamflow.SeverityWarning && c.Rule.Severity != streamflow.SeverityCritical:
		return refuse("severity", fmt.Errorf("%.40q: want info, warning or critical", rule.Severity))
	}
	if c.cooldown, err = parseCooldown(rule.Cooldown); err != nil {
		return refuse("cooldown", err)
	}
	if c.condition, err = parseCondition(rule.When); err != nil {
		return refuse("when", err)
	}
	if err := checkHysteresis(rule.Hysteresis, c.condition); err != nil {
		return refuse("hysteresis", err)
	}
	c.hash = c.condition.hash()
	return c, nil
}

func validID(s string) bool {
	return s != "" && len(s) <= maxIDBytes && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func parseCooldown(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > maxCooldown {
		return 0, fmt.Errorf("%.40q: want a duration such as 30s, 5m or 1h, up to %s", s, durationText(maxCooldown))
	}
	return d, nil
}

// checkHysteresis refuses what could never re-arm a rule, or means nothing.
func checkHysteresis(h float64, c *condition) error {
	switch {
	case math.IsNaN(h) || math.IsInf(h, 0) || h < 0:
		return errors.New("want a number from 0, in units of what is compared")
	case h > 0 && c.stale > 0:
		return errors.New("stale compares nothing, so it has none")
	case h > 0 && len(c.tests) > 1:
		return errors.New("tests joined by \"and\" have no unit in common, so there is none")
	case h > 0 && c.tests[0].left.source == ofChange && h > c.tests[0].right.number:
		return fmt.Errorf("%s%% would never re-arm %q: want %s at most", numberText(h), c, numberText(c.tests[0].right.number))
	}
	return nil
}
