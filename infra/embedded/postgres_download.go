package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// What is downloaded where the machine has no PostgreSQL.
const (
	downloadVersion = embeddedpostgres.V18
	downloadMajor   = 18
)

// cacheDir is where downloaded programs are kept: the user's cache, or for
// root, whose home is closed to the user that runs PostgreSQL, a system one.
func cacheDir(o owner) (string, error) {
	if o.cred != nil {
		return "/var/cache/streamflow", nil
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "streamflow"), err
}

// download gets the programs from Maven Central, once, and returns the
// directory that holds them.
func download(ctx context.Context, cl *cluster) (string, error) {
	cache, err := cacheDir(cl.owner)
	if err != nil {
		return "", err
	}
	return downloadTo(ctx, cl, cache)
}

func downloadTo(ctx context.Context, cl *cluster, cache string) (string, error) {
	dest := filepath.Join(cache, fmt.Sprintf("postgresql-%s-%s-%s", downloadVersion, runtime.GOOS, runtime.GOARCH))
	bin := filepath.Join(dest, "bin")
	if hasPrograms(bin) { // it gets its name when it is complete
		return bin, nil
	}
	if err := mkdirOpen(cache); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(cache, "new-")
	if err != nil {
		return "", err
	}
	cl.log.Info("downloading PostgreSQL, once", "version", string(downloadVersion), "to", dest)
	fetched := make(chan error, 1)
	go func() {
		// The library takes no context; abandoned, it cleans up when it ends.
		fetched <- fetchInto(tmp)
		if ctx.Err() != nil {
			os.RemoveAll(tmp)
		}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case err = <-fetched:
	}
	tree := filepath.Join(tmp, "pg")
	if err == nil {
		err = readableByAll(tree)
	}
	if err == nil {
		err = os.Rename(tree, dest)
		if hasPrograms(bin) { // another process was quicker
			err = nil
		}
	}
	return bin, errors.Join(err, os.RemoveAll(tmp))
}

// fetchInto downloads and unpacks the programs into tmp/pg. The library does
// that on the way to starting a server of its own, which we neither want nor,
// as root, could have: a data directory that cannot be, below a file, ends it
// between the two.
func fetchInto(tmp string) error {
	wall := filepath.Join(tmp, "wall")
	if err := os.WriteFile(wall, nil, 0o600); err != nil {
		return err
	}
	err := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
		Version(downloadVersion).
		Port(0).
		CachePath(filepath.Join(tmp, "archive")).
		RuntimePath(filepath.Join(tmp, "run")).
		BinariesPath(filepath.Join(tmp, "pg")).
		DataPath(filepath.Join(wall, "data")).
		Logger(io.Discard)).Start()
	if err == nil {
		return errors.New("unpacking ran on into a server")
	}
	if strings.Contains(err.Error(), "unable to clean up data directory") && hasPrograms(filepath.Join(tmp, "pg", "bin")) {
		return nil
	}
	return err
}

// readableByAll undoes a strict umask: root unpacks what another user runs.
func readableByAll(tree string) error {
	return filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm() | 0o444
		if mode&0o100 != 0 {
			mode |= 0o111
		}
		return os.Chmod(path, mode)
	})
}
