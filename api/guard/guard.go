package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Open says who may read without a key.
type Open string

// Who may read without a key.
const (
	OpenNobody    Open = "nobody"
	OpenLoopback  Open = "loopback" // programs and pages of this machine, on a loopback address
	OpenEverybody Open = "everybody"
)

// Opens are all of them, the least first.
var Opens = []Open{OpenNobody, OpenLoopback, OpenEverybody}

// Config is what a [Guard] goes by. Its zero value is open to loopback for
// reading, and closed for all else.
type Config struct {
	Open Open // "" is [OpenLoopback]
	// OpenWrites lets whoever may read from loopback without a key write too. It
	// is for a system that one person runs on their own machine.
	OpenWrites bool
	// Listener is the address that the server listens on; nil goes by the one at
	// which each connection arrived.
	Listener net.Addr
	Keys     *Ring // nil knows none
	// Need says what a request needs; nil is [ScopeRead] for what only reads and
	// [ScopeAdmin] for the rest.
	Need func(*http.Request) Scope
	// Origins are those whose pages may use the API beside its own; "*" is all.
	Origins []string
	Rate    Rate
	// Problem answers a request that is refused; nil answers with plain text.
	Problem func(w http.ResponseWriter, r *http.Request, status int, detail string)
	// Registry takes the metrics; nil for none.
	Registry prometheus.Registerer
}

// Guard decides about requests.
type Guard struct {
	config  Config
	meter   *meter
	cross   *http.CrossOriginProtection
	refused *prometheus.CounterVec
}

// New returns a guard; the error names the setting that is wrong.
func New(c Config) (*Guard, error) {
	if c.Open == "" {
		c.Open = OpenLoopback
	}
	if !slices.Contains(Opens, c.Open) {
		return nil, fmt.Errorf("guard: open to %.20q: want one of %v", c.Open, Opens)
	}
	if c.Rate.PerSecond < 0 || c.Rate.Burst < 0 {
		return nil, fmt.Errorf("guard: a rate of %v with bursts of %d: want 0 or more", c.Rate.PerSecond, c.Rate.Burst)
	}
	if c.Need == nil {
		c.Need = need
	}
	if c.Problem == nil {
		c.Problem = func(w http.ResponseWriter, _ *http.Request, status int, detail string) { http.Error(w, detail, status) }
	}
	g := &Guard{config: c, meter: newMeter(c.Rate), cross: http.NewCrossOriginProtection(), refused: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "streamflow_http_refused_total", Help: "Requests that were refused before anything was done, by status and reason.",
	}, []string{"status", "reason"})}
	for _, o := range c.Origins {
		if err := checkOrigin(o); err != nil {
			return nil, err
		}
		if o == "*" {
			continue // a page of just anybody may read, but not write with what a browser adds by itself
		}
		if err := g.cross.AddTrustedOrigin(o); err != nil {
			return nil, fmt.Errorf("guard: allowed origin %q: %w", o, err)
		}
	}
	if c.Registry != nil {
		if err := c.Registry.Register(g.refused); err != nil {
			return nil, fmt.Errorf("guard: register metrics: %w", err)
		}
	}
	return g, nil
}

func checkOrigin(o string) error {
	u, err := url.Parse(o)
	if o != "*" && (err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		return fmt.Errorf("guard: allowed origin %q: want scheme://host[:port] without a path, or *", o)
	}
	return nil
}

// Run follows the keys until ctx ends.
func (g *Guard) Run(ctx context.Context) {
	if g.config.Keys != nil {
		g.config.Keys.Run(ctx)
	}
}

// need is what a request needs where nobody says otherwise.
func need(r *http.Request) Scope {
	if safe(r.Method) {
		return ScopeRead
	}
	return ScopeAdmin
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// refusal is why a request is not served.
type refusal struct {
	status int
	reason string // for metrics
	detail string // for the client
}

// Wrap returns a handler that serves with next what may be served.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	next = compress(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header(), r)
		if no := g.tooLarge(r); no != nil {
			g.refuse(w, r, no)
			return
		}
		g.allowOrigin(w.Header(), r)
		if preflight(r) {
			if no := g.charge(w.Header(), Principal{Address: address(r).String()}, r, 1); no != nil {
				g.refuse(w, r, no)
				return
			}
			g.answerPreflight(w, r)
			return
		}
		v, no := g.judge(r)
		cost := 1.0
		if no != nil {
			cost = failureCost
		}
		if over := g.charge(w.Header(), v.Principal, r, cost); over != nil {
			no = over
		}
		if no != nil {
			if no.status == http.StatusUnauthorized {
				challenge(w, r)
			}
			g.refuse(w, r, no)
			return
		}
		g.serve(w, r, v, next)
	})
}

// serve hands a request on. What is done by a key ends with it.
func (g *Guard) serve(w http.ResponseWriter, r *http.Request, v verdict, next http.Handler) {
	ctx := with(r.Context(), v.Principal)
	if v.key != nil {
		g.config.Keys.note(v.KeyID, Used{time.Now().UTC().Truncate(time.Minute), v.Address})
		var end context.CancelCauseFunc
		ctx, end = context.WithCancelCause(ctx)
		defer end(nil)
		leash := &leash{ResponseWriter: w}
		stop := context.AfterFunc(v.key.life, func() { end(context.Cause(v.key.life)); leash.cut() })
		defer stop()
		w = leash
	}
	if v.mute {
		w = &muted{ResponseWriter: w}
	}
	r = r.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		sent, under := &body{ReadCloser: http.MaxBytesReader(w, r.Body, maxBody)}, w
		r.Body = sent
		w = &blame{ResponseWriter: w, body: sent, answer: func(detail string) { g.config.Problem(under, r, http.StatusBadRequest, detail) }}
	}
	next.ServeHTTP(w, r)
}

func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, no *refusal) {
	g.refused.WithLabelValues(fmt.Sprint(no.status), no.reason).Inc()
	if no.status == http.StatusRequestEntityTooLarge {
		w.Header().Set("Connection", "close") // what is still to come is not read
	}
	g.config.Problem(w, r, no.status, no.detail)
}

// failureCost makes one who tries keys run out of tries.
const failureCost = 10

// charge takes a request off what its key, or its address, may still ask.
func (g *Guard) charge(h http.Header, p Principal, r *http.Request, cost float64) *refusal {
	if g.meter == nil {
		return nil
	}
	name := "key " + p.KeyID
	if p.KeyID == "" {
		name = "address " + rateName(address(r))
	}
	a := g.meter.take(name, cost, time.Now())
	g.meter.tell(h, a)
	if a.ok {
		return nil
	}
	who := "this address"
	if p.KeyID != "" {
		who = "this key"
	}
	return &refusal{http.StatusTooManyRequests, "rate", fmt.Sprintf(
		"%s may send %v requests a second and %d at once: wait as long as Retry-After says; a websocket brings what changes without asking",
		who, g.meter.PerSecond, g.meter.Burst)}
}

// isStale says that keys cannot be judged, which is no fault of who brings one.
func isStale(err error) bool { return errors.Is(err, errStale) }
