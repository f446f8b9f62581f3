package api

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"streamflow/api/guard"
)

// headerRequestID ties an answer to the lines of the log.
const headerRequestID = "X-Request-Id"

// around is the one door of all requests: it names the request, counts it,
// logs it, and turns a panic into a 500. The guard stands behind it, so that
// what is refused is counted and logged too.
func (s *Server) around(mux *http.ServeMux) http.Handler {
	guarded := s.guard.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec, _ := r.Context().Value(recorderKey{}).(*recorder)
		defer func() { rec.pattern, rec.who = r.Pattern, guard.From(r.Context()) }() // the mux writes it to its own copy of the request
		mux.ServeHTTP(w, r)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		id := requestID(r.Header.Get(headerRequestID))
		w.Header().Set(headerRequestID, id)
		rec := &recorder{ResponseWriter: w}
		defer func() {
			if fault := recover(); fault != nil {
				s.recovered(rec, r, id, fault)
			}
			took := time.Since(began)
			s.http.observe(s.operation(rec.pattern), r.Method, rec.code(), took)
			s.log.LogAttrs(r.Context(), slog.LevelDebug, "request",
				slog.String("id", id), slog.String("method", r.Method), slog.String("path", r.URL.EscapedPath()),
				slog.Int("status", rec.code()), slog.Int64("bytes", rec.bytes), slog.Duration("took", took),
				slog.String("who", rec.who.Text()))
		}()
		guarded.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), recorderKey{}, rec)))
	})
}

// recovered answers a request whose handler panicked.
func (s *Server) recovered(rec *recorder, r *http.Request, id string, fault any) {
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault) // net/http's own way to cut an answer short
	}
	s.log.Error("a request panicked", "id", id, "method", r.Method, "path", r.URL.EscapedPath(),
		"panic", fault, "stack", string(debug.Stack()))
	if rec.status == 0 {
		writeProblem(rec, r, http.StatusInternalServerError, "this is a fault of the server; its log tells more under request id "+id)
	}
}

// requestID takes the client's id if it is fit for a log, else makes one.
func requestID(given string) string {
	if given == "" || len(given) > 64 {
		return rand.Text()
	}
	for _, c := range []byte(given) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return rand.Text()
		}
	}
	return given
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status  int
	bytes   int64
	pattern string          // of the mux, "" if it never got there
	who     guard.Principal // who asked
}

// recorderKey leads from a request to its recorder.
type recorderKey struct{}

// WriteHeader implements [http.ResponseWriter].
func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 {
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (rec *recorder) Write(b []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(b)
	rec.bytes += int64(n)
	return n, err
}

// Unwrap lets [http.ResponseController] find the real writer.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

// Hijack implements [http.Hijacker].
func (rec *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(rec.ResponseWriter).Hijack()
	if err == nil {
		rec.status = http.StatusSwitchingProtocols
	}
	return conn, rw, err
}

func (rec *recorder) code() int {
	if rec.status == 0 {
		return http.StatusOK
	}
	return rec.status
}
