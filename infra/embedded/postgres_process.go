package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// How long each manner of stopping gets before the next, ruder one.
const (
	pgFastStop      = 30 * time.Second
	pgImmediateStop = 10 * time.Second
)

// pgProcess is a running postmaster.
type pgProcess struct {
	cmd  *exec.Cmd
	tail *tail
	done chan struct{} // closed when it has ended
	end  error         // why, after done
	log  *slog.Logger

	stopping atomic.Bool
}

// startProcess starts cmd. The goroutine keeps its thread until the child has
// ended, because the kernel's signal at our death is really one at the death
// of the thread that made the child (PR_SET_PDEATHSIG).
func startProcess(cmd *exec.Cmd, log *slog.Logger) (*pgProcess, error) {
	p := &pgProcess{cmd: cmd, tail: &tail{log: log}, done: make(chan struct{}), log: log}
	cmd.Stdout, cmd.Stderr = p.tail, p.tail
	// Backends that outlive the postmaster hold the pipe: do not wait for them.
	cmd.WaitDelay = pgImmediateStop
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.end = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("run %s: %w", cmd.Path, err)
	}
	return p, nil
}

// err says how the process ended; call it after done.
func (p *pgProcess) err() error {
	if p.end == nil {
		return errors.New("exit status 0")
	}
	return p.end
}

// stop ends the process: fast, then at once, then by force.
func (p *pgProcess) stop() error {
	p.stopping.Store(true)
	for _, step := range stopSteps {
		err := p.cmd.Process.Signal(step.signal)
		if err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("signal process %d: %w", p.cmd.Process.Pid, err)
		}
		timeout := time.NewTimer(step.patience)
		select {
		case <-p.done:
			timeout.Stop()
			return nil
		case <-timeout.C:
			p.log.Warn("PostgreSQL does not stop", "pid", p.cmd.Process.Pid, "signal", step.signal.String())
		}
	}
	return fmt.Errorf("process %d survives SIGKILL", p.cmd.Process.Pid)
}

var stopSteps = []struct {
	signal   syscall.Signal
	patience time.Duration
}{
	{syscall.SIGINT, pgFastStop},
	{syscall.SIGQUIT, pgImmediateStop},
	{syscall.SIGKILL, pgImmediateStop},
}

// runTool runs a program of PostgreSQL to its end and returns what it said.
// It ends with us, as a server does.
func runTool(ctx context.Context, cmd *exec.Cmd, log *slog.Logger) (string, error) {
	p, err := startProcess(cmd, log)
	if err != nil {
		return "", err
	}
	began := time.Now()
	progress := time.NewTicker(pgProgress)
	defer progress.Stop()
	for {
		select {
		case <-p.done:
			return p.tail.String(), p.end
		case <-ctx.Done():
			return p.tail.String(), errors.Join(ctx.Err(), p.stop())
		case now := <-progress.C:
			log.Info("waiting for "+cmd.Path, "since", now.Sub(began).Round(time.Second), "last", p.tail.last())
		}
	}
}

// tail passes lines on to the log and keeps the last ones for error messages.
type tail struct {
	log *slog.Logger

	mu    sync.Mutex
	part  string // an unfinished line
	lines []string
}

const tailLines = 20

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.part += string(b)
	for {
		line, rest, ok := strings.Cut(t.part, "\n")
		if !ok {
			return len(b), nil
		}
		t.part = rest
		t.add(strings.TrimRight(line, "\r"))
	}
}

// add takes a line. Errors of statements are their clients' to report; what
// ends the server is said by who waits for it.
func (t *tail) add(line string) {
	if line == "" {
		return
	}
	t.lines = append(t.lines, line)
	if len(t.lines) > tailLines {
		t.lines = t.lines[1:]
	}
	level := slog.LevelDebug
	if strings.HasPrefix(line, "PANIC:") {
		level = slog.LevelError
	}
	t.log.Log(context.Background(), level, line)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.Join(t.lines, "\n") + "\n" + t.part)
}

// last is the last line.
func (t *tail) last() string {
	s := t.String()
	return s[strings.LastIndexByte(s, '\n')+1:]
}
