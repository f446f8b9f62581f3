package guard

import (
	"net/http"
	"strings"
)

// credential is what a request brings to show who sends it.
type credential struct {
	text string
	// ambient is one that a browser sends by itself, whichever page makes it ask.
	ambient bool
}

// headerKey is for clients that cannot set Authorization.
const headerKey = "X-Api-Key"

// read finds the key of a request: Authorization: Bearer, X-API-Key, or for
// browsers the password of Basic. It is never taken from the address, which
// ends in logs and histories. More than one is refused: two parts of a chain
// might each believe another one.
func readCredential(r *http.Request) (c credential, fault string) {
	given := r.Header.Values("Authorization")
	keys := r.Header.Values(headerKey)
	switch {
	case len(given)+len(keys) > 1:
		return c, "the request brings more than one key"
	case len(keys) == 1:
		return credential{text: keys[0]}, ""
	case len(given) == 0:
		return c, ""
	}
	scheme, rest, _ := strings.Cut(given[0], " ")
	if strings.EqualFold(scheme, "Bearer") {
		return credential{text: strings.TrimSpace(rest)}, ""
	}
	if _, password, ok := r.BasicAuth(); ok {
		return credential{text: password, ambient: true}, ""
	}
	return c, "the header Authorization has not the form \"Bearer <key>\""
}

// challenge says how to bring a key. Only one who navigates is asked for a
// password: a script that fetches should get its answer and no dialog.
func challenge(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("WWW-Authenticate", `Bearer realm="StreamFlow"`)
	if r.Header.Get("Sec-Fetch-Mode") == "navigate" || strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.Header().Add("WWW-Authenticate", `Basic realm="StreamFlow: any name, an API key as the password", charset="UTF-8"`)
	}
}
