package streamflow

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

var testMask, _ = NewMask([]byte("0123456789abcdef"))

func TestMaskIsHMAC(t *testing.T) {
	// printf %s ada@example.com | openssl dgst -sha256 -hmac 0123456789abcdef
	const want = "512383176ce1b4c279ee430548cf07ec0b58efa588517b611c1f0da6d2b9e577"
	got := testMask.Text("ada@example.com")
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if again := testMask.Text(got); again != got {
		t.Errorf("masked again it is %s", again)
	}
	if testMask.Text("") != "" {
		t.Error("nothing is masked")
	}
	if _, err := NewMask([]byte("short")); err == nil {
		t.Error("a short key was taken")
	}
}

func TestMaskJSON(t *testing.T) {
	m := func(s string) string { return `"` + testMask.Text(s) + `"` }
	names := []string{"user_email", "phone"}
	for _, c := range []struct{ value, want string }{
		{` {"user_email" : "ada@example.com", "n":1.50 } `, ` {"user_email" : ` + m("ada@example.com") + `, "n":1.50 } `},
		{`{"user_email":"a@b","user_email":"c@d"}`, `{"user_email":` + m("a@b") + `,"user_email":` + m("c@d") + `}`},
		{`{"user\u005femail":"ada\u0040example.com"}`, `{"user\u005femail":` + m("ada@example.com") + `}`},
		{`{"x":[{"user_email":["a",1]},[]],"phone":123,"y":{}}`, `{"x":[{"user_email":` + m(`["a",1]`) + `},[]],"phone":` + m("123") + `,"y":{}}`},
		{`{"user_id":"ada@example.com","note":"from ada@example.com, to <b@c>"}`,
			`{"user_id":` + m("ada@example.com") + `,"note":"from ` + testMask.Text("ada@example.com") + `, to \u003c` + testMask.Text("b@c") + `\u003e"}`},
		{`{"a@b":1,"url":"/?q=ada%40example.com"}`, `{` + m("a@b") + `:1,"url":` + m("/?q=ada%40example.com") + `}`},
		{`{"user_email":null,"phone":"","b":true}`, `{"user_email":null,"phone":"","b":true}`},
		{`"a@b"`, m("a@b")},
		{`[]`, `[]`},
	} {
		got, ok := testMask.JSON([]byte(c.value), names)
		if !ok || string(got) != c.want {
			t.Errorf("%s\n got %s, %v\nwant %s", c.value, got, ok, c.want)
		}
	}
	for _, broken := range []string{"", "{", `{"user_email":"a@b"`, `{"a":"` + "\xff" + `"}`, "{} x", strings.Repeat("[", 99) + strings.Repeat("]", 99)} {
		if got, ok := testMask.JSON([]byte(broken), names); ok {
			t.Errorf("%q is masked as %q", broken, got)
		}
	}
}

func TestOutline(t *testing.T) {
	const value = "{\"user_email\": \"ada\xff\\u0040b\", 12"
	if got := string(Outline([]byte(value))); got != `{"xxxxxxxxxx": "xxxx\xxxxxx", xx` {
		t.Errorf("%s", got)
	}
}

// Whatever it is given, a mask keeps JSON what it was, hides what it should and
// has nothing to do the second time.
func FuzzMask(f *testing.F) {
	for _, seed := range []string{goodLogin, "", `{"x":[{"user_email":{"a":"b@c"}}],"u@v":"w%40x"}`, `{"user_email":"\ud800@"}`, `[1,"a@b \"c@d\""]`, ` null `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		before := bytes.Clone(value)
		got, ok := testMask.JSON(value, []string{"user_email"})
		if !bytes.Equal(before, value) {
			t.Fatal("the input was changed")
		}
		if !ok {
			if json.Valid(value) && utf8.Valid(value) && depth(value) <= maxDepth {
				t.Fatalf("%q is JSON and was not masked", value)
			}
			if out := Outline(value); bytes.ContainsAny(out, "@abe") || len(out) != len(value) {
				t.Fatalf("the outline is %q", out)
			}
			return
		}
		d := json.NewDecoder(bytes.NewReader(got))
		d.UseNumber() // as large as they like
		var v any
		if err := d.Decode(&v); err != nil || !json.Valid(got) {
			t.Fatalf("%q became %q: %v", value, got, err)
		}
		checkHidden(t, v)
		if again, ok := testMask.JSON(got, []string{"user_email"}); !ok || !bytes.Equal(again, got) {
			t.Fatalf("%q, and masked again %q", got, again)
		}
	})
}

func checkHidden(t *testing.T, v any) {
	t.Helper()
	switch v := v.(type) {
	case string:
		if strings.Contains(v, "@") || strings.Contains(v, "%40") {
			t.Fatalf("an address was left: %q", v)
		}
	case []any:
		for _, e := range v {
			checkHidden(t, e)
		}
	case map[string]any:
		for name, e := range v {
			checkHidden(t, name)
			if s, isText := e.(string); name == "user_email" && e != nil && !(isText && (s == "" || masked(s))) {
				t.Fatalf("user_email was left: %v", e)
			}
			checkHidden(t, e)
		}
	}
}
