package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Health is the answer of GET /health.
type Health struct {
	Status  string  `json:"status" enum:"ok" example:"ok" doc:"ok, whatever the dependencies do"`
	Version string  `json:"version" example:"1.0.0" doc:"Version of the program"`
	Uptime  float64 `json:"uptimeSeconds" example:"3600" doc:"Seconds since the start"`
}

func (s *Server) registerHealth(api huma.API) {
	type output struct{ Body Health }
	huma.Register(api, get("get-health", "/health", "server", "Is it alive",
		"Says that the process answers. It asks nobody else: see /ready for that."),
		func(context.Context, *struct{}) (*output, error) {
			uptime := math.Round(time.Since(s.began).Seconds())
			return &output{Health{Status: "ok", Version: s.config.Version, Uptime: uptime}}, nil
		})
}

// Readiness is the answer of GET /ready.
type Readiness struct {
	Ready  bool          `json:"ready" example:"true" doc:"Whether all checks passed"`
	Checks []CheckResult `json:"checks" doc:"One result for each dependency"`
}

// CheckResult is what one [Check] found.
type CheckResult struct {
	Name    string  `json:"name" example:"postgres" doc:"The dependency"`
	OK      bool    `json:"ok" example:"true" doc:"Whether it answered as it should"`
	Latency float64 `json:"latencyMs" example:"1.25" doc:"Milliseconds that the check took"`
	Detail  string  `json:"detail,omitempty" example:"PostgreSQL 17" doc:"What answered"`
	Error   string  `json:"error,omitempty" example:"connection refused" doc:"What is wrong"`
}

// checkTimeout is how long one dependency may take.
const checkTimeout = 3 * time.Second

func (s *Server) registerReady(api huma.API) {
	type output struct {
		Status int
		Body   Readiness
	}
	op := get("get-ready", "/ready", "server", "Is it ready",
		"Tries every dependency, all at the same time, each for up to 3 s, and answers 200 if all of them work, else 503.")
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Readiness](), true, "Readiness")
	op.Responses = map[string]*huma.Response{"503": {
		Description: "A dependency does not work",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}}
	huma.Register(api, op, func(ctx context.Context, _ *struct{}) (*output, error) {
		r := runChecks(ctx, s.config.Checks)
		if r.Ready {
			return &output{http.StatusOK, r}, nil
		}
		return &output{http.StatusServiceUnavailable, r}, nil
	})
}

// runChecks runs all checks at the same time.
func runChecks(ctx context.Context, checks []Check) Readiness {
	r := Readiness{Ready: true, Checks: make([]CheckResult, len(checks))}
	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() { r.Checks[i] = runCheck(ctx, c) })
	}
	wg.Wait()
	for _, c := range r.Checks {
		r.Ready = r.Ready && c.OK
	}
	return r
}

// runCheck runs one check, and does not wait for one that overlooks the end of
// its time.
func runCheck(ctx context.Context, c Check) CheckResult {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	type outcome struct {
		detail string
		err    error
	}
	began, done := time.Now(), make(chan outcome, 1)
	go func() {
		defer func() {
			if fault := recover(); fault != nil {
				done <- outcome{err: fmt.Errorf("the check panicked: %v", fault)}
			}
		}()
		detail, err := c.Fn(ctx)
		done <- outcome{detail, err}
	}()
	var o outcome
	select {
	case o = <-done:
	case <-ctx.Done():
		o.err = fmt.Errorf("no answer within %s", checkTimeout)
	}
	r := CheckResult{Name: c.Name, OK: o.err == nil, Detail: o.detail}
	r.Latency = math.Round(float64(time.Since(began).Microseconds())) / 1000
	if o.err != nil {
		r.Error = o.err.Error()
	}
	return r
}
