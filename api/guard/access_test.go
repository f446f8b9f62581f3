package guard

import (
	"encoding/base64"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Who brings no key is let in from this machine to this machine only.
func TestKeylessAccess(t *testing.T) {
	from := func(addr string) func(*http.Request) { return func(r *http.Request) { r.RemoteAddr = addr } }
	for _, c := range []struct {
		what     string
		open     Open
		writes   bool
		listener net.Addr
		tune     func(*http.Request)
		get      int
		post     int
	}{
		{"loopback", "", false, loopback, nil, 200, 401},
		{"loopback under up", "", true, loopback, nil, 200, 200},
		{"by name", "", true, loopback, withHeaders("Host", "localhost:8080"), 200, 200},
		{"by IPv6", "", true, &net.TCPAddr{IP: net.IPv6loopback}, func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:4", "[::1]:8080" }, 200, 200},
		{"DNS rebinding", "", true, loopback, withHeaders("Host", "evil.example:8080"), 401, 401},
		{"a name that begins like loopback", "", true, loopback, withHeaders("Host", "127.0.0.1.evil.example"), 401, 401},
		{"a name that ends like localhost", "", true, loopback, withHeaders("Host", "evil-localhost"), 401, 401},
		{"no host", "", true, loopback, func(r *http.Request) { r.Host = "" }, 401, 401},
		{"a listener that others can reach", "", true, anywhere, nil, 401, 401},
		{"another machine", "", true, loopback, from("192.0.2.7:999"), 401, 401},
		{"an address that cannot be read", "", true, loopback, from("@"), 401, 401},
		{"a local proxy", "", true, loopback, withHeaders("X-Forwarded-For", "192.0.2.7"), 401, 401},
		{"a local proxy of the new kind", "", true, loopback, withHeaders("Forwarded", "for=127.0.0.1"), 401, 401},
		{"open to nobody", OpenNobody, true, loopback, nil, 401, 401},
		{"open to everybody", OpenEverybody, true, anywhere, from("192.0.2.7:999"), 200, 401},
		{"open to everybody, on loopback", OpenEverybody, true, loopback, nil, 200, 200},
		{"CSRF", "", true, loopback, withHeaders("Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"), 200, 403},
		{"CSRF of an old browser", "", true, loopback, withHeaders("Origin", "https://evil.example"), 200, 403},
		{"CSRF from a sandbox", "", true, loopback, withHeaders("Origin", "null"), 200, 403},
		{"CSRF from another port", "", true, loopback, withHeaders("Origin", "http://127.0.0.1:3000", "Sec-Fetch-Site", "same-site"), 200, 403},
		{"the page itself", "", true, loopback, withHeaders("Origin", "http://127.0.0.1:8080", "Sec-Fetch-Site", "same-origin"), 200, 200},
	} {
		h := build(t, Config{Open: c.open, OpenWrites: c.writes, Listener: c.listener})
		for method, want := range map[string]int{"GET": c.get, "POST": c.post, "DELETE": c.post} {
			if w := ask(h, method, "/api/x", c.tune); w.Code != want {
				t.Errorf("%s, %s: %d, want %d: %s", c.what, method, w.Code, want, w.Body)
			}
		}
	}
}

// A refusal says what to do.
func TestRefusalsSayWhatToDo(t *testing.T) {
	h := build(t, Config{Listener: anywhere})
	w := ask(h, "POST", "/api/x", nil)
	if w.Code != 401 || !strings.Contains(w.Body.String(), "streamflow keys create NAME --scope admin") || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if n := len(w.Header().Values("WWW-Authenticate")); n != 1 {
		t.Errorf("a program is asked for a password: %d challenges", n)
	}
	if w := ask(h, "GET", "/", withHeaders("Sec-Fetch-Mode", "navigate")); len(w.Header().Values("WWW-Authenticate")) != 2 {
		t.Errorf("a browser is not asked for a password: %v", w.Header())
	}
}

func TestKeys(t *testing.T) {
	store := newFakeStore()
	_, read := store.key(t, ScopeRead, time.Time{})
	_, write := store.key(t, ScopeWrite, time.Now().Add(time.Hour))
	_, admin := store.key(t, ScopeAdmin, time.Time{})
	revoked, revokedText := store.key(t, ScopeAdmin, time.Time{})
	revoked.Revoked = time.Now()
	store.put(t, revoked)
	expired, expiredText := store.key(t, ScopeAdmin, time.Time{})
	expired.Expires = time.Now().Add(-time.Second)
	store.put(t, expired)
	_ = store.Put(t.Context(), "0123456789", []byte("{not a key"))
	_ = store.Put(t.Context(), "../../etc", []byte(`{"id":"../../etc"}`))
	h := build(t, Config{Listener: anywhere, Keys: store.ready(t), Need: func(r *http.Request) Scope {
		return Scope(strings.TrimPrefix(r.URL.Path, "/"))
	}})
	for _, c := range []struct {
		what, authorization string
		want                map[Scope]int
		says                string
	}{
		{"read", "Bearer " + read, map[Scope]int{ScopeNone: 200, ScopeRead: 200, ScopeWrite: 403, ScopeAdmin: 403}, "has read"},
		{"write", "Bearer " + write, map[Scope]int{ScopeRead: 200, ScopeWrite: 200, ScopeAdmin: 403}, "has write"},
		{"admin", "bearer  " + admin, map[Scope]int{ScopeRead: 200, ScopeWrite: 200, ScopeAdmin: 200}, ""},
		{"a scope that is none", "Bearer " + admin, map[Scope]int{"root": 403}, ""},
		{"Basic", "Basic " + base64.StdEncoding.EncodeToString([]byte("ada:"+admin)), map[Scope]int{ScopeRead: 200, ScopeAdmin: 200}, ""},
		{"revoked", "Bearer " + revokedText, map[Scope]int{ScopeNone: 200, ScopeRead: 401}, "revoked"},
		{"expired", "Bearer " + expiredText, map[Scope]int{ScopeRead: 401}, "expired"},
		{"a wrong secret", "Bearer " + read[:len(read)-4] + "AAAA", map[Scope]int{ScopeRead: 401}, "not known"},
		{"a revoked id with a wrong secret", "Bearer " + revokedText[:len(revokedText)-4] + "AAAA", map[Scope]int{ScopeRead: 401}, "not known"},
		{"an unknown id", "Bearer sf_ffffffffff" + read[13:], map[Scope]int{ScopeRead: 401}, "not known"},
		{"no key at all", "Bearer x", map[Scope]int{ScopeRead: 401}, "not known"},
		{"a huge one", "Bearer sf_" + strings.Repeat("a", 9000), map[Scope]int{ScopeRead: 401}, "not known"},
		{"a strange scheme", "Negotiate " + read, map[Scope]int{ScopeRead: 401}, "Bearer <key>"},
		{"the hash as the secret", "Bearer sf_" + expired.ID + "_" + expired.Hash[:43], map[Scope]int{ScopeRead: 401}, "not known"},
	} {
		for scope, want := range c.want {
			w := ask(h, "GET", "/"+string(scope), withHeaders("Authorization", c.authorization))
			if w.Code != want || want != 200 && !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%s asks for %q: %d, want %d: %s", c.what, scope, w.Code, want, w.Body)
			}
			if strings.Contains(w.Body.String(), read[13:]) {
				t.Errorf("%s: the answer holds a secret", c.what)
			}
		}
	}
	if w := ask(h, "GET", "/read", withHeaders("X-API-Key", read)); w.Code != 200 || !strings.HasPrefix(w.Body.String(), "tester (") {
		t.Errorf("X-API-Key: %d %s", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/read", withHeaders("X-API-Key", read, "Authorization", "Bearer "+admin)); w.Code != 401 {
		t.Errorf("two keys: %d", w.Code)
	}
	if w := ask(h, "GET", "/read?key="+read, nil); w.Code != 401 {
		t.Errorf("a key in the address: %d", w.Code)
	}
}

// A browser sends a password by itself, whichever page makes it ask: that is
// enough for pages of our own, and for no other.
func TestPasswordOfBrowser(t *testing.T) {
	store := newFakeStore()
	_, admin := store.key(t, ScopeAdmin, time.Time{})
	h := build(t, Config{Listener: anywhere, Keys: store.ready(t), Origins: []string{"https://desk.example"}})
	basic, bearer := "Basic "+base64.StdEncoding.EncodeToString([]byte("ada:"+admin)), "Bearer "+admin
	for _, c := range []struct {
		authorization, origin, site string
		want                        int
	}{
		{basic, "https://evil.example", "cross-site", 403},
		{basic, "https://desk.example", "cross-site", 200},
		{basic, "http://127.0.0.1:8080", "same-origin", 200},
		{basic, "", "", 200}, // curl -u
		{bearer, "https://evil.example", "cross-site", 200},
	} {
		w := ask(h, "POST", "/api/x", withHeaders("Authorization", c.authorization, "Origin", c.origin, "Sec-Fetch-Site", c.site))
		if c.origin == "" {
			w = ask(h, "POST", "/api/x", withHeaders("Authorization", c.authorization))
		}
		if w.Code != c.want {
			t.Errorf("%.6s from %s: %d, want %d", c.authorization, c.origin, w.Code, c.want)
		}
	}
}

// Those who balance load learn whether a server is ready, and nothing else.
func TestReadyTellsStrangersItsStatusOnly(t *testing.T) {
	g, err := New(Config{Listener: anywhere})
	if err != nil {
		t.Fatal(err)
	}
	h := g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(503)
		_, _ = w.Write([]byte(`{"database":"10.0.0.7: connection refused"}`))
	}))
	if w := ask(h, "GET", "/ready", nil); w.Code != 503 || w.Body.Len() != 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestOrigins(t *testing.T) {
	for _, bad := range []string{"example.com", "https://example.com/x", "https://u@example.com", "https://example.com?x", ""} {
		if _, err := New(Config{Origins: []string{bad}}); err == nil || !strings.Contains(err.Error(), "scheme://host") {
			t.Errorf("origin %q: %v", bad, err)
		}
	}
	h := build(t, Config{Listener: loopback, Origins: []string{"https://desk.example"}})
	if w := ask(h, "GET", "/api/x", withHeaders("Origin", "https://desk.example")); w.Header().Get("Access-Control-Allow-Origin") != "https://desk.example" ||
		w.Header().Get("Access-Control-Allow-Credentials") != "" || w.Header().Get("Vary") == "" {
		t.Errorf("headers %v", w.Header())
	}
	if w := ask(h, "GET", "/api/x", withHeaders("Origin", "https://evil.example")); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("headers %v", w.Header())
	}
	ask1 := func(h http.Handler, origin string) int {
		return ask(h, "OPTIONS", "/api/x", withHeaders("Origin", origin, "Access-Control-Request-Method", "PUT")).Code
	}
	if ask1(h, "https://desk.example") != 204 || ask1(h, "https://evil.example") != 403 {
		t.Error("preflights are not answered by the list of origins")
	}
	all := build(t, Config{Listener: loopback, OpenWrites: true, Origins: []string{"*"}})
	if ask1(all, "https://evil.example") != 204 {
		t.Error("* does not allow all")
	}
	if w := ask(all, "POST", "/api/x", withHeaders("Origin", "https://evil.example")); w.Code != 403 {
		t.Errorf("a page of any site may write without a key: %d", w.Code)
	}
}
