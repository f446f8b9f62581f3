package alerts

import (
	"strconv"
	"strings"
)

// kind is the kind of a token.
type kind uint8

const (
	tokenEnd    kind = iota
	tokenWord        // price, rsi, crosses
	tokenNumber      // 200, -0.5, and with a unit: 5m, 3x, 1h30m
	tokenMark        // ( ) , . % > < >= <=
	tokenOther       // what the language does not have
)

// token is one word of a condition.
type token struct {
	kind   kind
	text   string // in lower case
	column int    // of its first character, from 1
	number float64
	unit   string // what follows a number without a space: "m", "x", "h30m"
}

// found says what stands there, for errors.
func (t token) found() string {
	if t.kind == tokenEnd {
		return "the end"
	}
	return strconv.Quote(t.text)
}

// is says whether t is this word or mark.
func (t token) is(text string) bool {
	return (t.kind == tokenWord || t.kind == tokenMark) && t.text == text
}

// lex parts a condition into tokens, the last of which is its end. Columns
// count characters, as an editor does.
func lex(s string) []token {
	var tokens []token
	runes := []rune(strings.ToLower(s))
	for i := 0; i < len(runes); {
		from := i
		t := token{column: i + 1}
		switch c := runes[i]; {
		case c == ' ' || c == '\t':
			i++
			continue
		case isLetter(c):
			for i < len(runes) && (isLetter(runes[i]) || isDigit(runes[i])) {
				i++
			}
			t.kind = tokenWord
		case isDigit(c) || (c == '-' || c == '.') && i+1 < len(runes) && isDigit(runes[i+1]) && !afterName(tokens, c):
			i = t.scanNumber(runes, i)
		case strings.ContainsRune("(),.%", c):
			i++
			t.kind = tokenMark
		case c == '>' || c == '<':
			if i++; i < len(runes) && runes[i] == '=' {
				i++
			}
			t.kind = tokenMark
		default:
			i++
			t.kind = tokenOther
		}
		t.text = string(runes[from:i])
		tokens = append(tokens, t)
	}
	return append(tokens, token{kind: tokenEnd, column: len(runes) + 1})
}

// afterName says that a point parts a name from its output, as in "macd(5m).2".
func afterName(tokens []token, c rune) bool {
	return c == '.' && len(tokens) > 0 && (tokens[len(tokens)-1].kind == tokenWord || tokens[len(tokens)-1].text == ")")
}

// scanNumber reads a number and the unit that sticks to it, and returns where
// they end. A number out of range is a token that no rule expects.
func (t *token) scanNumber(runes []rune, i int) int {
	from := i
	for i++; i < len(runes) && (isDigit(runes[i]) || runes[i] == '.'); i++ {
	}
	number, err := strconv.ParseFloat(string(runes[from:i]), 64)
	t.kind, t.number = tokenNumber, number
	if err != nil {
		t.kind = tokenOther
	}
	unit := i
	for i < len(runes) && (isLetter(runes[i]) || i > unit && (isDigit(runes[i]) || runes[i] == '.')) {
		i++
	}
	t.unit = string(runes[unit:i])
	return i
}

func isLetter(c rune) bool { return c >= 'a' && c <= 'z' || c == '_' }
func isDigit(c rune) bool  { return c >= '0' && c <= '9' }
