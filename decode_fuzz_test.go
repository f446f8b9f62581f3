package streamflow

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
)

// FuzzDecodeTick holds the decoder against encoding/json: what one of them
// takes for JSON the other must too, and what is accepted must survive being
// written and read again.
func FuzzDecodeTick(f *testing.F) {
	for _, seed := range []string{
		good, "", "{}", with("price", "1e999"), with("volume", "100.0"), with("timestamp", "1735815600123.5"),
		with("x", `{"a":[1,{"b":null}]}`), `{"x":1,` + good[1:], with("id", `"\ud800\u00e9\""`), "\ufeff" + good,
		with("x", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
	} {
		f.Add([]byte(seed), []byte("AAPL"))
	}
	f.Fuzz(func(t *testing.T, value, key []byte) {
		before := bytes.Clone(value)
		tick, err := DecodeTick(value, key, noon)
		if !bytes.Equal(value, before) {
			t.Fatal("the input was changed")
		}
		again, errAgain := DecodeTick(value, key, noon)
		if (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() || err == nil && !same(tick, again) {
			t.Fatalf("once %v %v, then %v %v", tick, err, again, errAgain)
		}
		checkSyntax(t, value, err)
		if err == nil {
			checkRoundTrip(t, tick, key)
		}
	})
}

// checkSyntax compares the verdict on the syntax with that of encoding/json.
func checkSyntax(t *testing.T, value []byte, err error) {
	var r *RejectError
	if err != nil && !errors.As(err, &r) {
		t.Fatalf("error %v is no RejectError", err)
	}
	if r != nil && (r.Reason == ReasonTooLarge || r.Reason == ReasonNotUTF8) {
		return
	}
	object := json.Valid(value) && bytes.TrimSpace(value)[0] == '{'
	refused := r != nil && r.Reason == ReasonNotJSON
	if object == refused && depth(value) <= maxDepth {
		t.Fatalf("%q: encoding/json says %v, we say %v", value, object, err)
	}
}

// depth counts the brackets that could nest; it may be too high, within strings.
func depth(value []byte) int {
	return bytes.Count(value, []byte("[")) + bytes.Count(value, []byte("{"))
}

// checkRoundTrip writes an accepted tick and reads it again.
func checkRoundTrip(t *testing.T, tick Tick, key []byte) {
	canonical := tick.AppendJSON(nil)
	if !json.Valid(canonical) {
		t.Fatalf("%+v becomes %s", tick, canonical)
	}
	if len(tick.Extra) > 0 && !json.Valid([]byte("{"+string(tick.Extra)+"}")) {
		t.Fatalf("extra members are %s", tick.Extra)
	}
	if len(canonical) > MaxTickBytes {
		return // the canonical form may be longer than what was read
	}
	back, err := DecodeTick(canonical, key, noon)
	if err != nil || !same(tick, back) {
		t.Fatalf("%+v\nbecomes %s\nand then %+v, %v", tick, canonical, back, err)
	}
	if next := back.AppendJSON(nil); !bytes.Equal(next, canonical) {
		t.Fatalf("first %s, then %s", canonical, next)
	}
}
