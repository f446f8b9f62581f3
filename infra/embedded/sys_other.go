//go:build !linux && !windows

package embedded

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// childAttr runs a child as cred (nil: as we are), in its own process group so
// that a terminal's Ctrl-C does not reach it. Where the kernel does not stop
// it at our death, the next start does.
func childAttr(cred *credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: cred}
}

// worksIn reports whether process pid is a PostgreSQL on the cluster dir, by
// its command line.
func worksIn(pid int, dir string) bool {
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), "postgres") && strings.Contains(string(out), dir)
}

// workers cannot be found cheaply here: PostgreSQL itself refuses to start
// beside what a killed postmaster left, and they end within moments.
func workers(string) ([]int, error) { return nil, nil }
