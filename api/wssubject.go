package api

import (
	"fmt"
	"slices"
	"strings"

	"streamflow"
)

// roots are the subjects that a client may subscribe, by their first token.
var roots = []string{"ticks"}

// accepted ends every message about a bad subject.
const accepted = `accepted are "ticks.<SYMBOL>" (ticks.AAPL), "ticks.*", "ticks.>" and ">"`

// pattern is a checked subscription: a subject with the wildcards of NATS, "*"
// for one token and ">" for all that follow.
type pattern struct {
	text   string
	tokens []string
	wild   bool
}

// parsePattern checks what a client wants. The error names the fault and what
// is accepted.
func parsePattern(s string) (pattern, error) {
	p := pattern{text: s, tokens: strings.Split(s, ".")}
	for i, t := range p.tokens {
		switch {
		case t == "":
			return p, fmt.Errorf("subject %.80q: a token between the dots is empty; %s", s, accepted)
		case t == ">" && i != len(p.tokens)-1:
			return p, fmt.Errorf("subject %.80q: \">\" may stand at the end only; %s", s, accepted)
		case t == ">" || t == "*":
			p.wild = true
		case strings.ContainsAny(t, "*>"):
			return p, fmt.Errorf("subject %.80q: a wildcard must be a whole token, not a part of %.40q; %s", s, t, accepted)
		}
	}
	return p, p.check()
}

// check holds p against the subjects that exist.
func (p pattern) check() error {
	root := p.tokens[0]
	if root == ">" {
		return nil
	}
	if !slices.Contains(roots, root) {
		return fmt.Errorf("subject %.80q: %.40q is not a kind of subject; %s", p.text, root, accepted)
	}
	if len(p.tokens) == 1 {
		return fmt.Errorf("subject %.80q: a symbol or a wildcard must follow; %s", p.text, accepted)
	}
	if len(p.tokens) > 2 {
		return fmt.Errorf("subject %.80q: too many tokens%s; %s", p.text, p.hint(), accepted)
	}
	if t := p.tokens[1]; t != "*" && t != ">" {
		symbol, err := streamflow.ParseToken(t)
		if err != nil || !streamflow.ValidSymbol(symbol) {
			return fmt.Errorf("subject %.80q: %.40q is not a symbol%s; %s", p.text, t, p.hint(), accepted)
		}
	}
	return nil
}

// hint suggests the encoded form of a symbol that was written bare.
func (p pattern) hint() string {
	_, symbol, _ := strings.Cut(p.text, ".")
	if p.wild || !streamflow.ValidSymbol(symbol) {
		return ""
	}
	return fmt.Sprintf(" (the symbol %s is written %s)", symbol, streamflow.TickSubject(symbol))
}

// matches reports whether p takes in a subject.
func (p pattern) matches(subject string) bool {
	if !p.wild {
		return p.text == subject
	}
	for i, t := range p.tokens {
		if t == ">" {
			return subject != ""
		}
		token, rest, more := strings.Cut(subject, ".")
		if t != "*" && t != token {
			return false
		}
		if i == len(p.tokens)-1 {
			return !more
		}
		if !more {
			return false
		}
		subject = rest
	}
	return false
}
