//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Kinds of processes, in the order in which they are started.
const (
	kindKafka      = "kafka"
	kindNATS       = "nats"
	kindPostgres   = "postgres"
	kindBridge     = "bridge"
	kindArchive    = "archive"
	kindDeadLetter = "deadletter"
)

var allKinds = []string{kindKafka, kindNATS, kindPostgres, kindBridge, kindArchive, kindDeadLetter}

// world is the whole system as processes of their own, on ports of its own.
type world struct {
	t                     *testing.T
	dir                   string
	kafka, nats, postgres string // host:port, with commas between several
	database              string // URL
	binary                string
	further               []string // variables
	mu                    sync.Mutex
	children              []*child
}

func newWorld(t *testing.T) *world {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "streamflow-audit-")
	if err != nil {
		t.Fatal(err)
	}
	// PostgreSQL, which is never root, must be able to go in.
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dir: dir, binary: path, kafka: freeAddr(t), nats: freeAddr(t), postgres: freeAddr(t)}
	w.database = "postgres://streamflow@" + w.postgres + "/streamflow?sslmode=disable"
	t.Cleanup(w.close)
	return w
}

// freeAddr chooses a port below those that the kernel hands out to outgoing
// connections: one of these would take it while its server is down.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(20000))
		if ln, err := net.Listen("tcp", addr); err == nil {
			ln.Close()
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}

// args returns the command line of a kind of process.
func (w *world) args(kind string) []string {
	switch kind {
	case kindKafka, kindNATS, kindPostgres:
		return []string{"serve", kind}
	case kindArchive, kindDeadLetter:
		return []string{"worker", kind}
	}
	return []string{kind}
}

// env gives every process the same world, whatever the tester's own holds.
func (w *world) env() []string {
	return slices.Concat(os.Environ(), []string{
		"KAFKA_BOOTSTRAP_SERVERS=" + w.kafka, "NATS_URL=nats://" + w.nats, "DATABASE_URL=" + w.database,
		"DATA_DIR=" + filepath.Join(w.dir, "data"), "KAFKA_ADDR=" + w.kafka, "NATS_ADDR=" + w.nats, "POSTGRES_ADDR=" + w.postgres,
		"LOG_LEVEL=info", "LOG_FORMAT=text", "METRICS_ADDR=", "HTTP_ADDR=127.0.0.1:0", "KAFKA_TOPIC=stock_ticks", "CONSUMER_GROUP=audit",
		"MASK_KEY=of the audit, and no other"}, w.further)
}

// start starts a process that is restarted whenever it ends, as a service
// manager would, and returns it. name tells several of a kind apart.
func (w *world) start(kind, name string, extra ...string) *child {
	w.t.Helper()
	return w.startLine(kind, name, slices.Concat([]string{w.binary}, w.args(kind), extra))
}

// startLine starts any command like that.
func (w *world) startLine(kind, name string, line []string) *child {
	w.t.Helper()
	c := &child{w: w, kind: kind, name: name, line: line, changed: make(chan struct{})}
	w.mu.Lock()
	w.children = append(w.children, c)
	w.mu.Unlock()
	c.launch()
	return c
}

// servers starts the three servers and waits until they can be used, and makes
// topics, streams and tables.
func (w *world) servers() map[string]*child {
	w.t.Helper()
	children := make(map[string]*child)
	for _, kind := range allKinds[:3] {
		children[kind] = w.start(kind, kind)
	}
	for _, addr := range []string{w.kafka, w.nats, w.postgres} {
		w.await("a server at "+addr, 2*time.Minute, func() bool { return listens(addr) })
	}
	w.topics()
	return children
}

// everything starts one process of every kind.
func (w *world) everything() map[string]*child {
	w.t.Helper()
	children := w.servers()
	for _, kind := range allKinds[3:] {
		children[kind] = w.start(kind, kind)
	}
	return children
}

func listens(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// topics runs `streamflow topics` until it succeeds: a server that has just
// been started may not be ready.
func (w *world) topics() {
	w.t.Helper()
	var last string
	w.await("streamflow topics", 2*time.Minute, func() bool {
		out, code := w.run("topics")
		last = out
		return code == 0
	}, func() string { return last })
}

// run runs a command to its end.
func (w *world) run(args ...string) (output string, code int) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.binary, args...)
	cmd.Env = w.env()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return string(out) + err.Error(), -1
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// await polls a condition of processes that can only be looked at from outside.
func (w *world) await(what string, atMost time.Duration, ok func() bool, detail ...func() string) time.Duration {
	w.t.Helper()
	start := time.Now()
	for !ok() {
		if took := time.Since(start); took > atMost {
			text := ""
			for _, d := range detail {
				text += "\n" + d()
			}
			w.t.Fatalf("%s: not after %s%s", what, took.Round(time.Millisecond), text)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(start)
}

// logs returns the ends of the processes' logs.
func (w *world) logs() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for _, c := range w.children {
		text, _ := os.ReadFile(c.logName())
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		fmt.Fprintf(&b, "--- %s (%d starts)\n%s\n", c.name, c.starts, strings.Join(lines[max(len(lines)-25, 0):], "\n"))
	}
	return b.String()
}

// close ends everything, the last started first, and removes the files.
func (w *world) close() {
	if w.t.Failed() {
		w.t.Log(w.logs())
	}
	for i := len(w.children) - 1; i >= 0; i-- {
		c := w.children[i]
		c.stop(syscall.SIGTERM)
	}
	if w.t.Failed() && os.Getenv("STREAMFLOW_AUDIT_RETAIN") != "" {
		w.t.Log("logs and data are in ", w.dir)
		return
	}
	_ = os.RemoveAll(w.dir)
}
