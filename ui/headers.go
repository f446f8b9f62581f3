package ui

import "net/http"

// policy lets the page load from its own origin only. Mantine writes style
// attributes and elements, hence 'unsafe-inline' for styles; ws: and wss: are
// there for browsers whose 'self' does not cover a websocket.
const policy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws: wss:; " +
	"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}
