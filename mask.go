package streamflow

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// MinMaskKeyBytes is how long the key of a [Mask] must be at least: a short one
// could be found by trying, and with it every address that somebody guesses.
const MinMaskKeyBytes = 16

// Mask replaces what must not be seen by its HMAC-SHA-256, 64 hexadecimal
// digits. Who has the key can tell whether a mask is that of a given text; all
// others only whether two masks are of the same text:
//
//	printf %s ada@example.com | openssl dgst -sha256 -hmac "$MASK_KEY"
//
// What is masked already stays as it is, so a record can go round again.
type Mask struct{ key []byte }

// NewMask returns a mask of at least [MinMaskKeyBytes] of key.
func NewMask(key []byte) (*Mask, error) {
	if len(key) < MinMaskKeyBytes {
		return nil, fmt.Errorf("the key of the mask has %d bytes, want %d or more", len(key), MinMaskKeyBytes)
	}
	return &Mask{bytes.Clone(key)}, nil
}

// Text masks s. The empty text hides nothing, and stays.
func (m *Mask) Text(s string) string {
	if s == "" || masked(s) {
		return s
	}
	mac := hmac.New(sha256.New, m.key)
	mac.Write([]byte(s))
	return hex.EncodeToString(mac.Sum(nil))
}

// masked reports whether s has the form of a mask. No e-mail address has.
func masked(s string) bool {
	return len(s) == 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}

// JSON masks in value, which must be JSON, the members of these names, at any
// depth, whatever their values are, and in all other texts whatever looks like
// an e-mail address: an address that came in as the ID of a user is one too.
// ok is false if value is not JSON; then nothing is returned.
func (m *Mask) JSON(value []byte, names []string) (_ []byte, ok bool) {
	check := scanner{data: value}
	check.space()
	if !utf8.Valid(value) || !check.skipValue(0) {
		return nil, false
	}
	if check.space(); check.pos != len(value) {
		return nil, false
	}
	w := maskWriter{scanner: scanner{data: value}, mask: m, names: names}
	w.space()
	w.value(false)
	return append(w.out, value[w.copied:]...), true
}

// Addresses masks whatever in s looks like an e-mail address.
func (m *Mask) Addresses(s string) string {
	if !strings.Contains(s, "@") && !strings.Contains(s, "%40") {
		return s
	}
	var b strings.Builder
	for s != "" {
		n := strings.IndexFunc(s, divides)
		if n < 0 {
			n = len(s)
		}
		word := s[:n]
		if strings.Contains(word, "@") || strings.Contains(word, "%40") {
			word = m.Text(word)
		}
		b.WriteString(word)
		_, size := utf8.DecodeRuneInString(s[n:])
		b.WriteString(s[n : n+size])
		s = s[n+size:]
	}
	return b.String()
}

// divides reports whether r ends an address in a text. Few do: to mask too much
// does no harm.
func divides(r rune) bool { return r <= ' ' || strings.ContainsRune(`"<>(),;`, r) }

// Outline returns what can be shown of a text that cannot be read, and so may
// hold anything anywhere: its length and its punctuation as JSON. Every other
// byte becomes x.
func Outline(value []byte) []byte {
	out := bytes.Clone(value)
	for i, c := range out {
		if strings.IndexByte("{}[]:,\"\\ \t\r\n", c) < 0 {
			out[i] = 'x'
		}
	}
	return out
}

// maskWriter walks a valid JSON text and copies it, with replacements.
type maskWriter struct {
	scanner
	mask   *Mask
	names  []string
	out    []byte
	copied int // up to here the text is in out
}

// value takes one value; hide says that it is that of a listed member.
func (w *maskWriter) value(hide bool) {
	start := w.pos
	switch c := w.data[w.pos]; {
	case hide && c != 'n':
		w.skipValue(0)
		raw := w.data[start:w.pos]
		hidden := string(raw)
		if c == '"' {
			hidden = unquote(raw)
		}
		w.replace(start, w.mask.Text(hidden))
	case c == '"':
		w.text()
	case c == '{' || c == '[':
		w.pos++
		w.container(c == '{')
	default:
		w.skipValue(0)
	}
}

func (w *maskWriter) container(object bool) {
	for {
		w.space()
		if c := w.data[w.pos]; c == '}' || c == ']' {
			w.pos++
			return
		}
		hide := false
		if object {
			hide = slices.Contains(w.names, w.text())
			w.next(':')
			w.space()
		}
		w.value(hide)
		w.next(',')
	}
}

// text takes a string, masks addresses in it, and returns what it was.
func (w *maskWriter) text() string {
	start := w.pos
	w.string()
	s := unquote(w.data[start:w.pos])
	if clean := w.mask.Addresses(s); clean != s {
		w.replace(start, clean)
	}
	return s
}

func (w *maskWriter) replace(start int, s string) {
	quoted, _ := json.Marshal(s) // a string can always be written
	w.out = append(append(w.out, w.data[w.copied:start]...), quoted...)
	w.copied = w.pos
}
