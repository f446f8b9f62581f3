package guard

import (
	"fmt"
	"net/http"
)

// The most of what a request may bring. Operations have smaller bodies still.
const (
	maxURL     = 8 << 10
	maxHeaders = 16 << 10
	maxFields  = 100
	maxBody    = 8 << 20
)

// tooLarge refuses what is too large before any of it is looked at. net/http
// has a limit of its own for headers, which bounds memory; this one is lower,
// because only here the answer can say what is wrong.
func (g *Guard) tooLarge(r *http.Request) *refusal {
	if n := len(r.RequestURI); n > maxURL {
		return &refusal{http.StatusRequestURITooLong, "url", fmt.Sprintf("the address has %d bytes, at most %d are taken: ask for less at once", n, maxURL)}
	}
	size, fields := 0, 0
	for name, values := range r.Header {
		for _, v := range values {
			fields++
			size += len(name) + len(v) + 4 // as on the wire: ": " and the end of the line
		}
	}
	if size > maxHeaders || fields > maxFields {
		return &refusal{http.StatusRequestHeaderFieldsTooLarge, "headers", fmt.Sprintf(
			"the headers are %d with %d bytes, at most %d with %d are taken: leave out cookies and what else is not for this server", fields, size, maxFields, maxHeaders)}
	}
	if r.ContentLength > maxBody {
		return &refusal{http.StatusRequestEntityTooLarge, "body", fmt.Sprintf("the body has %d bytes, at most %d are taken: send it in parts", r.ContentLength, maxBody)}
	}
	return nil
}
