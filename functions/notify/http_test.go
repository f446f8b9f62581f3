package notify

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"streamflow"
)

// What a receiver sees of a delivery.
func TestDeliveryOnTheWire(t *testing.T) {
	got := make(chan *http.Request, 1)
	bodies := make(chan []byte, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- r
		bodies <- body
	}))
	defer server.Close()
	m := alert(1, "AAPL", streamflow.SeverityInfo)
	one(hook(t, "ops", server.URL+"/hook", nil), newQueue(m), &book{}, nil)
	r, body := <-got, <-bodies
	if r.Method != http.MethodPost || r.URL.Path != "/hook" || !bytes.Equal(body, m.Data) {
		t.Errorf("%s %s %s", r.Method, r.URL, body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "StreamFlow-Notify/1", HeaderDelivery: "ops.id-1", HeaderAttempt: "1",
	} {
		if v := r.Header.Get(name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
	if err := Verify([]byte(secret), body, r.Header.Get(HeaderSignature), time.Now(), time.Minute); err != nil {
		t.Error(err)
	}
}

// A redirect would take the alert to somebody whom nobody has configured.
func TestRedirectsAreNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	b := &book{}
	one(hook(t, "ops", server.URL, nil), newQueue(alert(1, "AAPL", "info")), b, nil)
	if len(b.letters["notify-ops"]) != 1 || b.records[0].Status != http.StatusTemporaryRedirect {
		t.Errorf("%+v", b)
	}
}

// An answer without end is not read to its end.
func TestAnswerIsBounded(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		for r.Context().Err() == nil {
			if _, err := w.Write(bytes.Repeat([]byte("no\n"), 1000)); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	b := &book{}
	one(hook(t, "ops", server.URL, nil), newQueue(alert(1, "AAPL", "info")), b, nil)
	if len(b.records) != 1 || len(b.records[0].Error) > maxExcerpt+100 || strings.Contains(b.records[0].Error, "\n") {
		t.Errorf("%+v", b.records)
	}
}

func TestTimeout(t *testing.T) {
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer server.Close()
	defer close(hang)
	b := &book{}
	w := hook(t, "ops", server.URL+"/path-token", func(w *Webhook) { w.Timeout, w.MaxAttempts = Duration(20*time.Millisecond), 1 })
	one(w, newQueue(alert(1, "AAPL", "info")), b, nil)
	if len(b.records) != 1 || !strings.HasPrefix(b.records[0].Error, "no answer in time") || strings.Contains(b.records[0].Error, "path-token") {
		t.Errorf("%+v", b.records)
	}
}

func TestVerify(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	body := []byte(`{"id":"x"}`)
	good := Sign([]byte(secret), body, at)
	if want := "t=1700000000,v1="; !strings.HasPrefix(good, want) || len(good) != len(want)+64 {
		t.Errorf("signature %q", good)
	}
	for _, c := range []struct {
		name, secret, body, header string
		now                        time.Time
		ok                         bool
	}{
		{"good", secret, string(body), good, at, true},
		{"within the tolerance", secret, string(body), good, at.Add(5 * time.Minute), true},
		{"too old", secret, string(body), good, at.Add(6 * time.Minute), false},
		{"from the future", secret, string(body), good, at.Add(-6 * time.Minute), false},
		{"another secret", secret + "x", string(body), good, at, false},
		{"another body", secret, "{}", good, at, false},
		{"another time", secret, string(body), strings.Replace(good, "t=17", "t=18", 1), at, false},
		{"a second signature and an unknown part", secret, string(body), "v0=1," + strings.Replace(good, "v1=", "v1=00,v1=", 1), at, true},
		{"nothing", secret, string(body), "", at, false},
		{"no signature", secret, string(body), "t=1700000000", at, false},
		{"no time", secret, string(body), "v1=00", at, false},
	} {
		err := Verify([]byte(c.secret), []byte(c.body), c.header, c.now, 5*time.Minute)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "1.5": 0, "99999999999": 0,
		"Mon, 02 Mar 2026 12:01:00 GMT": time.Minute, "Mon, 02 Mar 2026 11:00:00 GMT": 0,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("t=1700000000,v1=00", []byte("{}"))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		if Verify([]byte(secret), body, header, time.Unix(1_700_000_000, 0), time.Hour) == nil && !strings.Contains(header, Sign([]byte(secret), body, time.Unix(1_700_000_000, 0))[13:]) {
			t.Errorf("%q is no signature of %q", header, body)
		}
	})
}
