package streamflow

import (
	"strings"
	"testing"
)

func TestToken(t *testing.T) {
	for symbol, token := range map[string]string{
		"AAPL": "AAPL", "BRK.B": "BRK%2EB", "BTC/USD": "BTC%2FUSD", "^GSPC": "%5EGSPC", "a-b_c": "a-b_c", "100%": "100%25", "é": "%C3%A9",
	} {
		if got := Token(symbol); got != token {
			t.Errorf("Token(%q) = %q, want %q", symbol, got, token)
		}
		if got, err := ParseToken(token); err != nil || got != symbol {
			t.Errorf("ParseToken(%q) = %q, %v, want %q", token, got, err, symbol)
		}
	}
}

func TestParseTokenRefuses(t *testing.T) {
	for _, token := range []string{"", "*", ">", "A.B", "A B", "A%", "A%2", "A%2e", "A%2G", "%41", "A%2E.", "A\x00"} {
		if s, err := ParseToken(token); err == nil {
			t.Errorf("ParseToken(%q) = %q, want an error", token, s)
		}
	}
}

// FuzzToken: every text has one token, and every token one text.
func FuzzToken(f *testing.F) {
	for _, s := range []string{"AAPL", "BRK.B", "BTC%2FUSD", "%41", "%", ">", "*", "a b", "\xff\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		token := Token(s)
		if strings.ContainsAny(token, ".*> \t\r\n\x00") {
			t.Fatalf("Token(%q) = %q, which cannot stand in a subject", s, token)
		}
		if back, err := ParseToken(token); s != "" && (err != nil || back != s) {
			t.Fatalf("%q becomes %q, and that %q, %v", s, token, back, err)
		}
		if text, err := ParseToken(s); err == nil && Token(text) != s {
			t.Fatalf("%q is read as %q, whose token is %q", s, text, Token(text))
		}
	})
}
