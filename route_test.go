package streamflow

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const (
	goodEvent = `{"event_id":"e-1","type":"purchase","user_id":"u-7","product_id":"p-3","price":19.99,"currency":"EUR","timestamp":"2025-01-02T11:59:59Z","a":1,"b":[2]}`
	goodLogin = `{"user_id":"u-7","user_email":"ada@example.com","type":"login","ip":"192.0.2.7","timestamp":1735819199,"agent":"x"}`
)

func TestDecodeEvent(t *testing.T) {
	e, err := DecodeEvent([]byte(goodEvent), noon)
	if err != nil {
		t.Fatal(err)
	}
	if e.ID != "e-1" || e.Type != "purchase" || e.User != "u-7" || e.Product != "p-3" || e.Price != 19.99 || e.Currency != "EUR" ||
		!e.Time.Equal(noon.Add(-time.Second)) || string(e.Extra) != `"a":1,"b":[2]` {
		t.Errorf("%+v, extra %s", e, e.Extra)
	}
	if _, err := DecodeEvent([]byte(`{"event_id":"e","type":"view","price":0,"timestamp":0}`), noon); err != nil {
		t.Errorf("a free thing, by nobody known: %v", err)
	}
}

func TestDecodeUserEvent(t *testing.T) {
	for _, email := range []string{"ada@example.com", "ада@пример.рф", strings.Repeat("0a", 32)} {
		e, err := DecodeUserEvent([]byte(strings.Replace(goodLogin, "ada@example.com", email, 1)), noon)
		if err != nil || e.Email != email || e.User != "u-7" || e.Type != TypeLogin || e.IP != "192.0.2.7" ||
			!e.Time.Equal(noon.Add(-time.Second)) || string(e.Extra) != `"agent":"x"` {
			t.Errorf("%+v, %v", e, err)
		}
	}
}

func TestEventsAreRefused(t *testing.T) {
	for _, c := range []struct {
		old, new string
		reason   Reason
	}{
		{goodEvent, strings.Repeat(" ", MaxRecordBytes+1), ReasonTooLarge},
		{"e-1", "\xff", ReasonNotUTF8},
		{goodEvent, "[]", ReasonNotJSON},
		{`}`, ``, ReasonNotJSON},
		{goodEvent, goodEvent + "x", ReasonNotJSON},
		{`"e-1"`, `null`, ReasonMissing},
		{`event_id`, `id`, ReasonMissing},
		{`"price":19.99,`, ``, ReasonMissing},
		{`timestamp`, `time`, ReasonMissing},
		{`"e-1"`, `""`, ReasonUnparsable},
		{`"e-1"`, `7`, ReasonUnparsable},
		{`purchase`, `pur chase`, ReasonUnparsable},
		{`purchase`, `a.>`, ReasonUnparsable},
		{`19.99`, `"19.99"`, ReasonUnparsable},
		{`EUR`, `eur`, ReasonUnparsable},
		{`"2025-01-02T11:59:59Z"`, `"noon"`, ReasonUnparsable},
		{`19.99`, `-0.01`, ReasonBadPrice},
		{`19.99`, `1e999`, ReasonBadPrice},
		{`2025-01-02T11`, `2025-01-02T13`, ReasonFuture},
	} {
		value := strings.Replace(goodEvent, c.old, c.new, 1)
		_, err := EventRoute(TopicEvents).Schema([]byte(value), nil, noon)
		var r *RejectError
		if !errors.As(err, &r) || r.Reason != c.reason {
			t.Errorf("%.60s: %v, want %s", value, err, c.reason)
		}
	}
}

// An error about a login says what is wrong without showing it.
func TestLoginsAreRefusedQuietly(t *testing.T) {
	for _, c := range []struct {
		old, new string
		reason   Reason
	}{
		{`}`, ``, ReasonNotJSON},
		{`{`, `secret{`, ReasonNotJSON},
		{`"ada@example.com"`, `"secret"`, ReasonUnparsable},
		{`"ada@example.com"`, `["secret"]`, ReasonUnparsable},
		{`"ada@example.com"`, `"secret@"`, ReasonUnparsable},
		{`"ada@example.com"`, `"secret\n@example.com"`, ReasonUnparsable},
		{`"ada@example.com"`, `"` + strings.Repeat("secret", 50) + `@example.com"`, ReasonUnparsable},
		{`user_email`, `secret`, ReasonMissing},
		{`"login"`, `"sec ret"`, ReasonUnparsable},
		{`"192.0.2.7"`, `"secret"`, ReasonUnparsable},
		{`1735819199`, `"secret"`, ReasonUnparsable},
		{`1735819199`, `4102444800`, ReasonFuture},
		{`"u-7"`, `""`, ReasonUnparsable},
		{`"u-7",`, `"u-7","user_id":null,`, ReasonMissing},
	} {
		value := strings.Replace(goodLogin, c.old, c.new, 1)
		_, err := UserEventRoute(TopicUserEvents).Schema([]byte(value), nil, noon)
		var r *RejectError
		if !errors.As(err, &r) || r.Reason != c.reason || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "sec ret") {
			t.Errorf("%.60s: %v, want %s and no secret", value, err, c.reason)
		}
	}
}

func TestRoutesNameSubjects(t *testing.T) {
	for _, c := range []struct {
		route       Route
		value, want string
	}{
		{TickRoute("stock_ticks"), with("symbol", `"BRK.B"`), TickSubject("BRK.B")},
		{EventRoute("my.events"), goodEvent, EventSubject("my.events", "purchase")},
		{UserEventRoute(TopicUserEvents), goodLogin, "events.user-events.login"},
	} {
		name, err := c.route.Schema([]byte(c.value), nil, noon)
		if got := c.route.SubjectOf(name); err != nil || got != c.want {
			t.Errorf("%s: %s, %v, want %s", c.route.Topic, got, err, c.want)
		}
	}
}

func FuzzDecodeEvent(f *testing.F) {
	for _, seed := range []string{goodEvent, "", "{}", goodLogin, strings.Replace(goodEvent, "19.99", "1e999", 1)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := DecodeEvent(value, noon)
		checkSyntax(t, value, err)
		if err == nil && (e.ID == "" || !(e.Price >= 0) || e.Type == "" || Token(e.Type) == "" || e.Time.IsZero()) {
			t.Fatalf("%q is taken for %+v", value, e)
		}
	})
}

func FuzzDecodeUserEvent(f *testing.F) {
	for _, seed := range []string{goodLogin, "", "{}", goodEvent, strings.Replace(goodLogin, "@", `\u0040`, 1)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := DecodeUserEvent(value, noon)
		checkSyntax(t, value, err)
		if err == nil && (e.User == "" || e.Type == "" || !masked(e.Email) && !strings.Contains(e.Email, "@")) {
			t.Fatalf("%q is taken for %+v", value, e)
		}
	})
}
