package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"streamflow"
)

// Config is what a [Server] needs. Feed is required.
type Config struct {
	Feed    Feed
	Streams []string // which to follow; nil is all
	Tap     Tap      // sees what clients are sent; nil for none
	Logger  *slog.Logger
	// Registry takes the metrics; nil for none.
	Registry prometheus.Registerer
	// AllowedOrigins are the origins, such as https://example.com, whose pages
	// may connect beside those of this host itself; "*" is all.
	AllowedOrigins []string
	MaxSessions    int // at one time; 0 is 10,000
	// Allow says whether the client of a request may see the subjects of a root;
	// nil is yes.
	Allow func(r *http.Request, root string) bool
	// Problem answers a request that does not become a websocket; nil answers
	// with plain text.
	Problem func(w http.ResponseWriter, r *http.Request, status int, detail string)
	// Tracer shows which messages go to which websockets; nil traces nothing.
	Tracer Tracer
}

// Server answers requests for websockets.
type Server struct {
	hub       *hub
	socket    *socket
	followers []*follower
	shown     sync.Mutex
	sequence  uint64 // of what Show showed
}

const defaultMaxSessions = 10_000

// New returns a server that answers at once; it knows messages as soon as
// [Server.Run] has read the streams.
func New(c Config) (*Server, error) {
	if c.Feed == nil {
		return nil, errors.New("live: Feed is required")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.MaxSessions == 0 {
		c.MaxSessions = defaultMaxSessions
	}
	if c.Problem == nil {
		c.Problem = func(w http.ResponseWriter, _ *http.Request, status int, detail string) { http.Error(w, detail, status) }
	}
	h := newHub(newMetrics())
	h.replay.feed, h.allow, h.tracing = c.Feed, c.Allow, newTracing(c.Tracer)
	s := &Server{hub: h}
	for kind, k := range kinds {
		if kind != kindPipeline && (c.Streams == nil || slices.Contains(c.Streams, k.stream)) {
			s.followers = append(s.followers, &follower{kind: kind, feed: c.Feed, tap: c.Tap, hub: h, log: c.Logger})
		}
	}
	for _, stream := range c.Streams {
		if i := kindOfStream(stream); i < 0 || i == kindPipeline {
			return nil, fmt.Errorf("live: stream %q is not one of %s", stream, streamNames())
		}
	}
	if c.Registry != nil {
		if err := h.metrics.register(c.Registry); err != nil {
			return nil, err
		}
	}
	s.socket = newSocket(h, c.AllowedOrigins, c.MaxSessions, c.Problem)
	return s, nil
}

// ServeHTTP upgrades a request and serves its session until it ends.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.socket.ServeHTTP(w, r) }

// Run follows the streams until ctx ends. Then it takes nothing more in, closes
// the websockets with 1001 and returns when all are gone, which takes a client
// that reads nothing a few seconds. Call it once.
func (s *Server) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, f := range s.followers {
		wg.Go(func() { f.run(ctx) })
	}
	wg.Go(func() { s.socket.run(ctx) })
	wg.Wait()
}

// Show shows data, which is JSON, to those who subscribe to "pipeline". Its
// sequences count from 1 and cannot be resumed.
func (s *Server) Show(data []byte) {
	s.shown.Lock()
	defer s.shown.Unlock()
	s.sequence++
	s.hub.publish(kindPipeline, []streamflow.Message{{Subject: kinds[kindPipeline].root, Data: data, Sequence: s.sequence}}, time.Now())
}

// Wanted reports whether anybody has subscribed to a subject.
func (s *Server) Wanted(subject string) bool {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return len(s.hub.index.top.wanting(splitTokens(nil, subject), nil)) > 0
}

// Newest returns the newest message, fact or view, on a subject without
// wildcards, and whether there is one. The bytes are the caller's own.
func (s *Server) Newest(subject string) ([]byte, bool) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	sub := s.hub.memory.byName[subject]
	if sub == nil || !sub.known {
		return nil, false
	}
	return slices.Clone(sub.m.Data), true
}

// Matching returns the newest message, fact or view, of each subject that a
// pattern takes in, in no order. What was silent for long may be forgotten.
func (s *Server) Matching(subjects string) ([]streamflow.Message, error) {
	p, err := parsePattern(subjects)
	if err != nil {
		return nil, err
	}
	var found []streamflow.Message
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.index.top.each(p.tokens, func(sub *subject) {
		if !sub.known {
			return
		}
		m := sub.m
		m.Data, m.Headers = slices.Clone(m.Data), slices.Clone(m.Headers)
		found = append(found, m)
	})
	return found, nil
}

// Last returns up to which sequence a stream was read; ready is false while it
// was not read at all.
func (s *Server) Last(stream string) (sequence uint64, ready bool) {
	for _, f := range s.followers {
		if kinds[f.kind].stream == stream {
			return f.last.Load(), f.ready.Load()
		}
	}
	return 0, false
}

// Trouble says why a stream cannot be read, "" if nothing is known to be wrong.
func (s *Server) Trouble(stream string) string {
	for _, f := range s.followers {
		if kinds[f.kind].stream == stream {
			return f.trouble()
		}
	}
	return ""
}
