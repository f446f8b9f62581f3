package streamflow

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNewDeadLetter(t *testing.T) {
	p := Position{"stock_ticks", 1, 2}
	d := NewDeadLetter(p, fmt.Errorf("record: %w", reject(ReasonBadPrice, "price 0")))
	if d.Position != p || d.Reason != ReasonBadPrice || d.Detail != "price 0" {
		t.Errorf("got %+v", d)
	}
	if d := NewDeadLetter(p, errors.New("odd")); d.Reason != ReasonNotJSON || d.Detail != "odd" {
		t.Errorf("got %+v", d)
	}
}

// A header that holds a line break would be two headers.
func TestHeaderDetailText(t *testing.T) {
	for detail, want := range map[string]string{
		"price 0": "price 0", "a\r\nb\tc\x00d\x7f": "a??b?c?d?", "\xff": "?", "é": "é",
		strings.Repeat("é", maxDetail): strings.Repeat("é", maxDetail/2),
	} {
		if got := (DeadLetter{Detail: detail}).HeaderDetailText(); got != want {
			t.Errorf("%q becomes %q, want %q", detail, got, want)
		}
	}
	if got := (DeadLetter{Detail: "x" + strings.Repeat("é", maxDetail)}).HeaderDetailText(); len(got) > maxDetail || !utf8.ValidString(got) {
		t.Errorf("a long detail becomes %d bytes: %q", len(got), got)
	}
}

func TestEscapeHeaders(t *testing.T) {
	same := func(a, b Header) bool { return a.Key == b.Key && string(a.Value) == string(b.Value) }
	for text, headers := range map[string][]Header{
		"":             nil,
		"a=1":          {{"a", []byte("1")}},
		"a=1&a=2&b=":   {{"a", []byte("1")}, {"a", []byte("2")}, {"b", nil}},
		"a%26=%3D%0A+": {{"a&", []byte("=\n ")}},
		"=%FF":         {{"", []byte{0xff}}},
	} {
		if got := EscapeHeaders(headers); got != text {
			t.Errorf("%v becomes %q, want %q", headers, got, text)
		}
		if got := UnescapeHeaders(text); !slices.EqualFunc(got, headers, same) {
			t.Errorf("%q becomes %v, want %v", text, got, headers)
		}
	}
	if got := UnescapeHeaders("a&b=%&%=c&d=1"); !slices.EqualFunc(got, []Header{{"d", []byte("1")}}, same) {
		t.Errorf("only d can be read, got %v", got)
	}
}
