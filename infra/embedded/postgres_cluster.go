package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// stateDir is where clusters live whose owner cannot reach the data directory.
// A variable so that tests need not write there.
var stateDir = "/var/lib/streamflow"

// cluster is a PostgreSQL data directory, perhaps still to be made.
type cluster struct {
	home  string // PostgresConfig.Dir, real and absolute
	dir   string // the cluster itself, behind any link
	owner owner
	fresh bool // not made yet
	log   *slog.Logger
	free  func() error // the lock of a cluster outside home
}

func clusterDir(home string) string { return filepath.Join(home, "cluster") }

// openCluster looks for the cluster below home and finds out who is to run it.
func openCluster(home string, log *slog.Logger) (*cluster, error) {
	home, err := filepath.Abs(home)
	if err != nil {
		return nil, err
	}
	if err := mkdirOpen(home); err != nil {
		return nil, err
	}
	if home, err = filepath.EvalSymlinks(home); err != nil {
		return nil, err
	}
	cl := &cluster{home: home, log: log, free: func() error { return nil }}
	link := clusterDir(home)
	if _, err := os.Lstat(link); errors.Is(err, os.ErrNotExist) {
		cl.fresh = true
		cl.owner, err = newOwner()
		return cl, err
	} else if err != nil {
		return nil, err
	}
	info, err := os.Stat(link)
	if errors.Is(err, os.ErrNotExist) {
		to, _ := os.Readlink(link)
		return nil, fmt.Errorf("%s is a link to %s, which is gone: bring it back, or remove the whole data directory to begin anew", link, to)
	}
	if err != nil {
		return nil, err
	}
	if cl.dir, err = filepath.EvalSymlinks(link); err != nil {
		return nil, err
	}
	if cl.owner, err = ownerOf(cl.dir, info); err != nil {
		return nil, err
	}
	return cl, cl.lockOutside()
}

// lockOutside locks a cluster outside home, because the lock on the data
// directory does not cover it when that directory has been copied.
func (cl *cluster) lockOutside() (err error) {
	if parent := filepath.Dir(cl.dir); parent != cl.home && os.Geteuid() == 0 {
		cl.free, err = LockDir(parent)
	}
	return err
}

func (cl *cluster) release() error { return cl.free() }

func (cl *cluster) command(bin binaries, program string, args ...string) *exec.Cmd {
	return cl.owner.command(filepath.Join(bin.dir, program), args...)
}

// prepare finds the programs for the cluster and makes it if need be.
func (cl *cluster) prepare(ctx context.Context, find finder) (binaries, error) {
	if cl.fresh {
		bin, err := find.newest(ctx, cl)
		if err != nil {
			return bin, err
		}
		return bin, cl.create(ctx, bin)
	}
	b, err := os.ReadFile(filepath.Join(cl.dir, "PG_VERSION"))
	if err != nil {
		return binaries{}, fmt.Errorf("%s is not a PostgreSQL cluster (%w): move it away, or choose another directory with --data-dir", cl.dir, err)
	}
	bin, err := find.matching(ctx, cl, strings.TrimSpace(string(b)))
	if err != nil {
		return bin, err
	}
	if err := cl.owner.reaches(bin, cl.dir); err != nil {
		return bin, fmt.Errorf("%w: open the directories above it to that user, or choose another directory with --data-dir", err)
	}
	return bin, nil
}

// create makes the cluster in home, or where its owner cannot reach that, in
// stateDir with a link in home. It appears under its name when it is complete.
func (cl *cluster) create(ctx context.Context, bin binaries) error {
	base := cl.home
	tmp, err := cl.place(bin, base)
	if err != nil && cl.owner.cred == nil {
		return err
	}
	if err != nil {
		cl.log.Debug("the data directory is closed to PostgreSQL", "err", err)
		base = filepath.Join(stateDir, stateName(cl.home)+"-"+strings.ToLower(rand.Text()[:8]))
		cl.mentionOrphans()
		var err2 error
		if tmp, err2 = cl.place(bin, base); err2 != nil {
			return fmt.Errorf("as root PostgreSQL runs as user %s: %w: choose a directory that user can reach with --data-dir, "+
				"start streamflow as another user, or set DATABASE_URL", cl.owner.name, errors.Join(err, err2))
		}
	}
	cl.dir = clusterDir(base)
	cl.log.Info("making a PostgreSQL cluster", "dir", cl.dir, "version", bin.version, "user", cl.owner.name)
	if out, err := runTool(ctx, cl.command(bin, "initdb", "-D", tmp, "-U", pgName, "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-sync"), cl.log); err != nil {
		err = errors.Join(err, os.RemoveAll(tmp))
		if base != cl.home {
			err = errors.Join(err, os.Remove(base))
		}
		return fmt.Errorf("initdb: %w:\n%s", err, out)
	}
	if err := os.Rename(tmp, cl.dir); err != nil {
		return err
	}
	if base == cl.home {
		return nil
	}
	cl.log.Warn("PostgreSQL keeps its data outside the data directory, which its user cannot reach",
		"dir", cl.dir, "user", cl.owner.name, "link", clusterDir(cl.home))
	if err := os.Symlink(cl.dir, clusterDir(cl.home)); err != nil {
		return err
	}
	return cl.lockOutside()
}

// place makes an empty directory in base that the owner owns and reaches.
func (cl *cluster) place(bin binaries, base string) (tmp string, err error) {
	if err := mkdirOpen(base); err != nil {
		return "", err
	}
	old, err := filepath.Glob(filepath.Join(base, "cluster.new-*")) // an initdb was killed
	if err != nil {
		return "", err
	}
	for _, dir := range old {
		if err := os.RemoveAll(dir); err != nil {
			return "", err
		}
	}
	if tmp, err = os.MkdirTemp(base, "cluster.new-"); err != nil {
		return "", err
	}
	if cl.owner.cred != nil {
		if err = os.Chown(tmp, cl.owner.uid, cl.owner.gid); err == nil {
			err = cl.owner.reaches(bin, tmp)
		}
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(tmp))
	}
	return tmp, nil
}

// stateName makes one readable path element of a path.
func stateName(home string) string {
	name := strings.ReplaceAll(strings.Trim(home, "/"), "/", "-")
	return name[max(0, len(name)-100):]
}

// mentionOrphans names the clusters that deleted data directories left behind.
func (cl *cluster) mentionOrphans() {
	old, err := filepath.Glob(filepath.Join(stateDir, stateName(cl.home)+"-*"))
	if err == nil && len(old) > 0 {
		cl.log.Warn("earlier data directories of this name left clusters behind; remove them if you do not miss them", "dirs", old)
	}
}
