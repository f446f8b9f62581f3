package embedded

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// hasPostgres: users, signals and process groups are all others on Windows, and
// nobody has built that yet. Kafka and NATS run.
const hasPostgres = false

// mayKeepOpen: a file that somebody has open cannot be removed here.
const mayKeepOpen = false

// credential is as whom a child runs.
type credential struct{ Uid, Gid uint32 }

func idsOf(fs.FileInfo) (uid, gid int, ok bool) { return 0, 0, false }

func kill(int, syscall.Signal) error { return errors.ErrUnsupported }

// errHeld says that another process has the lock.
var errHeld error = windows.ERROR_LOCK_VIOLATION

// lockFile locks a byte far behind the end of a file, so that its text can be
// read by others, until it is closed.
func lockFile(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, &windows.Overlapped{OffsetHigh: 1})
}

func childAttr(*credential) *syscall.SysProcAttr { return nil }

func worksIn(int, string) bool { return false }

func workers(string) ([]int, error) { return nil, nil }

// flush brings a file to the disk. Windows does so with the names in a directory
// by itself. What is gone needs none.
func flush(path string) error {
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return unlessGone(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return unlessGone(err)
	}
	return errors.Join(file.Sync(), file.Close())
}
