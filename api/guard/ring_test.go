package guard

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestNewKey(t *testing.T) {
	now := time.Now()
	k, text, err := NewKey("ada", ScopeWrite, now, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	id, secret, ok := split(text)
	if !ok || id != k.ID || !k.matches(secret) || k.matches(secret+"x") || k.matches("") {
		t.Errorf("%q is read as %q %q", text, id, secret)
	}
	data, _ := json.Marshal(k)
	if strings.Contains(string(data), secret) {
		t.Error("what is kept holds the secret")
	}
	if again, err := ParseKey(k.ID, data); err != nil || again != k {
		t.Errorf("%+v, %v", again, err)
	}
	for _, c := range []struct {
		name, scope string
		expires     time.Time
	}{{"", "read", time.Time{}}, {"a\nb", "read", time.Time{}}, {strings.Repeat("a", 65), "read", time.Time{}}, {"a", "root", time.Time{}}, {"a", "", time.Time{}}, {"a", "read", now}} {
		if _, _, err := NewKey(c.name, Scope(c.scope), now, c.expires); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
	for _, bad := range []string{``, `{}`, `{"id":"x"}`, `[]`, strings.Replace(string(data), `"write"`, `""`, 1), strings.Replace(string(data), k.Hash, "", 1)} {
		if _, err := ParseKey(k.ID, []byte(bad)); err == nil {
			t.Errorf("%q was read as a key", bad)
		}
	}
}

func FuzzSplit(f *testing.F) {
	_, text, _ := NewKey("a", ScopeRead, time.Now(), time.Time{})
	f.Add(text)
	f.Add("sf_")
	f.Fuzz(func(t *testing.T, s string) {
		if id, secret, ok := split(s); ok && prefix+id+"_"+secret != s {
			t.Errorf("%q is read as %q %q", s, id, secret)
		}
	})
}

func FuzzParseKey(f *testing.F) {
	k, _, _ := NewKey("a", ScopeRead, time.Now(), time.Time{})
	data, _ := json.Marshal(k)
	f.Add(k.ID, data)
	f.Fuzz(func(t *testing.T, id string, data []byte) {
		if k, err := ParseKey(id, data); err == nil && (k.ID != id || !k.Scope.Covers(ScopeRead)) {
			t.Errorf("%q under %q became %+v", data, id, k)
		}
	})
}

// run follows the keys in a bubble until the test ends.
func run(t *testing.T, store Store) (*Ring, func()) {
	t.Helper()
	r := NewRing(store, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	synctest.Wait()
	return r, func() { cancel(); <-done }
}

func TestRevokedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFakeStore()
		k, text := store.key(t, ScopeRead, time.Time{})
		other, otherText := store.key(t, ScopeAdmin, time.Time{})
		r, stop := run(t, store)
		defer stop()
		h, err := r.check(text, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		k.Revoked = time.Now()
		store.put(t, k)
		if _, err := r.check(text, time.Now()); !errors.Is(err, errRevoked) {
			t.Errorf("after it was revoked: %v", err)
		}
		if h.life.Err() == nil {
			t.Error("what is done by a revoked key goes on")
		}
		h, _ = r.check(otherText, time.Now())
		store.remove(other.ID)
		if _, err := r.check(otherText, time.Now()); !errors.Is(err, errUnknown) || h.life.Err() == nil {
			t.Errorf("after it was removed: %v", err)
		}
	})
}

func TestExpiryEndsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFakeStore()
		_, text := store.key(t, ScopeRead, time.Now().Add(time.Minute))
		r, stop := run(t, store)
		defer stop()
		h, err := r.check(text, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Second)
		if h.life.Err() != nil {
			t.Error("it ended too early")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if _, err := r.check(text, time.Now()); !errors.Is(err, errExpired) || h.life.Err() == nil || !errors.Is(context.Cause(h.life), errExpired) {
			t.Errorf("after its time: %v, %v", err, context.Cause(h.life))
		}
	})
}

// Keys outlive a short absence of their store, and not a long one: nobody could
// hear that they are revoked.
func TestStoreAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFakeStore()
		_, text := store.key(t, ScopeRead, time.Time{})
		r, stop := run(t, store)
		defer stop()
		time.Sleep(10 * time.Minute) // it is read again and again
		if _, err := r.check(text, time.Now()); err != nil {
			t.Fatal(err)
		}
		store.lose()
		time.Sleep(time.Minute)
		if _, err := r.check(text, time.Now()); err != nil {
			t.Errorf("after a minute: %v", err)
		}
		time.Sleep(2 * time.Minute)
		if _, err := r.check(text, time.Now()); !errors.Is(err, errStale) {
			t.Errorf("after three minutes: %v", err)
		}
	})
}

func TestKeysBeforeTheyAreRead(t *testing.T) {
	store := newFakeStore()
	store.away = true
	_, text, _ := NewKey("a", ScopeRead, time.Now(), time.Time{})
	h := build(t, Config{Listener: anywhere, Keys: NewRing(store, nil)})
	if w := ask(h, "GET", "/api/x", withHeaders("Authorization", "Bearer "+text)); w.Code != 503 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/api/x", nil); w.Code != 401 {
		t.Errorf("without a key: %d", w.Code)
	}
}

func TestLastUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFakeStore()
		k, text := store.key(t, ScopeRead, time.Time{})
		r, stop := run(t, store)
		defer stop()
		h := build(t, Config{Listener: anywhere, Keys: r})
		for range 3 {
			ask(h, "GET", "/api/x", withHeaders("Authorization", "Bearer "+text))
		}
		if store.get(UsedKey(k.ID)) != nil {
			t.Error("every use is written")
		}
		time.Sleep(usedEvery + time.Second)
		synctest.Wait()
		var u Used
		if err := json.Unmarshal(store.get(UsedKey(k.ID)), &u); err != nil || u.From != "127.0.0.1" || u.At.IsZero() {
			t.Errorf("%+v, %v", u, err)
		}
		if _, err := r.check(text, time.Now()); err != nil {
			t.Errorf("after a use was written: %v", err)
		}
	})
}
