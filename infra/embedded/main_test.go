package embedded

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// childVar makes the test binary be a server: "<kafka|kafka-nosync|nats|postgres> <dir>".
const childVar = "EMBEDDED_TEST_CHILD"

func TestMain(m *testing.M) {
	if what := os.Getenv(childVar); what != "" {
		if err := beServer(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// beServer starts a server, prints where it is, and serves until stdin ends.
func beServer(what string) error {
	kind, dir, _ := strings.Cut(what, " ")
	var where string
	var stop func() error
	switch kind {
	case "kafka", "kafka-nosync":
		k, err := StartKafka(KafkaConfig{Addr: "127.0.0.1:0", Dir: dir, NoSync: kind == "kafka-nosync"})
		if err != nil {
			return err
		}
		where, stop = k.Addr(), k.Close
	case "nats":
		n, err := StartNATS(NATSConfig{Addr: "127.0.0.1:0", Dir: dir})
		if err != nil {
			return err
		}
		where, stop = n.URL(), n.Close
	case "postgres":
		slog.SetLogLoggerLevel(slog.LevelWarn)
		p, err := StartPostgres(context.Background(), PostgresConfig{Addr: "127.0.0.1:0", Dir: dir})
		if err != nil {
			return err
		}
		where, stop = p.URL(), p.Close
	case "lock":
		release, err := LockDir(dir)
		if err != nil {
			return err
		}
		where, stop = "locked", release
	}
	fmt.Println(where)
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return stop()
}

// child is a server in a process of its own, which a test can kill.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
	where string
}

func startChild(t *testing.T, kind, dir string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+kind+" "+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	c := &child{t: t, cmd: cmd, stdin: stdin}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			c.kill()
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("child %s: %v", kind, err)
	}
	c.where = strings.TrimSpace(line)
	return c
}

// kill is kill -9.
func (c *child) kill() {
	c.t.Helper()
	must(c.t, c.cmd.Process.Signal(syscall.SIGKILL))
	_ = c.cmd.Wait() // it was killed
}

// stop ends the child the orderly way.
func (c *child) stop() {
	c.t.Helper()
	must(c.t, c.stdin.Close())
	must(c.t, c.cmd.Wait())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// testLog sends a server's log to the test's.
func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// wants fails unless err says each of the words.
func wants(t testing.TB, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error lacks %q: %v", w, err)
		}
	}
}

func TestLockDir(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	c := startChild(t, "lock", dir)
	_, err := LockDir(dir)
	wants(t, err, dir, fmt.Sprint(c.cmd.Process.Pid), "--data-dir", "stop that process")
	c.kill()
	release, err := LockDir(dir)
	if err != nil {
		t.Fatalf("after kill -9: %v", err)
	}
	must(t, release())
	release, err = LockDir(dir)
	must(t, err)
	must(t, release())
}
