package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// childAttr runs a child as cred (nil: as we are), in its own process group so
// that a terminal's Ctrl-C does not reach it, and has the kernel ask it to
// stop (SIGINT is PostgreSQL's fast shutdown) when the thread that started it
// dies.
func childAttr(cred *credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: cred, Pdeathsig: syscall.SIGINT}
}

// worksIn reports whether process pid is PostgreSQL at work in the cluster dir:
// all its processes have their cluster as working directory.
func worksIn(pid int, dir string) bool {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	cwd, err := os.Readlink(filepath.Join(proc, "cwd"))
	if err != nil || cwd != dir {
		return false // gone, or another user's, which our cluster's are not
	}
	name, err := os.ReadFile(filepath.Join(proc, "comm"))
	return err == nil && strings.HasPrefix(string(name), "postgres")
}

// workers are the processes at work in the cluster dir: after a postmaster was
// killed, those that have not noticed yet.
func workers(dir string) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && worksIn(pid, dir) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
