package schemas

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"golang.org/x/sync/singleflight"

	"streamflow"
	"streamflow/infra/secure"
)

// Config says where the registry is.
type Config struct {
	URLs     []string // http[s]://[user:password@]host[:port][/path]; the next one is tried when one is away
	User     string   // for basic authentication; "" for none
	Password secure.Secret
	Files    secure.TLS // for https; the system's authorities, if it names none
}

// What the settings are called, for errors.
const (
	settingTLS      = "SCHEMA_REGISTRY_TLS"
	settingPassword = "SCHEMA_REGISTRY_PASSWORD"
)

const (
	askAtMost   = 10 * time.Second // for a schema with all that it refers to
	answerWait  = 5 * time.Second
	answerBytes = 4 << 20
	// maxSchemas bounds what is kept, should somebody register without end; any
	// one gives way to a new one.
	maxSchemas = 1000
	// faultAge is how long it is remembered that a schema is not there, or cannot
	// be used: a flood of garbage must not become a flood of questions.
	faultAge = 10 * time.Second
)

// Registry reads framed values. It may be used by several goroutines.
type Registry struct {
	client *sr.Client // nil if no registry is set
	where  string     // for a person
	flight singleflight.Group
	mu     sync.RWMutex
	known  map[int]entry
	now    func() time.Time
}

// entry is what is known of an id.
type entry struct {
	schema schema
	fault  *streamflow.RejectError // why there is no schema
	until  time.Time               // how long the fault is believed
}

// schema is one of the formats.
type schema interface {
	// decode writes what body says to w.
	decode(w *writer, body []byte, members []streamflow.Member) error
}

// New returns a registry, which is not asked yet. Without a URL it refuses all
// values with [streamflow.ErrNoRegistry].
func New(c Config) (*Registry, error) {
	r := &Registry{known: make(map[int]entry), now: time.Now}
	if len(c.URLs) == 0 {
		return r, nil
	}
	urls, err := c.urls()
	if err != nil {
		return nil, err
	}
	c.Files.Setting, c.Password.Setting = settingTLS, settingPassword
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if transport.TLSClientConfig, err = c.Files.Client(); err != nil {
		return nil, fmt.Errorf("schema registry: %w", err)
	}
	if _, err := c.Password.Read(); err != nil {
		return nil, fmt.Errorf("schema registry: %w", err)
	}
	r.where = strings.Join(urls, ", ")
	r.client, err = sr.NewClient(sr.URLs(urls...), sr.UserAgent("streamflow"), sr.DefaultParams(sr.ShowDeleted),
		sr.HTTPClient(&http.Client{Timeout: answerWait, Transport: limited{transport}}), sr.PreReq(c.sign))
	return r, err
}

// urls takes the user out of the URLs: errors quote them.
func (c *Config) urls() (urls []string, err error) {
	for _, text := range c.URLs {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			// The error of url.Parse repeats the URL, and that may hold a password.
			return nil, errors.New("SCHEMA_REGISTRY_URL: want http://HOST:PORT or https://HOST:PORT")
		}
		if u.User != nil {
			password, _ := u.User.Password()
			same := c.User == u.User.Username() && c.Password == secure.Secret{Value: password}
			if (c.User != "" || c.Password.Set()) && !same {
				return nil, errors.New("SCHEMA_REGISTRY_URL names a user, and another one is named too: name one, or use SCHEMA_REGISTRY_USER and SCHEMA_REGISTRY_PASSWORD")
			}
			c.User, c.Password = u.User.Username(), secure.Secret{Value: password}
			u.User = nil
		}
		urls = append(urls, u.String())
	}
	return urls, nil
}

// sign puts user and password into a request. The password is read anew, so
// that it can be changed while we run.
func (c *Config) sign(req *http.Request) error {
	if c.User == "" {
		return nil
	}
	password, err := c.Password.Read()
	if err == nil {
		req.SetBasicAuth(c.User, password)
	}
	return err
}

// limited bounds how much of an answer is read: whatever it is that answers.
type limited struct{ http.RoundTripper }

func (l limited) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(req)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, answerBytes)
	}
	return resp, err
}

