package guard

import (
	"bufio"
	"net"
	"net/http"
	"sync"
)

// leash holds the connection of a websocket, so that it ends with the key that
// opened it.
type leash struct {
	http.ResponseWriter
	mu    sync.Mutex
	conn  net.Conn
	ended bool
}

// Unwrap lets [http.ResponseController] find the real writer.
func (l *leash) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// Hijack implements [http.Hijacker].
func (l *leash) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(l.ResponseWriter).Hijack()
	if err != nil {
		return conn, rw, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn = conn; l.ended {
		_ = conn.Close()
	}
	return conn, rw, nil
}

func (l *leash) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended = true; l.conn != nil {
		_ = l.conn.Close()
	}
}

// muted tells the status of an answer and nothing of what it says.
type muted struct {
	http.ResponseWriter
	told bool
}

// WriteHeader implements [http.ResponseWriter].
func (m *muted) WriteHeader(status int) {
	if m.told {
		return
	}
	m.told = true
	m.Header().Del("Content-Type")
	m.Header().Del("Content-Length")
	m.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (m *muted) Write(b []byte) (int, error) {
	m.WriteHeader(http.StatusOK)
	return len(b), nil
}
