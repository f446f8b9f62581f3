package alerts

import (
	"fmt"
	"strings"
)

// SyntaxError says where a condition cannot be read.
type SyntaxError struct {
	Column   int    // of the character at which reading ended, from 1
	Found    string // what stands there
	Expected string // what could stand there
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("column %d: found %s, expected %s", e.Column, e.Found, e.Expected)
}

// FieldError says what is wrong with a field of a rule.
type FieldError struct {
	Rule  string // its ID
	Field string // its name in JSON
	Err   error
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("rule %.64q: %s: %v", e.Rule, e.Field, e.Err)
}

// Unwrap returns what is wrong: for the condition often a [*SyntaxError].
func (e *FieldError) Unwrap() error { return e.Err }

// nearest returns the word that was perhaps meant, or "": the one that most of
// its letters lead to, at a distance of two edits at most.
func nearest(word string, words []string) string {
	best, distance := "", 3
	for _, w := range words {
		if d := edits(word, w); d < distance && d < len(w) {
			best, distance = w, d
		}
	}
	return best
}

// edits is the Levenshtein distance of two short words.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost++
			}
			corner = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// list writes words for a person: "a, b or c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
