package api

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// writeProblem answers with a problem of RFC 9457, in the form of huma's own.
func writeProblem(w http.ResponseWriter, r *http.Request, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(&huma.ErrorModel{Title: http.StatusText(status), Status: status, Detail: detail})
}

// retryAfter is the number of seconds that a client is told to wait.
const retryAfter = "5"

// unavailable is a 503 that says when to come back.
func unavailable(format string, args ...any) error {
	return huma.ErrorWithHeaders(huma.Error503ServiceUnavailable(fmt.Sprintf(format, args...)),
		http.Header{"Retry-After": {retryAfter}})
}

// badField is a 422 that names one parameter.
func badField(location string, value any, format string, args ...any) error {
	return huma.Error422UnprocessableEntity("validation failed",
		&huma.ErrorDetail{Location: location, Value: value, Message: fmt.Sprintf(format, args...)})
}
