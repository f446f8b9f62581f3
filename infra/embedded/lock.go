package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// lockName is the file in the data directory that is locked.
const lockName = "streamflow.lock"

// ErrLocked is what [LockDir] wraps when another process holds the directory.
var ErrLocked = errors.New("data directory is in use")

// LockDir creates dir if need be and takes it for this process: a flock on
// DIR/streamflow.lock, which holds our process id and start time for people.
// The kernel drops the lock when the process ends, however it ends, so a lock
// is never stale. release, which may be called more than once, gives the
// directory back; the file stays, because
// removing a lock file lets two processes hold two different files.
func LockDir(dir string) (release func() error, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("data directory: %w (choose another with --data-dir)", err)
	}
	name := filepath.Join(dir, lockName)
	// O_CLOEXEC is Go's default: a child must not keep the lock alive.
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w (choose another with --data-dir)", err)
	}
	if err := lockFile(f); err != nil {
		defer f.Close()
		if errors.Is(err, errHeld) {
			return nil, fmt.Errorf("%w: %s is held by %s: stop that process or choose another directory with --data-dir",
				ErrLocked, dir, lockHolder(name))
		}
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	note := fmt.Sprintf("%d %s\n", os.Getpid(), time.Now().UTC().Format(time.RFC3339))
	if err := errors.Join(f.Truncate(0), writeAt(f, note)); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", name, err), f.Close())
	}
	return sync.OnceValue(f.Close), nil
}

func writeAt(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}

// lockHolder says who wrote the lock file, as well as it can.
func lockHolder(name string) string {
	b, err := os.ReadFile(name)
	fields := strings.Fields(string(b))
	if err != nil || len(fields) != 2 {
		return "another process"
	}
	if _, err := strconv.Atoi(fields[0]); err != nil {
		return "another process"
	}
	return fmt.Sprintf("process %s (since %s)", fields[0], fields[1])
}
