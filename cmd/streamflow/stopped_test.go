//go:build unix

package main

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStopped: a command that is to come to an end and is stopped before says so
// and fails; one that only a signal ends has done what it should. A terminal
// that is closed is such a signal.
func TestStopped(t *testing.T) {
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close() // nobody listens there
	// Where these tests run under nohup, what they start would obey it too.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	file := filepath.Join(t.TempDir(), "ticks.json")
	if err := os.WriteFile(file, []byte(`{"symbol":"A","price":1,"volume":1,"timestamp":"2025-01-02T15:04:05Z"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	away := []string{"--kafka", closed.Addr().String()}
	serve := []string{"serve", "nats", "--data-dir", t.TempDir(), "--nats-addr", "127.0.0.1:0"}
	for _, c := range []struct {
		args    []string
		running string // what it says when it is at work
		signal  os.Signal
		code    int
		says    string
	}{
		{append([]string{"ingest", file}, away...), "trying again", os.Interrupt, exitFailed, "stopped before it was done: start it again"},
		{append([]string{"ingest", "--follow", file}, away...), "trying again", os.Interrupt, 0, ""},
		{serve, "NATS is ready", os.Interrupt, 0, ""},
		{serve, "NATS is ready", syscall.SIGTERM, 0, ""},
		{serve, "NATS is ready", syscall.SIGHUP, 0, ""},
	} {
		name := strings.Join(c.args[:2], " ") + " " + c.signal.String()
		cmd := exec.Command(binary, c.args...)
		out, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		var last string
		told := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			last = lines.Text()
			if !told && strings.Contains(last, c.running) {
				told = true
				_ = cmd.Process.Signal(c.signal)
			}
		}
		_ = cmd.Wait()
		late.Stop()
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(last, c.says) {
			t.Errorf("%s: exit code %d, want %d; last words: %s", name, code, c.code, last)
		}
	}
	for command, want := range map[string]int{"up": 0, "simulate ticks": 0, "tail": 0, "backup <dir>": exitFailed, "export <what> <symbol>": exitFailed, "verify": exitFailed} {
		if got := stopped(command); got != want {
			t.Errorf("%s, stopped: %d, want %d", command, got, want)
		}
	}
}