// JSON returns what a framed value says as JSON text. members are those that
// its reader knows: under their names go fields that have another name, and the
// required ones are there even where the format leaves out a zero.
//
// An error that is a [*streamflow.RejectError] is the value's fault, and quotes
// nothing of it. Any other says that the registry cannot be asked now.
func (r *Registry) JSON(ctx context.Context, value []byte, members []streamflow.Member) ([]byte, error) {
	if err := streamflow.CheckFramed(value); err != nil {
		return nil, err
	}
	if r.client == nil {
		return nil, streamflow.ErrNoRegistry
	}
	id, body, err := new(sr.ConfluentHeader).DecodeID(value)
	if err != nil {
		return nil, refuse(streamflow.ReasonUndecodable, "it begins with a zero byte, as the wire format of a schema registry does, but has %d bytes in all, and that has 5 at least", len(value))
	}
	s, err := r.schema(ctx, id)
	if err != nil {
		return nil, err
	}
	text, fault := decode(s, body, members)
	if fault != nil {
		fault.Detail = fmt.Sprintf("schema %d: %s", id, fault.Detail)
		return nil, fault
	}
	return text, nil
}

// decode turns a panic into a fault of the value: one value must not stop a
// partition, whatever a parser makes of it.
func decode(s schema, body []byte, members []streamflow.Member) (text []byte, fault *streamflow.RejectError) {
	defer func() {
		if p := recover(); p != nil {
			text, fault = nil, refuse(streamflow.ReasonUndecodable, "reading the value has failed within the program")
		}
	}()
	w := &writer{b: make([]byte, 0, 2*len(body)+64)}
	err := s.decode(w, body, members)
	if err == nil {
		err = w.err
	}
	var reject *streamflow.RejectError
	if errors.As(err, &reject) {
		return nil, refuse(reject.Reason, "%s", reject.Detail)
	}
	if err != nil {
		return nil, refuse(streamflow.ReasonUndecodable, "the value is not what the schema describes: %v", err)
	}
	return w.b, nil
}

func refuse(r streamflow.Reason, format string, args ...any) *streamflow.RejectError {
	return &streamflow.RejectError{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// schema returns the schema of an id, from memory or from the registry.
func (r *Registry) schema(ctx context.Context, id int) (schema, error) {
	r.mu.RLock()
	e, ok := r.known[id]
	r.mu.RUnlock()
	if ok && (e.fault == nil || r.now().Before(e.until)) {
		if e.fault != nil {
			return nil, e.fault
		}
		return e.schema, nil
	}
	// Several partitions may want it at once. Who asked first may go away: the
	// others still want the answer.
	answer := r.flight.DoChan(strconv.Itoa(id), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.Background(), askAtMost)
		defer cancel()
		return r.learn(ctx, id)
	})
	select {
	case a := <-answer:
		if a.Err != nil {
			return nil, a.Err
		}
		return a.Val.(schema), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// learn asks for a schema and remembers the answer.
func (r *Registry) learn(ctx context.Context, id int) (s schema, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, refuse(streamflow.ReasonBadSchema, "schema %d cannot be used: the program has failed on it: %.200v", id, p)
		}
		var fault *streamflow.RejectError
		if err == nil || errors.As(err, &fault) {
			r.remember(id, entry{schema: s, fault: fault, until: r.now().Add(faultAge)})
		}
	}()
	got, err := r.fetch(ctx, id)
	if err != nil {
		return nil, err
	}
	switch got.kind {
	case sr.TypeAvro:
		s, err = newAvro(got)
	case sr.TypeProtobuf:
		s, err = newProtobuf(ctx, got)
	case sr.TypeJSON:
		s = jsonSchema{}
	default:
		err = fmt.Errorf("its type is %v", got.kind)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("schema %d: %w", id, ctx.Err())
		}
		return nil, refuse(streamflow.ReasonBadSchema, "schema %d cannot be used: %v", id, err)
	}
	return s, nil
}

func (r *Registry) remember(id int, e entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, there := r.known[id]; !there && len(r.known) >= maxSchemas {
		for any := range r.known {
			delete(r.known, any)
			break
		}
	}
	r.known[id] = e
}

// jsonSchema has the JSON text as its body. Whether that keeps to the schema is
// for the producer's serializer to see to, as with other readers of it.
type jsonSchema struct{}

func (jsonSchema) decode(w *writer, body []byte, _ []streamflow.Member) error {
	w.b = append(w.b, body...)
	return nil
}
