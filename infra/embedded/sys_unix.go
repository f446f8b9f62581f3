//go:build !windows

package embedded

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// hasPostgres says that the embedded PostgreSQL can be run here.
const hasPostgres = true

// mayKeepOpen says that a file may be removed while somebody has it open.
const mayKeepOpen = true

// credential is as whom a child runs.
type credential = syscall.Credential

// idsOf is who owns a file.
func idsOf(info fs.FileInfo) (uid, gid int, ok bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(st.Uid), int(st.Gid), true
}

func kill(pid int, signal syscall.Signal) error { return syscall.Kill(pid, signal) }

// errHeld says that another process has the lock.
var errHeld error = syscall.EWOULDBLOCK

// lockFile locks a file until it is closed. What a signal interrupts is tried
// again.
func lockFile(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// flush brings a file, or the names in a directory, to the disk. What is gone
// needs none.
func flush(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return unlessGone(err)
	}
	return errors.Join(file.Sync(), file.Close())
}
