package streamflow

import (
	"fmt"
	"strings"
)

const upperHex = "0123456789ABCDEF"

// plain says whether c may stand for itself in a subject token.
func plain(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// Token encodes s as one token of a subject. Letters, digits, "-" and "_" stay
// as they are; every other byte becomes %XX (two upper-case hexadecimal
// digits), so AAPL stays AAPL, BRK.B becomes BRK%2EB and BTC/USD becomes
// BTC%2FUSD. [ParseToken] is its inverse.
func Token(s string) string {
	i := 0
	for i < len(s) && plain(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	b.WriteString(s[:i])
	for ; i < len(s); i++ {
		if c := s[i]; plain(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
		}
	}
	return b.String()
}

// ParseToken decodes what [Token] encodes. A text that Token never produces is
// an error, so that one symbol has exactly one subject.
func ParseToken(s string) (string, error) {
	if strings.IndexByte(s, '%') < 0 {
		if s == "" || Token(s) != s {
			return "", fmt.Errorf("subject token %q: a character stands bare that must be written as %%XX", s)
		}
		return s, nil
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", fmt.Errorf("subject token %q: %%XX is cut short", s)
		}
		hi, lo := strings.IndexByte(upperHex, s[i+1]), strings.IndexByte(upperHex, s[i+2])
		if hi < 0 || lo < 0 {
			return "", fmt.Errorf("subject token %q: %q is not %%XX", s, s[i:i+3])
		}
		b = append(b, byte(hi<<4|lo))
		i += 2
	}
	if t := string(b); Token(t) == s {
		return t, nil
	}
	return "", fmt.Errorf("subject token %q: not in its shortest form", s)
}
