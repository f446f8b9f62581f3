package schemas

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"streamflow"
	"streamflow/infra/secure"
)

const plainTick = `{"symbol":"AAPL","price":1}`

// away asks for a schema that cannot be asked for, and checks what is said.
func (r *rig) away(registry *Registry, what ...string) {
	r.t.Helper()
	_, err := registry.JSON(r.t.Context(), frame(1, nil, []byte(plainTick)), ticks)
	var fault *streamflow.RejectError
	if err == nil || errors.As(err, &fault) {
		r.t.Errorf("%v, want that the registry is away", err)
		return
	}
	for _, w := range what {
		if !strings.Contains(err.Error(), w) {
			r.t.Errorf("%v, want %q in it", err, w)
		}
	}
}

func TestJSONSchema(t *testing.T) {
	r := newRig(t)
	r.is(frame(r.register(sr.TypeJSON, `{"type":"object"}`), nil, []byte(plainTick)), ticks, plainTick)
}

func TestFramesAreRefused(t *testing.T) {
	r := newRig(t)
	for _, value := range []string{"\x00", "\x00\x00\x00\x00", "\x00{}"} {
		r.refuses([]byte(value), streamflow.ReasonUndecodable, "bytes in all")
	}
	r.refuses(frame(7, nil, []byte(plainTick)), streamflow.ReasonNoSchema, "no schema 7")
	r.refuses(frame(1<<31, nil, nil), streamflow.ReasonNoSchema, "no schema 2147483648")
	// What is remembered is told again.
	before := r.asked.Load()
	for range 100 {
		r.refuses(frame(7, nil, []byte(plainTick)), streamflow.ReasonNoSchema, "no schema 7")
	}
	if n := r.asked.Load() - before; n != 0 {
		t.Errorf("asked %d times for what is known not to be there", n)
	}
	// But not for ever.
	r.fake.SeedSchema("late", 1, 7, sr.Schema{Schema: `{"type":"object"}`, Type: sr.TypeJSON})
	later := time.Now().Add(2 * faultAge)
	r.now = func() time.Time { return later }
	r.is(frame(7, nil, []byte(plainTick)), ticks, plainTick)
}

func TestReferenceIsMissing(t *testing.T) {
	r := newRig(t)
	ref := r.refer(sr.TypeAvro, "a.B", `{"type":"enum","name":"a.B","symbols":["X"]}`)
	id := r.register(sr.TypeAvro, `{"type":"record","name":"T","fields":[{"name":"b","type":"a.B"}]}`, ref)
	r.fake.Intercept(func(w http.ResponseWriter, req *http.Request) bool {
		if !strings.HasPrefix(req.URL.Path, "/subjects/") {
			return false
		}
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error_code":40401,"message":"Subject not found."}`)
		return true
	})
	r.refuses(frame(id, nil, []byte{0}), streamflow.ReasonBadSchema, `subject "subject of a.B"`)
}

// Whatever else answers in its place is not the registry: values wait.
func TestAway(t *testing.T) {
	r := newRig(t)
	id := r.register(sr.TypeJSON, `{"type":"object"}`)
	for _, c := range []struct {
		status     int
		body, what string
	}{
		{http.StatusServiceUnavailable, "", "503"},
		{http.StatusInternalServerError, `{"error_code":50001,"message":"Error in the backend"}`, "Error in the backend"},
		{http.StatusNotFound, "<html>404 page not found</html>", "SCHEMA_REGISTRY_URL"},
		{http.StatusOK, "<html>Welcome</html>", "decode"},
		{http.StatusOK, strings.Repeat(" ", answerBytes+1), "too large"},
	} {
		r.fake.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
			return true
		})
		r.away(r.Registry, c.what)
		r.fake.ClearInterceptors()
	}
	// It is there again, and nothing of it was remembered.
	r.is(frame(id, nil, []byte(plainTick)), ticks, plainTick)
	r.fake.Close()
	r.is(frame(id, nil, []byte(plainTick)), ticks, plainTick) // known: nobody is asked
	r.away(r.join(Config{URLs: []string{r.fake.URL()}}), r.fake.URL())
	// One that is away has another beside it.
	other := newRig(t)
	id = other.register(sr.TypeJSON, `{"type":"object"}`)
	both := r.join(Config{URLs: []string{r.fake.URL(), other.fake.URL()}})
	if _, err := both.JSON(t.Context(), frame(id, nil, []byte(plainTick)), ticks); err != nil {
		t.Error(err)
	}
}

