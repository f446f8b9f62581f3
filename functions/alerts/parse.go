package alerts

import (
	"fmt"
	"strconv"
	"time"
)

// Limits of a condition. They keep what a rule costs, for each tick and in the
// saved state, in proportion to what a person can read.
const (
	MaxWhenBytes = 256                // of its text
	maxTests     = 8                  // joined by "and"
	minSpan      = time.Second        // of a change's window, and of a silence
	maxWindow    = 24 * time.Hour     // of a change
	maxStale     = 7 * 24 * time.Hour // of a silence
)

// parser reads one condition, a token ahead.
type parser struct {
	tokens []token
	at     int
}

// parseCondition reads the text of a condition. The error is a [*SyntaxError],
// or says what is wrong with the whole.
func parseCondition(s string) (*condition, error) {
	if len(s) > MaxWhenBytes {
		return nil, fmt.Errorf("it has %d bytes, the limit is %d", len(s), MaxWhenBytes)
	}
	p := &parser{tokens: lex(s)}
	c := &condition{}
	if p.take("stale") {
		var err error
		if c.stale, err = p.span("how long no tick has come, such as 30s", maxStale); err != nil {
			return nil, err
		}
		if p.peek().is("and") {
			return nil, p.expected("the end: stale is judged by the clock and stands alone")
		}
		return c, p.end()
	}
	for {
		t, err := p.test()
		if err != nil {
			return nil, err
		}
		if c.tests = append(c.tests, t); !p.take("and") {
			return c, p.end()
		}
		switch {
		case len(c.tests) == maxTests:
			return nil, p.expected(fmt.Sprintf("the end: a condition has %d tests at most", maxTests))
		case p.peek().is("stale"):
			return nil, p.expected("a quantity: stale is judged by the clock and stands alone")
		}
	}
}

// test reads `change ...` or `quantity relation operand`.
func (p *parser) test() (test, error) {
	if p.take("change") {
		return p.change()
	}
	left, err := p.quantity()
	if err != nil {
		return test{}, err
	}
	relation, err := p.relation()
	if err != nil {
		return test{}, err
	}
	column := p.peek().column
	right, err := p.operand()
	if err != nil {
		return test{}, err
	}
	t := test{left: left, relation: relation, right: right}
	return t, t.settle(column)
}

// settle gives a bare volume the interval of the average that it is compared
// with, and refuses what cannot be compared.
func (t *test) settle(column int) error {
	l, r := &t.left, &t.right
	refuse := func(expected string) error {
		return &SyntaxError{Column: column, Found: strconv.Quote(r.String()), Expected: expected}
	}
	if r.source == ofAverage && l.source == ofVolume {
		*l = candleOperand("volume", r.interval)
	}
	volume := func(o *operand) bool {
		return o.source == ofVolume || o.source == ofAverage || o.source == ofCandle && o.field == "volume"
	}
	switch {
	case r.source == ofNumber:
		return nil
	case (l.source == ofAverage || r.source == ofAverage) && (!volume(l) || !volume(r)):
		return refuse("what an average of volumes can be compared with: volume or a number")
	case (l.source == ofAverage || r.source == ofAverage) && l.interval != r.interval:
		return refuse("a quantity of the same interval as " + l.String())
	case l.name == r.name && r.factor == 1:
		return refuse("something else than what stands on the left")
	}
	return nil
}

// relationWords are the words and marks that stand for a relation.
var relationWords = map[string]relation{
	"above": above, "over": above, ">": above,
	"below": below, "under": below, "<": below,
	">=": atLeast, "<=": atMost,
}

func (p *parser) relation() (relation, error) {
	if p.take("crosses") {
		switch {
		case p.take("above"), p.take("over"):
			return crossesAbove, nil
		case p.take("below"), p.take("under"):
			return crossesBelow, nil
		}
		return crosses, nil
	}
	if r, ok := relationWords[p.peek().text]; ok {
		p.at++
		return r, nil
	}
	return 0, p.expectedWord("above, below, crosses, crosses above, crosses below, >, <, >= or <=",
		[]string{"above", "below", "over", "under", "crosses"})
}

// operand reads a number, or a quantity with an optional factor before it.
func (p *parser) operand() (operand, error) {
	t := p.peek()
	if t.kind != tokenNumber {
		return p.quantity()
	}
	p.at++
	times := t.unit == "x"
	if t.unit == "" {
		times = p.take("x")
	}
	switch {
	case !times && t.unit != "":
		p.at--
		return operand{}, p.expected("a number without a unit, or a factor such as 3x")
	case !times:
		return operand{source: ofNumber, factor: 1, number: t.number}, nil
	case t.number <= 0:
		p.at--
		return operand{}, p.expected("a factor above 0")
	}
	o, err := p.quantity()
	o.factor = t.number
	return o, err
}

// change reads what follows the word "change".
func (p *parser) change() (test, error) {
	o := operand{source: ofChange, factor: 1}
	switch {
	case p.take("up"):
		o.move = up
	case p.take("down"):
		o.move = down
	case p.take("either"):
	}
	if !p.take("over") && !p.take("above") && !p.take(">") {
		return test{}, p.expectedWord("up, down, either or over", []string{"up", "down", "either", "over"})
	}
	t := p.peek()
	if t.kind != tokenNumber || t.unit != "" || t.number <= 0 {
		return test{}, p.expected("a number of percent above 0, such as 5%")
	}
	p.at++
	if err := p.want("%"); err != nil {
		return test{}, err
	}
	if err := p.want("in"); err != nil {
		return test{}, err
	}
	var err error
	if o.window, err = p.span("the window of the change, such as 10m", maxWindow); err != nil {
		return test{}, err
	}
	o.name = "change" + directionText[o.move] + " in " + durationText(o.window)
	return test{left: o, relation: above, right: operand{source: ofNumber, factor: 1, number: t.number}}, nil
}

// span reads a duration from a second to most.
func (p *parser) span(what string, most time.Duration) (time.Duration, error) {
	t := p.peek()
	d, err := time.ParseDuration(t.text)
	if t.unit == "d" {
		d, err = time.Duration(t.number*24*float64(time.Hour)), nil
	}
	switch {
	case t.kind != tokenNumber || err != nil:
		return 0, p.expected(what)
	case d < minSpan || d > most:
		return 0, p.expected(fmt.Sprintf("%s, from %s to %s", what, durationText(minSpan), durationText(most)))
	}
	p.at++
	return d, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

// take steps over a word or mark if it stands here.
func (p *parser) take(text string) bool {
	if !p.peek().is(text) {
		return false
	}
	p.at++
	return true
}

// want steps over a word or mark that must stand here.
func (p *parser) want(text string) error {
	if !p.take(text) {
		return p.expected(strconv.Quote(text))
	}
	return nil
}

func (p *parser) end() error {
	if p.peek().kind == tokenEnd {
		return nil
	}
	return p.expectedWord(`"and" or the end`, []string{"and"})
}

func (p *parser) expected(what string) error {
	t := p.peek()
	return &SyntaxError{Column: t.column, Found: t.found(), Expected: what}
}

// expectedWord also guesses which word was meant.
func (p *parser) expectedWord(what string, words []string) error {
	if t := p.peek(); t.kind == tokenWord {
		if word := nearest(t.text, words); word != "" {
			what += fmt.Sprintf(" (did you mean %q?)", word)
		}
	}
	return p.expected(what)
}
