package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"streamflow/api/guard"
	"streamflow/api/live"
)

// Config is what a [Server] needs. Feed and Store are required; what asks for
// another part that is nil is answered with 503.
type Config struct {
	Feed   Feed
	Store  Store
	Market Market
	// Operations are what shows how the system runs and what changes it.
	Operations Operations
	Checks     []Check      // what GET /ready tries
	Page       http.Handler // everything that is not the API; nil answers 404
	Logger     *slog.Logger // nil for slog.Default
	// Registry takes the metrics of the API, and is what /metrics shows; nil
	// makes one.
	Registry *prometheus.Registry
	// AllowedOrigins are the origins, such as https://example.com, whose pages
	// may use the API and the websocket beside those of this host itself; "*" is all.
	AllowedOrigins []string
	// Guard says who may do what. What it needs to know of the API (Need, Origins,
	// Problem, Registry) is filled in here.
	Guard       guard.Config
	Docs        http.Handler // the docs explorer at /docs; nil is a plain page of our own
	MaxSessions int          // websockets at one time; 0 is 10,000
	Version     string       // shown by GET /health
	Tracer      live.Tracer  // nil traces nothing
}

// Server answers HTTP requests and websockets.
type Server struct {
	config   Config
	log      *slog.Logger
	live     *live.Server
	board    *board
	trends   *trends
	intake   *intake
	pipeline *pipeline
	keys     *keyring
	http     *httpMetrics
	guard    *guard.Guard
	handler  http.Handler
	mux      *http.ServeMux
	names    map[string]string      // operation by pattern of the mux
	scopes   map[string]guard.Scope // what it needs, by the same
	began    time.Time
}

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
	s := &Server{config: c, log: c.Logger, board: newBoard(), trends: newTrends(), http: newHTTPMetrics(), began: time.Now()}
	s.intake, s.pipeline, s.keys = newIntake(&s.config, s.board), newPipeline(&s.config), newKeyring()
	var err error
	s.live, err = live.New(live.Config{
		Feed: c.Feed, Tap: taps{s.intake, s.pipeline, s.trends}, Logger: c.Logger, Registry: c.Registry,
		AllowedOrigins: c.AllowedOrigins, MaxSessions: c.MaxSessions, Problem: writeProblem, Tracer: c.Tracer,
	})
	if err != nil {
		return nil, err
	}
	if s.config.Market.Newest == nil {
		s.config.Market.Newest = s.live
	}
	if err := s.register(c.Registry); err != nil {
		return nil, err
	}
	g := c.Guard
	g.Need, g.Origins, g.Problem, g.Registry = s.need, c.AllowedOrigins, writeProblem, c.Registry
	if s.guard, err = guard.New(g); err != nil {
		return nil, err
	}
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
	if c.MaxSessions < 0 {
		errs = append(errs, fmt.Errorf("api: MaxSessions is %d, want 0 or more", c.MaxSessions))
	}
	return errors.Join(errs...)
}

// route joins paths and handlers.
func (s *Server) route() error {
	mux := http.NewServeMux()
	api := newDocument(mux, s)
	docs, err := newDocuments(api.OpenAPI())
	if err != nil {
		return err
	}
	mux.Handle("GET /openapi.json", docs.json)
	mux.Handle("GET /openapi.yaml", docs.yaml)
	mux.Handle("GET /asyncapi.json", docs.async)
	mux.Handle("GET /docs/plain", docs.page)
	if s.config.Docs != nil {
		docs.page = s.config.Docs
	}
	mux.Handle("GET /docs", docs.page)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.config.Registry, promhttp.HandlerOpts{}))
	mux.Handle("GET /ws", s.live)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.fallback(mux, w, r) })
	s.names, s.scopes, s.mux = operationNames(api.OpenAPI()), scopes(api.OpenAPI()), mux
	s.handler = s.around(mux)
	return nil
}

// fallback answers what no route takes: a wrong method, an unknown path of the
// API, or else the page.
func (s *Server) fallback(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	if allowed := methods(mux, r); len(allowed) > 0 && !slices.Contains(allowed, r.Method) {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		writeProblem(w, r, http.StatusMethodNotAllowed,
			fmt.Sprintf("%.40s is not possible here, only %s", r.Method, strings.Join(allowed, " and ")))
		return
	}
	path := r.URL.Path
	if s.config.Page != nil && path != "/api" && !strings.HasPrefix(path, "/api/") {
		s.config.Page.ServeHTTP(w, r)
		return
	}
	writeProblem(w, r, http.StatusNotFound, fmt.Sprintf("there is nothing at %.200q: GET /docs lists what there is", r.URL.EscapedPath()))
}

// methods returns those that the routes of a path take, none if it has no route.
func methods(mux *http.ServeMux, r *http.Request) []string {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		_, pattern := mux.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host})
		if pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

// operation names the operation of a pattern, for metrics. What was refused
// before it was known has none.
func (s *Server) operation(pattern string) string {
	if pattern == "" {
		return "refused"
	}
	if name := s.names[pattern]; name != "" {
		return name
	}
	return "page"
}

// Handler returns the handler of all paths.
func (s *Server) Handler() http.Handler { return s.handler }

// Run follows the streams until ctx ends. Then it takes nothing more in, closes
// the websockets with 1001 and returns when all are gone, which takes a client
// that reads nothing a few seconds. Call it once.
func (s *Server) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { s.intake.run(ctx) })
	wg.Go(func() {
		s.pipeline.run(ctx, func() bool { return s.live.Wanted("pipeline") }, func() { s.live.Show(s.Pipeline()) })
	})
	wg.Go(func() { s.live.Run(ctx) })
	wg.Go(func() { s.guard.Run(ctx) })
	wg.Wait()
	return nil
}
