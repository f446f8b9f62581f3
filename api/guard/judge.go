package guard

import (
	"fmt"
	"net/http"
	"time"
)

// verdict is who sends a request that may be served.
type verdict struct {
	Principal
	key  *held // nil where no key was needed
	mute bool  // only the status may be told
}

const howToGetAKey = "bring a key as \"Authorization: Bearer <key>\"; `streamflow keys create NAME --scope %s` makes one"

// judge decides whether a request may be served, and for whom.
func (g *Guard) judge(r *http.Request) (verdict, *refusal) {
	v := verdict{Principal: Principal{Address: address(r).String()}}
	needs := g.config.Need(r)
	if needs == ScopeNone {
		return v, nil
	}
	cred, fault := readCredential(r)
	if fault != "" {
		return v, &refusal{http.StatusUnauthorized, "credential", fault + ": " + fmt.Sprintf(howToGetAKey, needs)}
	}
	if cred.text == "" {
		return g.judgeKeyless(r, v, needs)
	}
	if g.config.Keys == nil {
		return v, &refusal{http.StatusUnauthorized, "unknown", "the API key is not taken: this server knows no keys"}
	}
	h, err := g.config.Keys.check(cred.text, time.Now())
	if isStale(err) {
		return v, &refusal{http.StatusServiceUnavailable, "stale", err.Error() + ": try again in a moment; GET /ready says what is wrong"}
	}
	if err != nil {
		return v, &refusal{http.StatusUnauthorized, "unknown", fmt.Sprintf("the API key is not taken: %v; `streamflow keys list` shows those that are", err)}
	}
	v.key, v.KeyID, v.Name, v.Scope = h, h.ID, h.Name, h.Scope
	if !h.Scope.Covers(needs) {
		return v, &refusal{http.StatusForbidden, "scope", fmt.Sprintf(
			"this needs scope %s, and key %s (%s) has %s: `streamflow keys create NAME --scope %s` makes one that may", needs, h.ID, h.Name, h.Scope, needs)}
	}
	if cred.ambient {
		return v, g.crossSite(r)
	}
	return v, nil
}

// judgeKeyless decides about a request that brings no key.
func (g *Guard) judgeKeyless(r *http.Request, v verdict, needs Scope) (verdict, *refusal) {
	if g.config.Open == OpenEverybody && needs == ScopeRead {
		v.Scope = ScopeRead
		return v, g.crossSite(r)
	}
	why := "this server asks everybody for a key"
	if g.config.Open != OpenNobody {
		why = remote(r, g.config.Listener)
	}
	switch {
	case why != "":
	case needs == ScopeRead:
		v.Scope = ScopeRead
		return v, g.crossSite(r)
	case g.config.OpenWrites:
		v.Scope, v.Name = ScopeAdmin, "local"
		return v, g.crossSite(r)
	default:
		why = "writing needs a key here, on loopback too"
	}
	if r.URL.Path == readyPath && safe(r.Method) {
		v.mute = true // those who balance load want the status, and have no key
		return v, nil
	}
	return v, &refusal{http.StatusUnauthorized, "no_key", why + ": " + fmt.Sprintf(howToGetAKey, needs)}
}

// readyPath shows what the system depends on, which is not for everybody.
const readyPath = "/ready"

// crossSite refuses what a page of another site makes a browser send that would
// change something, by what the browser itself says of the request.
func (g *Guard) crossSite(r *http.Request) *refusal {
	if err := g.cross.Check(r); err != nil {
		return &refusal{http.StatusForbidden, "cross_site", fmt.Sprintf(
			"a page of another site (%.100q) sent this, and its visitor may not know: allow the origin in the server's settings, or send a key as \"Authorization: Bearer <key>\"",
			r.Header.Get("Origin"))}
	}
	return nil
}
