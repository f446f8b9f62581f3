package live

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/olahol/melody"
)

// hardMessageLimit is where the connection is ended. Between the limit of the
// protocol and this one the client is told what is wrong, and stays.
const hardMessageLimit = 1 << 20

// socket joins the hub and melody, and stops both.
type socket struct {
	hub     *hub
	melody  *melody.Melody
	most    int // sessions
	problem func(w http.ResponseWriter, r *http.Request, status int, detail string)
	mu      sync.Mutex
	count   int
	stopped bool
	gone    chan struct{} // closed when stopped and the last session is gone
}

const sessionKey = "session"

func newSocket(h *hub, origins []string, most int, problem func(http.ResponseWriter, *http.Request, int, string)) *socket {
	m := melody.New()
	m.Config.MaxMessageSize = hardMessageLimit
	m.Config.MessageBufferSize = maxInFlight + 2 // and the close
	m.Config.WriteWait = h.stall + 3*h.grace
	m.Config.PingPeriod = 20 * time.Second
	m.Upgrader = &websocket.Upgrader{
		HandshakeTimeout: 10 * time.Second,
		ReadBufferSize:   1024, WriteBufferSize: 4096, WriteBufferPool: &sync.Pool{}, // by thousands of sessions
		CheckOrigin: func(r *http.Request) bool { return allowedOrigin(r, origins) },
		Error: func(w http.ResponseWriter, r *http.Request, status int, reason error) {
			problem(w, r, status, upgradeFault(r, status, reason))
		},
	}
	of := func(ms *melody.Session) *session { return ms.MustGet(sessionKey).(*session) }
	m.HandleConnect(func(ms *melody.Session) {
		s := of(ms)
		s.wire = ms
		h.join(s)
		go s.pump(h)
	})
	m.HandleMessage(func(ms *melody.Session, data []byte) { of(ms).read(h, data) })
	m.HandleMessageBinary(func(ms *melody.Session, _ []byte) {
		h.fail(of(ms), refuse(codeBadMessage, "the message is binary: send text, %s", usage))
	})
	m.HandleSentMessage(func(ms *melody.Session, frame []byte) {
		h.tracing.sent(frame)
		of(ms).sent(frame)
	})
	return &socket{hub: h, melody: m, most: most, problem: problem, gone: make(chan struct{})}
}

// ServeHTTP upgrades a request and serves its session until it ends.
func (k *socket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if fault := k.enter(); fault != "" {
		w.Header().Set("Retry-After", "5")
		k.problem(w, r, http.StatusServiceUnavailable, fault)
		return
	}
	defer k.leave()
	s := newSession(r)
	defer k.hub.leave(s)
	conn := &hijacker{ResponseWriter: w}
	s.hang = conn.hang
	defer conn.hang() // where a panic passes melody by
	// An error of the upgrade was answered by upgradeFault.
	_ = k.melody.HandleRequestWithKeys(conn, r, map[string]any{sessionKey: s})
}

// enter counts a session in, or says why it may not.
func (k *socket) enter() (fault string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.stopped:
		return "this server is stopping: connect again in a moment"
	case k.count >= k.most:
		return "this server holds as many websocket sessions as it may: try again later"
	}
	k.count++
	return ""
}

func (k *socket) leave() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.count--
	k.settle()
}

// settle ends the wait of stop. The caller holds the lock.
func (k *socket) settle() {
	if k.stopped && k.count == 0 {
		close(k.gone)
	}
}

// stop lets nobody in, sends what waits, closes every session with 1001 and
// returns when all are gone. melody is closed last: its hub leaves sessions
// that come or go after that hanging for ever.
func (k *socket) stop() {
	k.mu.Lock()
	if k.stopped {
		k.mu.Unlock()
		return
	}
	k.stopped = true
	k.settle()
	k.mu.Unlock()
	c := closure{code: melody.CloseGoingAway, reason: "shutdown", text: "the server is stopping", drain: true}
	for {
		k.hub.closeAll(c) // again: one may have been let in before, and joined since
		select {
		case <-k.gone:
			_ = k.melody.Close()
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// run stops the socket when ctx ends.
func (k *socket) run(ctx context.Context) {
	<-ctx.Done()
	k.stop()
}

// allowedOrigin keeps other sites' pages from reading through a visitor's
// browser. A program sends no Origin.
func allowedOrigin(r *http.Request, allowed []string) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(allowed, "*") {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	return strings.EqualFold(u.Host, r.Host) ||
		slices.ContainsFunc(allowed, func(a string) bool { return strings.EqualFold(a, origin) })
}

// hijacker remembers the connection, which melody keeps to itself, so that a
// close that cannot be written can still cut it.
type hijacker struct {
	http.ResponseWriter
	mu   sync.Mutex
	conn net.Conn
}

// Hijack implements [http.Hijacker].
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conn = conn
	return conn, rw, err
}

func (h *hijacker) hang() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conn != nil {
		_ = h.conn.Close()
	}
}

// upgradeFault says why a request cannot become a websocket.
func upgradeFault(r *http.Request, status int, reason error) string {
	switch status {
	case http.StatusForbidden:
		return fmt.Sprintf("the origin %.200q may not open a websocket here: allow it in the server's settings", r.Header.Get("Origin"))
	case http.StatusBadRequest:
		return reason.Error() + "; connect with a websocket client, for example: websocat ws://" + r.Host + "/ws"
	}
	return reason.Error()
}
