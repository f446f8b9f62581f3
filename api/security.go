package api

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"streamflow/api/guard"
)

// scheme names the one way to bring a key in the document.
const scheme = "key"

// newDocument registers the operations on mux, and adds to their document what
// holds for all of them.
func newDocument(mux humago.Mux, s *Server) huma.API {
	api := newAPI(mux, s)
	api.OpenAPI().Paths["/ws"].Get.Responses["400"] = &huma.Response{
		Description: "The request does not ask for a websocket",
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/ErrorModel"}}},
	}
	for _, op := range operations(api.OpenAPI()) {
		if r := op.Responses["304"]; r != nil {
			r.Content = nil // it has no body
		}
	}
	describeSecurity(api.OpenAPI())
	describeExamples(api.OpenAPI())
	return api
}

// scopeOf returns what an operation needs. To change how the system runs, or
// what becomes of refused data, is for those who operate it.
func scopeOf(op *huma.Operation) guard.Scope {
	switch {
	case op.OperationID == "get-health":
		return guard.ScopeNone // says that the process lives, and nothing else
	case op.Method == http.MethodGet, op.OperationID == "test-rule": // which changes nothing
		return guard.ScopeRead
	case slices.Contains(op.Tags, "functions"), slices.Contains(op.Tags, "dead letters"):
		return guard.ScopeAdmin
	}
	return guard.ScopeWrite
}

// scopes maps the patterns of the mux to what they need.
func scopes(doc *huma.OpenAPI) map[string]guard.Scope {
	needs := make(map[string]guard.Scope)
	for _, op := range operations(doc) {
		needs[op.Method+" "+op.Path] = scopeOf(op)
	}
	return needs
}

// need says what a request needs, by the very pattern that will serve it. What
// has none of its own, the page and what is not there, is read.
func (s *Server) need(r *http.Request) guard.Scope {
	_, pattern := s.mux.Handler(r)
	if scope, ok := s.scopes[pattern]; ok {
		return scope
	}
	return guard.ScopeRead
}

// refusals are what a request may be answered before an operation sees it.
var refusals = []struct {
	status     int
	name, text string
	headers    []string
	keyed      bool // only where a key is asked for
}{
	{http.StatusUnauthorized, "NoKey", "A key is needed, or the one that was sent is not taken; the detail says why, and how to get one", []string{"WWW-Authenticate"}, true},
	{http.StatusForbidden, "Forbidden", "The key has not the scope that is needed, or a page of another site sent this", nil, true},
	{http.StatusRequestEntityTooLarge, "TooLarge", "The body is too large", nil, false},
	{http.StatusRequestURITooLong, "AddressTooLong", "The address is too long", nil, false},
	{http.StatusTooManyRequests, "TooMany", "This key, or this address, sends too many requests", []string{"Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy"}, false},
	{http.StatusRequestHeaderFieldsTooLarge, "HeadersTooLarge", "The headers are too large, or too many", nil, false},
	{http.StatusServiceUnavailable, "Unavailable", "Something that is needed is away; the detail says what", []string{"Retry-After"}, true},
}

// describeSecurity adds to every operation what it needs and how it may be
// refused.
func describeSecurity(doc *huma.OpenAPI) {
	c := doc.Components
	c.SecuritySchemes = map[string]*huma.SecurityScheme{scheme: {
		Type: "http", Scheme: "bearer", BearerFormat: "sf_<id>_<secret>",
		Description: "An API key: `streamflow keys create NAME --scope read` makes one. Its scope is read, write or admin; each holds those before it. " +
			"It is taken as X-Api-Key too, and from browsers as the password of Basic. From this machine to a loopback address, reading needs no key, " +
			"nor does writing under `streamflow up`.",
	}}
	c.Responses = make(map[string]*huma.Response)
	problem := map[string]*huma.MediaType{"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/ErrorModel"}}}
	for _, r := range refusals {
		response := &huma.Response{Description: r.text, Content: problem}
		for _, h := range r.headers {
			if response.Headers == nil {
				response.Headers = make(map[string]*huma.Param)
			}
			response.Headers[h] = &huma.Param{Schema: &huma.Schema{Type: huma.TypeString}}
		}
		c.Responses[r.name] = response
	}
	for _, op := range operations(doc) {
		scope := scopeOf(op)
		for _, r := range refusals {
			code := strconv.Itoa(r.status)
			if op.Responses[code] == nil && (!r.keyed || scope != guard.ScopeNone) {
				op.Responses[code] = &huma.Response{Ref: "#/components/responses/" + r.name}
			}
		}
		if scope != guard.ScopeNone {
			op.Security = []map[string][]string{{scheme: {string(scope)}}, {}}
			op.Description += fmt.Sprintf("\n\nA key needs scope `%s`.", scope)
		}
	}
}
