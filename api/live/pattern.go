package live

import (
	"fmt"
	"strings"

	"streamflow"
)

// accepted ends every message about a bad subject.
var accepted = func() string {
	var forms []string
	for _, k := range kinds {
		forms = append(forms, k.form)
	}
	return "accepted are " + strings.Join(forms, ", ") + `, with "*" for a token and ">" for all that follow`
}()

// pattern is a checked subscription: a subject with the wildcards of NATS, "*"
// for one token and ">" for all that follow.
type pattern struct {
	text   string
	tokens []string
	wild   bool
	kinds  uint16 // a bit for each kind of which it can take in a subject
}

// maxTokens is more than any subject has.
const maxTokens = 4

// parsePattern checks what a client wants. The error names the fault and what
// is accepted.
func parsePattern(s string) (pattern, error) {
	p := pattern{text: s, tokens: strings.SplitN(s, ".", maxTokens+1)}
	for i, t := range p.tokens {
		switch {
		case t == "":
			return p, fmt.Errorf("subject %.80q: a token between the dots is empty; %s", s, accepted)
		case t == ">" && i != len(p.tokens)-1:
			return p, fmt.Errorf("subject %.80q: \">\" may stand at the end only; %s", s, accepted)
		case t == ">" || t == "*":
			p.wild = true
		case i < maxTokens && strings.ContainsAny(t, "*>"):
			return p, fmt.Errorf("subject %.80q: a wildcard must be a whole token, not a part of %.40q; %s", s, t, accepted)
		}
	}
	return p, p.check()
}

// check holds p against the subjects that exist.
func (p *pattern) check() error {
	root := p.tokens[0]
	if root != "*" && root != ">" && kindOf(root) < 0 {
		return fmt.Errorf("subject %.80q: %.40q is not a kind of subject; %s", p.text, root, accepted)
	}
	fault := error(nil)
	for i, k := range kinds {
		if root != "*" && root != ">" && root != k.root {
			continue
		}
		if err := p.fits(k); err != nil {
			fault = err
		} else {
			p.kinds |= 1 << i
		}
	}
	if p.kinds != 0 {
		return nil
	}
	return fault
}

// fits says why p can take in no subject of a kind.
func (p *pattern) fits(k kind) error {
	n := len(p.tokens)
	open := p.tokens[n-1] == ">"
	switch {
	case n > k.most && !(open && n == k.most):
		return fmt.Errorf("subject %.80q: too many tokens%s; %s", p.text, p.hint(), accepted)
	case n < k.least && !open:
		return fmt.Errorf("subject %.80q: %d more must follow, or a wildcard; %s", p.text, k.least-n, accepted)
	}
	for i, t := range p.tokens[1:] {
		if t == "*" || t == ">" {
			continue
		}
		if k.root == "candles" && i == 0 {
			if _, err := streamflow.ParseInterval(t); err != nil {
				return fmt.Errorf("subject %.80q: %w; %s", p.text, err, accepted)
			}
			continue
		}
		text, err := streamflow.ParseToken(t)
		symbol := k.root == "ticks" || k.root == "candles" || k.root == "indicators" || k.root == "alerts"
		if err != nil || symbol && !streamflow.ValidSymbol(text) {
			return fmt.Errorf("subject %.80q: %.40q is not a %s%s; %s", p.text, t, map[bool]string{true: "symbol", false: "token"}[symbol], p.hint(), accepted)
		}
	}
	return nil
}

// hint suggests the encoded form of a symbol that was written bare.
func (p *pattern) hint() string {
	root, symbol, _ := strings.Cut(p.text, ".")
	if p.wild || root != "ticks" || !streamflow.ValidSymbol(symbol) {
		return ""
	}
	return fmt.Sprintf(" (the symbol %s is written %s)", symbol, streamflow.TickSubject(symbol))
}

// matches reports whether p takes in a subject.
func (p *pattern) matches(subject string) bool {
	if !p.wild {
		return p.text == subject
	}
	for i, t := range p.tokens {
		if t == ">" {
			return subject != ""
		}
		token, rest, more := strings.Cut(subject, ".")
		if t != "*" && t != token || subject == "" {
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
