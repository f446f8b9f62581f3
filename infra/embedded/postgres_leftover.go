package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopLeftover stops the server that still runs on the cluster dir because our
// last process died without stopping it, and waits for its last process. The
// lock on the data directory guarantees that it is nobody else's.
//
// A pid file whose pid has gone to an unrelated process meanwhile (usual in
// containers, where everything has a small pid) would keep PostgreSQL from
// starting, so it is removed; one whose process is gone PostgreSQL handles.
func (cl *cluster) stopLeftover(ctx context.Context) error {
	if cl.fresh {
		return nil
	}
	dir, log := cl.dir, cl.log
	name := filepath.Join(dir, "postmaster.pid")
	pid, err := readPid(name)
	if err != nil {
		return err
	}
	if pid > 0 && worksIn(pid, dir) {
		log.Warn("a PostgreSQL of an earlier run is still there, stopping it", "pid", pid, "dir", dir)
		if err := stopStranger(ctx, pid, dir); err != nil {
			return err
		}
	}
	if err := awaitWorkers(ctx, dir); err != nil {
		return err
	}
	if pid > 0 && alive(pid) && !worksIn(pid, dir) {
		log.Info("removing a stale pid file", "file", name, "pid", pid)
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// readPid reads the first line of a postmaster.pid; 0 is none.
func readPid(name string) (int, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid <= 1 {
		return 0, nil // torn by a crash: PostgreSQL says what it thinks of it
	}
	return pid, nil
}

// alive reports whether there is a process pid, whoever owns it.
func alive(pid int) bool {
	err := kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// stopStranger stops a process that is not our child, so cannot be waited for.
func stopStranger(ctx context.Context, pid int, dir string) error {
	for _, step := range stopSteps {
		if err := kill(pid, step.signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop the PostgreSQL with pid %d that runs in %s: %w: stop it yourself", pid, dir, err)
		}
		gone, err := poll(ctx, step.patience, func() (bool, error) { return !worksIn(pid, dir), nil })
		if gone || err != nil {
			return err
		}
	}
	return fmt.Errorf("the PostgreSQL with pid %d in %s does not stop", pid, dir)
}

// awaitWorkers waits for the processes that a killed postmaster left: they end
// by themselves, and no server may start beside them.
func awaitWorkers(ctx context.Context, dir string) error {
	var left []int
	gone, err := poll(ctx, pgImmediateStop, func() (_ bool, err error) {
		left, err = workers(dir)
		return len(left) == 0, err
	})
	if err == nil && !gone {
		err = fmt.Errorf("processes %v are at work in %s: stop them", left, dir)
	}
	return err
}

// poll asks until the answer is yes, patience is at its end, or ctx is done.
func poll(ctx context.Context, patience time.Duration, ask func() (bool, error)) (bool, error) {
	tick := time.NewTicker(pgPoll)
	defer tick.Stop()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		if yes, err := ask(); yes || err != nil {
			return yes, err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-timeout.C:
			return false, nil
		case <-tick.C:
		}
	}
}
