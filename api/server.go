package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Config is what a [Server] needs. Feed and Store are required.
type Config struct {
	Feed   Feed
	Store  Store
	Checks []Check      // what GET /ready tries
	Page   http.Handler // everything that is not the API; nil answers 404
	Logger *slog.Logger // nil for slog.Default
	// Registry takes the metrics of the API, and is what /metrics shows; nil
	// makes one.
	Registry *prometheus.Registry
	// AllowedOrigins are the origins, such as https://example.com, whose pages
	// may open a websocket beside those of this host itself; "*" is all.
	AllowedOrigins []string
	MaxSessions    int    // websockets at one time; 0 is 10,000
	Version        string // shown by GET /health
}

// Server answers HTTP requests and websockets.
type Server struct {
	config  Config
	log     *slog.Logger
	hub     *hub
	board   *board
	intake  *intake
	socket  *socket
	http    *httpMetrics
	handler http.Handler
	names   map[string]string // operation by pattern of the mux
	began   time.Time
}

const defaultMaxSessions = 10_000

// New returns a server that answers at once; it knows stocks as soon as
// [Server.Run] has read the stream. The error names the setting that is wrong.
func New(c Config) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Registry == nil {
		c.Registry = prometheus.NewRegistry()
	}
	if c.MaxSessions == 0 {
		c.MaxSessions = defaultMaxSessions
	}
	s := &Server{config: c, log: c.Logger, hub: newHub(newWSMetrics()), board: newBoard(), http: newHTTPMetrics(), began: time.Now()}
	s.intake = &intake{feed: c.Feed, store: c.Store, hub: s.hub, board: s.board, log: c.Logger}
	if err := s.register(c.Registry); err != nil {
		return nil, err
	}
	s.socket = newSocket(s.hub, c.AllowedOrigins, c.MaxSessions)
	return s, s.route()
}

func (c *Config) check() error {
	var errs []error
	if c.Feed == nil || c.Store == nil {
		errs = append(errs, errors.New("api: Feed and Store are required"))
	}
	for _, ch := range c.Checks {
		if ch.Name == "" || ch.Fn == nil {
			errs = append(errs, fmt.Errorf("api: check %q: Name and Fn are required", ch.Name))
		}
	}
	for _, o := range c.AllowedOrigins {
		u, err := url.Parse(o)
		if o != "*" && (err != nil || u.Scheme == "" || u.Host == "" || u.Path != "") {
			errs = append(errs, fmt.Errorf("api: allowed origin %q: want scheme://host[:port] without a path, or *", o))
		}
	}
	if c.MaxSessions < 0 {
		errs = append(errs, fmt.Errorf("api: MaxSessions is %d, want 0 or more", c.MaxSessions))
	}
	return errors.Join(errs...)
}

// route joins paths and handlers.
func (s *Server) route() error {
	mux := http.NewServeMux()
	api := newAPI(mux, s)
	docs, err := newDocuments(api.OpenAPI())
	if err != nil {
		return err
	}
	mux.Handle("GET /openapi.json", docs.json)
	mux.Handle("GET /openapi.yaml", docs.yaml)
	mux.Handle("GET /docs", docs.page)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.config.Registry, promhttp.HandlerOpts{}))
	mux.Handle("GET /ws", s.socket)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.fallback(mux, w, r) })
	s.names = operationNames(api.OpenAPI())
	s.handler = s.around(mux)
	return nil
}

// fallback answers what no route takes: a wrong method, an unknown path of the
// API, or else the page.
func (s *Server) fallback(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		get := &http.Request{Method: http.MethodGet, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(get); pattern != "/" {
			w.Header().Set("Allow", "GET, HEAD")
			writeProblem(w, r, http.StatusMethodNotAllowed, fmt.Sprintf("%.40s is not possible here, only GET and HEAD are", r.Method))
			return
		}
	}
	path := r.URL.Path
	if s.config.Page != nil && path != "/api" && !strings.HasPrefix(path, "/api/") {
		s.config.Page.ServeHTTP(w, r)
		return
	}
	writeProblem(w, r, http.StatusNotFound, fmt.Sprintf("there is nothing at %.200q: GET /docs lists what there is", r.URL.EscapedPath()))
}

// operation names the operation of a pattern, for metrics.
func (s *Server) operation(pattern string) string {
	if name := s.names[pattern]; name != "" {
		return name
	}
	return "page"
}

// Handler returns the handler of all paths.
func (s *Server) Handler() http.Handler { return s.handler }

// Run follows the stream until ctx ends. Then it takes nothing more in, closes
// the websockets with 1001 and returns when all are gone, which takes a client
// that reads nothing a few seconds. Call it once.
func (s *Server) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { s.intake.run(ctx) })
	wg.Go(func() { s.socket.run(ctx) })
	wg.Wait()
	return nil
}
