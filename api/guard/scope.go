package guard

import (
	"fmt"
	"slices"
)

// Scope is what a key may do. Each holds those before it.
type Scope string

// The scopes.
const (
	// ScopeNone is what needs no key wherever it comes from.
	ScopeNone  Scope = ""
	ScopeRead  Scope = "read"  // look at everything
	ScopeWrite Scope = "write" // and send ticks, keep rules, acknowledge alerts
	ScopeAdmin Scope = "admin" // and change functions, and what becomes of dead letters
)

// Scopes are those that a key can have, the least first.
var Scopes = []Scope{ScopeRead, ScopeWrite, ScopeAdmin}

// Covers reports whether s is enough for what needs another. What is no scope
// covers nothing but [ScopeNone], and nothing covers it.
func (s Scope) Covers(need Scope) bool {
	if need == ScopeNone {
		return true
	}
	has, wants := slices.Index(Scopes, s), slices.Index(Scopes, need)
	return wants >= 0 && has >= wants
}

// ParseScope reads the name of a scope.
func ParseScope(s string) (Scope, error) {
	if !slices.Contains(Scopes, Scope(s)) {
		return ScopeNone, fmt.Errorf("scope %.20q: want one of %v", s, Scopes)
	}
	return Scope(s), nil
}
