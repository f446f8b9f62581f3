package guard

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// fakeStore is a bucket in memory.
type fakeStore struct {
	mu      sync.Mutex
	values  map[string][]byte
	watches map[int]func(string, []byte, uint64)
	n       int
	away    bool
	gone    chan struct{} // closed when it goes away
}

func newFakeStore() *fakeStore {
	return &fakeStore{values: map[string][]byte{}, watches: map[int]func(string, []byte, uint64){}, gone: make(chan struct{})}
}

func (f *fakeStore) Watch(ctx context.Context, change func(string, []byte, uint64)) error {
	f.mu.Lock()
	if f.away {
		f.mu.Unlock()
		return errors.New("nats: no servers available")
	}
	for k, v := range f.values {
		change(k, v, 1)
	}
	change("", nil, 0)
	f.n++
	id, gone := f.n, f.gone
	f.watches[id] = change
	f.mu.Unlock()
	defer func() { f.mu.Lock(); delete(f.watches, id); f.mu.Unlock() }()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-gone:
		return errors.New("the watch has ended")
	}
}

func (f *fakeStore) Put(_ context.Context, key string, value []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return errors.New("nats: no servers available")
	}
	f.values[key] = value
	for _, w := range maps.Clone(f.watches) {
		w(key, value, 1)
	}
	return nil
}

func (f *fakeStore) get(key string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.values[key]
}

func (f *fakeStore) remove(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.values, key)
	for _, w := range f.watches {
		w(key, nil, 2)
	}
}

// lose makes the store fail from now on.
func (f *fakeStore) lose() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = true
	close(f.gone)
}

func (f *fakeStore) put(t *testing.T, k Key) {
	t.Helper()
	data, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Put(t.Context(), k.ID, data); err != nil {
		t.Fatal(err)
	}
}

// key makes a key of a scope and stores it.
func (f *fakeStore) key(t *testing.T, scope Scope, expires time.Time) (Key, string) {
	t.Helper()
	k, text, err := NewKey("tester", scope, time.Now(), expires)
	if err != nil {
		t.Fatal(err)
	}
	f.put(t, k)
	return k, text
}

// ready returns a ring that has read the store, without a loop that follows it:
// changes reach it by the watch of the test.
func (f *fakeStore) ready(t *testing.T) *Ring {
	t.Helper()
	r := NewRing(f, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	for {
		r.mu.RLock()
		heard := !r.heard.IsZero()
		r.mu.RUnlock()
		if heard {
			return r
		}
		time.Sleep(time.Millisecond)
	}
}

var (
	loopback = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
	anywhere = &net.TCPAddr{IP: net.IPv4zero, Port: 8080}
)

// ok answers 200 with who was let in.
var ok = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte(From(r.Context()).Text()))
})

func build(t *testing.T, c Config) http.Handler {
	t.Helper()
	g, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return g.Wrap(ok)
}

// ask sends a request of this machine, changed by tune.
func ask(h http.Handler, method, path string, tune func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:5000", "127.0.0.1:8080"
	if tune != nil {
		tune(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// with sets headers.
func withHeaders(pairs ...string) func(*http.Request) {
	return func(r *http.Request) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == "Host" {
				r.Host = pairs[i+1]
			} else {
				r.Header.Add(pairs[i], pairs[i+1])
			}
		}
	}
}