func TestUsers(t *testing.T) {
	r := newRig(t, srfake.WithAuth("Basic YWRhOnMzY3JldA==")) // ada:s3cret
	value := frame(r.register(sr.TypeJSON, `{"type":"object"}`), nil, []byte(plainTick))
	file := filepath.Join(t.TempDir(), "password")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("s3cret\n")
	inURL := strings.Replace(r.fake.URL(), "http://", "http://ada:s3cret@", 1)
	for _, c := range []Config{
		{User: "ada", Password: secure.Secret{Value: "s3cret"}}, {User: "ada", Password: secure.Secret{File: file}}, {URLs: []string{inURL, inURL}},
	} {
		if c.URLs == nil {
			c.URLs = []string{r.fake.URL()}
		}
		if _, err := r.join(c).JSON(t.Context(), value, ticks); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	r.away(r.Registry, "401", "SCHEMA_REGISTRY_PASSWORD")
	wrong := r.join(Config{URLs: []string{r.fake.URL()}, User: "ada", Password: secure.Secret{File: file}})
	write("other")
	r.away(wrong, "403", "SCHEMA_REGISTRY_USER")
	write("s3cret") // a password that is replaced is used from then on
	if _, err := wrong.JSON(t.Context(), value, ticks); err != nil {
		t.Error(err)
	}
	for what, c := range map[string]Config{
		"take one":              {URLs: []string{r.fake.URL()}, User: "ada", Password: secure.Secret{Value: "a", File: file}},
		"names a user":          {URLs: []string{inURL}, User: "bob"},
		"want http://HOST:PORT": {URLs: []string{"ada:s3cret@host"}},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), what) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%+v: %v, want %s", c, err, what)
		}
	}
	// Nobody is told the password.
	r.fake.Close()
	_, err := r.join(Config{URLs: []string{inURL}}).JSON(t.Context(), value, ticks)
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Error(err)
	}
}

func TestTLS(t *testing.T) {
	r := newRig(t)
	value := frame(r.register(sr.TypeJSON, `{"type":"object"}`), nil, []byte(plainTick))
	server := httptest.NewTLSServer(r.fake.Handler())
	defer server.Close()
	r.away(r.join(Config{URLs: []string{server.URL}}), "SCHEMA_REGISTRY_TLS_CA")
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.join(Config{URLs: []string{server.URL}, Files: secure.TLS{CA: file}}).JSON(t.Context(), value, ticks); err != nil {
		t.Error(err)
	}
	if _, err := New(Config{URLs: []string{server.URL}, Files: secure.TLS{CA: file + "x"}}); err == nil || !strings.Contains(err.Error(), "SCHEMA_REGISTRY_TLS_CA") {
		t.Error(err)
	}
}

func TestNoRegistry(t *testing.T) {
	registry, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := registry.JSON(t.Context(), frame(1, nil, nil), ticks); err != streamflow.ErrNoRegistry || !strings.Contains(err.Error(), "SCHEMA_REGISTRY_URL") {
		t.Error(err)
	}
}

// Many want the same schema: it is asked for once, and who gives up leaves the
// others their answer.
func TestOneQuestion(t *testing.T) {
	r := newRig(t)
	id := r.register(sr.TypeJSON, `{"type":"object"}`)
	asked, answer := make(chan struct{}, 100), make(chan struct{})
	r.fake.Intercept(func(http.ResponseWriter, *http.Request) bool {
		asked <- struct{}{}
		<-answer
		return false
	})
	ctx, leave := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := r.JSON(ctx, frame(id, nil, nil), ticks)
		first <- err
	}()
	<-asked
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { r.is(frame(id, nil, []byte(plainTick)), ticks, plainTick) })
	}
	leave()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(answer)
	all.Wait()
	if len(asked) != 0 {
		t.Errorf("asked %d times more", len(asked))
	}
}

func TestMemoryIsBounded(t *testing.T) {
	r := newRig(t)
	for id := range maxSchemas + 100 {
		r.remember(id, entry{schema: jsonSchema{}})
	}
	if len(r.known) != maxSchemas {
		t.Errorf("%d schemas are kept, want %d", len(r.known), maxSchemas)
	}
}

// A parser that fails within takes nobody along.
func TestPanic(t *testing.T) {
	r := newRig(t)
	r.remember(1, entry{schema: broken{}})
	r.refuses(frame(1, nil, nil), streamflow.ReasonUndecodable, "within the program")
}

type broken struct{}

func (broken) decode(*writer, []byte, []streamflow.Member) error { panic("broken") }
