package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// owner is who runs PostgreSQL and owns its files.
type owner struct {
	name     string
	uid, gid int
	cred     *credential // nil: we ourselves
}

// newOwner chooses the owner of a new cluster: we, or as root, which PostgreSQL
// refuses, its usual user or the one without rights.
func newOwner() (owner, error) {
	if !hasPostgres {
		return owner{}, errors.New("the embedded PostgreSQL does not run on this system: set DATABASE_URL to one that runs, or start streamflow in the Windows Subsystem for Linux")
	}
	if uid := os.Geteuid(); uid != 0 {
		return ownerByID(uid, os.Getegid()), nil
	}
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		// macOS writes nobody's -2 in more than one way.
		if err1 == nil && err2 == nil && uid > 0 && gid > 0 {
			return ownerByID(uid, gid), nil
		}
	}
	return owner{}, errors.New("PostgreSQL refuses to run as root and there is no user postgres or nobody: " +
		"start streamflow as another user, or set DATABASE_URL")
}

// ownerOf is the owner of an existing cluster.
func ownerOf(dir string, info fs.FileInfo) (owner, error) {
	uid, gid, ok := idsOf(info)
	if !ok {
		return owner{}, fmt.Errorf("%s: its owner is unknown", dir)
	}
	o := ownerByID(uid, gid)
	switch me := os.Geteuid(); {
	case o.uid == 0:
		return owner{}, fmt.Errorf("%s belongs to root, as whom PostgreSQL refuses to run: "+
			"give it to another user, or choose another directory with --data-dir", dir)
	case me != 0 && me != o.uid:
		return owner{}, fmt.Errorf("%s belongs to user %s, we are user %s: "+
			"start streamflow as %[2]s or root, or choose another directory with --data-dir", dir, o.name, ownerByID(me, 0).name)
	}
	return o, nil
}

func ownerByID(uid, gid int) owner {
	o := owner{name: strconv.Itoa(uid), uid: uid, gid: gid}
	if u, err := user.LookupId(o.name); err == nil {
		o.name = u.Username
	}
	if uid != os.Geteuid() {
		o.cred = &credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return o
}

// command prepares a program to be run by the owner. It starts in /, because
// our working directory may be closed to the owner, and with little of our
// environment: PG* variables would change what the server does, and the rest
// is not the owner's to see.
func (o owner) command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=C", "HOME=/"}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok && (name != "TMPDIR" || o.cred == nil) {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	cmd.SysProcAttr = childAttr(o.cred)
	return cmd
}

// reaches reports why the owner cannot work in dir, by working there: modes
// alone do not tell (ACLs, mounts, user namespaces).
func (o owner) reaches(bin binaries, dir string) error {
	cmd := o.command(filepath.Join(bin.dir, "postgres"), "--version")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("user %s cannot reach %s: %w %s", o.name, dir, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// mkdirOpen is MkdirAll whose new directories others can pass through,
// whatever the umask: the owner must, and nothing secret is directly in them.
// Directories that were there are left alone.
func mkdirOpen(dir string) error {
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
		}
		return nil
	}
	if err := mkdirOpen(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return os.Chmod(dir, 0o755)
}
